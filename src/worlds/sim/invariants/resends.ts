/**
 * I4, third part: a request over datagrams is repeated at the times that the policy gives (Timer A and E, or its fixed
 * spacing), and no sooner. I6, second part: for its silence a place is left when the resends of the policy are spent,
 * not before and not later; what comes last has the whole of Timer B.
 */
import type { Instant, Peer } from "../../../core/machine.ts";
import type { ServerPolicy } from "../../../core/redundancy/policy.ts";
import type { SimulatedEvent } from "../simulation.ts";
import type { SimulatedMessage } from "../surroundings.ts";
import {
  branchOf,
  callIdOf,
  cseqOf,
  hasToTag,
  placeOf,
  sendsRequest,
  TIMER_B_T1,
} from "./glance.ts";
import type { Complain, Invariant, Watched } from "./invariant.ts";

/** One request at one place. */
interface Sending {
  readonly method: string;
  readonly callId: string;
  readonly place: string;
  readonly hop: ServerPolicy;
  readonly firstAt: Instant;
  lastAt: Instant;
  count: number;
  /** From the last send to the next. */
  spacing: number;
  /** It was answered or left. */
  over: boolean;
}

interface Asking {
  readonly one: Watched;
  /** By branch. */
  readonly sendings: Map<string, Sending>;
  /** Left for silence in this instant. */
  left: { readonly at: Instant; readonly sending: Sending } | undefined;
  /** When something else than silence had a part in what is tried where. */
  muddledAt: Instant;
  /** A place has asked for quiet. */
  hushed: boolean;
}

/** Sums of waits are no whole numbers. */
const GRAIN_MS = 1;

export class Resends implements Invariant {
  readonly #asking = new Map<string, Asking>();
  /** Call-IDs by node and call. */
  readonly #callIds = new Map<string, string>();
  readonly #complain: Complain;

  constructor(watched: readonly Watched[], complain: Complain) {
    for (const one of watched) this.#asking.set(one.node, newAsking(one));
    this.#complain = complain;
  }

  died(_now: Instant, node: string): void {
    const asking = this.#asking.get(node);
    if (asking !== undefined) this.#asking.set(node, newAsking(asking.one));
  }

  /** Keep-alives were not answered: whoever waits there waits no longer. */
  lost(node: string, peer: Peer): void {
    const place = placeOf({ peer });
    for (const one of this.#asking.get(node)?.sendings.values() ?? []) {
      one.over ||= one.place === place;
    }
  }

  message(message: SimulatedMessage, text: string): void {
    const asking = this.#asking.get(message.node);
    if (asking === undefined) return;
    if (message.direction === "in") hear(asking, text);
    else if (sendsRequest(message, text) && message.peer.transport === "udp") {
      this.#sent(asking, message, text);
    }
  }

  #sent(asking: Asking, message: SimulatedMessage, text: string): void {
    const method = text.slice(0, text.indexOf(" "));
    // Inside a dialog it may be another place's policy that speaks.
    if (method === "CANCEL" || hasToTag(text)) return;
    const { at, peer, node } = message;
    const branch = branchOf(text);
    const known = asking.sendings.get(branch);
    if (known === undefined) {
      const { policy, servers } = asking.one.account;
      const { transport, address, port } = peer;
      const hop = servers.placeOf({ transport: "udp", address, port })?.hop;
      if (hop === undefined || transport !== "udp") return;
      asking.sendings.set(branch, {
        method,
        callId: callIdOf(text),
        place: placeOf(message),
        hop,
        firstAt: at,
        lastAt: at,
        count: 1,
        spacing: hop.retryIntervalMs || policy.t1Ms,
        over: false,
      });
      return;
    }
    const gap = at - known.lastAt;
    if (Math.abs(gap - known.spacing) > GRAIN_MS && !known.over) {
      const what = `${method} to ${known.place} again after ${Math.round(gap)} ms, not ${known.spacing}`;
      this.#complain({ invariant: "I4", at, node, what });
    }
    known.count += 1;
    known.lastAt = at;
    known.spacing = nextSpacing(asking.one, known);
  }

  event({ at, node, event, method, why, target, direction, call, ...told }: SimulatedEvent): void {
    const asking = this.#asking.get(node);
    if (asking === undefined) return;
    if (event === "call.started" && direction === "outgoing") {
      this.#callIds.set(`${node} ${call}`, String(told.callId));
    } else if (event === "server.unresolved") asking.muddledAt = at;
    else if (event === "attempt.failed") {
      asking.left = undefined;
      if (why !== "timeout") asking.muddledAt = at;
      else this.#left(at, asking, String(method), String(target));
    } else if (event === "request.failed-over" && why === "timeout") {
      const sending = asking.left?.at === at ? asking.left.sending : undefined;
      // Another request may have gone on in the very same instant.
      if (sending?.place === told.from && sending?.method === method) {
        this.#followed(at, asking, told.fromServer !== told.toServer);
      }
    } else if (event === "call.ended" && why === "timeout" && asking.left?.at === at) {
      const callId = this.#callIds.get(`${node} ${call}`);
      if (callId === asking.left.sending.callId) this.#wasLast(at, asking, asking.left.sending);
    }
  }

  /** OPTIONS is borne for no longer than until the next one, and a SUBSCRIBE may be given up without a word. */
  #left(at: Instant, asking: Asking, method: string, target: string): void {
    if (method !== "REGISTER" && method !== "INVITE") return;
    const silent = [...asking.sendings.values()].filter(
      (one) => one.method === method && one.place === target && !one.over,
    );
    const due = silent.filter(
      ({ lastAt, spacing, firstAt, hop }) =>
        (lastAt === at && firstAt < at) ||
        Math.abs(at - lastAt - spacing) <= GRAIN_MS ||
        (hop.retryIntervalMs > 0 && Math.abs(at - lastAt - hop.retryIntervalMs) <= GRAIN_MS) ||
        Math.abs(at - firstAt - fullMs(asking.one)) <= GRAIN_MS,
    );
    // Several may be under way through one proxy, at one beat: the one that is left has just spent what it may.
    const spent = due.filter((one) => one.count > retriesOf(one));
    const sending = spent.find((one) => one.count <= retriesOf(one) + 2) ?? spent[0] ?? due[0];
    if (sending === undefined) return;
    sending.over = true;
    asking.left = { at, sending };
    const { count } = sending;
    const allowed = 1 + retriesOf(sending);
    const { outbound, registrarProbeMs } = asking.one.account.policy;
    // Who pings may have found the flow dead in that very instant: both double their waits.
    if (count >= allowed || outbound !== "never" || registrarProbeMs > 0) return;
    const what = `${method} to ${target} was given up after ${count} of ${allowed} sends`;
    this.#complain({ invariant: "I6", at, node: asking.one.node, what });
  }

  /** There was another place to ask. */
  #followed(at: Instant, { one, left, hushed }: Asking, elsewhere: boolean): void {
    if (left === undefined) return;
    const { method, firstAt, place, count } = left.sending;
    const { strictLastTarget, skipKnownDead } = one.account.policy;
    const { node } = one;
    const full = at - firstAt >= fullMs(one) - GRAIN_MS;
    if (!strictLastTarget && full && count > retriesOf(left.sending) + 2) {
      const what = `${method} waited for ${place} for all of Timer B or F, with more to ask`;
      this.#complain({ invariant: "I6", at, node, what });
    }
    if (strictLastTarget && elsewhere && !full && !skipKnownDead && !hushed) {
      const what = `${method} left ${place}, the last of its name, before Timer B or F was over`;
      this.#complain({ invariant: "I6", at, node, what });
    }
  }

  #wasLast(at: Instant, { one, hushed, muddledAt }: Asking, sending: Sending): void {
    const { firstAt, place } = sending;
    if (hushed || one.account.policy.hedgeMs > 0) return;
    if (muddledAt >= firstAt || at - firstAt >= fullMs(one) - GRAIN_MS) return;
    const what = `a call was given up ${at - firstAt} ms after ${place}, the last, was asked`;
    this.#complain({ invariant: "I6", at, node: one.node, what });
  }
}

function newAsking(one: Watched): Asking {
  return {
    one,
    sendings: new Map(),
    left: undefined,
    muddledAt: Number.NEGATIVE_INFINITY,
    hushed: false,
  };
}

function retriesOf({ method, hop }: Sending): number {
  return method === "INVITE" ? hop.inviteRetries : hop.registerRetries;
}

function fullMs({ account }: Watched): number {
  return TIMER_B_T1 * account.policy.t1Ms;
}

function nextSpacing({ account }: Watched, sending: Sending): number {
  const { method, hop, spacing, count } = sending;
  if (hop.retryIntervalMs > 0 && count <= retriesOf(sending)) return hop.retryIntervalMs;
  return method === "INVITE" ? 2 * spacing : Math.min(2 * spacing, account.policy.t2Ms);
}

function hear(asking: Asking, text: string): void {
  if (!text.startsWith("SIP/2.0 ")) return;
  const sending = asking.sendings.get(branchOf(text));
  if (sending !== undefined && cseqOf(text).endsWith(` ${sending.method}`)) sending.over = true;
  if (text.startsWith("SIP/2.0 503 ") && /^Retry-After:/m.test(text)) asking.hushed = true;
}
