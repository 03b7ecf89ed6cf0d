/**
 * I7, last part: of one INVITE a single leg is in progress. Whoever else says 1xx, however late, is told to stop with
 * CANCEL at once (R18), and so is everybody when the call is over or was answered elsewhere. Beside a hedge there may
 * be more, until one of them rings.
 */
import type { Instant, LossCause, Peer } from "../../../core/machine.ts";
import type { SimulatedEvent } from "../simulation.ts";
import type { SimulatedMessage } from "../surroundings.ts";
import {
  branchOf,
  callIdOf,
  cseqOf,
  fromTagOf,
  hasToTag,
  placeOf,
  sendsRequest,
  TIMER_B_T1,
} from "./glance.ts";
import type { Complain, Invariant, Watched } from "./invariant.ts";

interface Leg {
  readonly place: string;
  /** The flow it went out over. */
  readonly over: string;
  readonly sentAt: Instant;
  /** The highest provisional response; 0: nothing was heard. */
  heard: number;
  /** It has its final response, or its CANCEL, or nobody listens any more. */
  done: boolean;
  /** It has said something in this step. */
  fresh: boolean;
}

interface Invited {
  readonly one: Watched;
  readonly legs: Map<string, Leg>;
  /** The From tag of the first, and so of all: the callee knows them by it for one call (RFC 3261 §8.2.2.2). */
  tag: string;
  /** The call is answered or has ended. */
  settled: boolean;
  /** The call has ended: who had been heard of was told to stop then, unless his flow was given up with it. */
  ended: boolean;
}

export class OneLeg implements Invariant {
  readonly #watched = new Map<string, Watched>();
  readonly #complain: Complain;
  /** By node and Call-ID. */
  readonly #calls = new Map<string, Invited>();
  /** The same, by node and call. */
  readonly #numbers = new Map<string, Invited>();
  /** Heard of in this step. */
  readonly #fresh = new Set<Invited>();

  constructor(watched: readonly Watched[], complain: Complain) {
    for (const one of watched) this.#watched.set(one.node, one);
    this.#complain = complain;
  }

  event({ node, event, call, callId, direction }: SimulatedEvent): void {
    if (event === "call.started" && direction === "outgoing") {
      const one = this.#watched.get(node);
      if (one === undefined) return;
      const invited: Invited = { one, legs: new Map(), tag: "", settled: false, ended: false };
      this.#calls.set(`${node} ${callId}`, invited);
      this.#numbers.set(`${node} ${call}`, invited);
    } else if (event === "call.ended") {
      const invited = this.#numbers.get(`${node} ${call}`);
      if (invited === undefined) return;
      invited.settled = true;
      invited.ended = true;
    }
  }

  died(_now: Instant, node: string): void {
    for (const { one, legs } of this.#calls.values()) {
      if (one.node === node) for (const leg of legs.values()) leg.done = true;
    }
  }

  /**
   * Every transaction over a connection ends with it (RFC 3261 §17.1.4): what was under way finds nobody. To a port
   * datagrams come all the same, unless it refuses: whoever was there is gone, and what he knew of calls with him.
   * After a mere time-out the other end of a connection is there yet.
   */
  lost(node: string, peer: Peer, cause: LossCause): void {
    if (cause === "timeout" || (peer.transport === "udp" && cause !== "refused")) return;
    const over = wayOf({ peer });
    for (const { one, legs } of this.#calls.values()) {
      if (one.node !== node) continue;
      for (const leg of legs.values()) leg.done ||= leg.over === over;
    }
  }

  message(message: SimulatedMessage, text: string): void {
    const { at, node, direction } = message;
    if (direction === "in") {
      if (text.startsWith("SIP/2.0 ") && cseqOf(text).endsWith(" INVITE"))
        this.#hear(message, text);
      return;
    }
    const begins = text.startsWith("INVITE ") && !hasToTag(text);
    if (!sendsRequest(message, text) || !(begins || text.startsWith("CANCEL "))) return;
    const invited = this.#calls.get(`${node} ${callIdOf(text)}`);
    if (begins) this.#identify(message, text, invited);
    const legs = invited?.legs;
    const branch = branchOf(text);
    const leg = legs?.get(branch);
    if (!begins && leg !== undefined) leg.done = true;
    if (begins && leg === undefined) {
      const over = wayOf(message);
      legs?.set(branch, {
        place: placeOf(message),
        over,
        sentAt: at,
        heard: 0,
        done: false,
        fresh: false,
      });
    }
  }

  /** Call-ID and From tag are the same at each place (I7). */
  #identify({ at, node }: SimulatedMessage, text: string, invited: Invited | undefined): void {
    if (this.#watched.get(node)?.active !== true) return;
    const tag = fromTagOf(text);
    if (invited?.tag === "") invited.tag = tag;
    if (invited?.tag === tag) return;
    const what = `INVITE as ${tag} in ${callIdOf(text)}, which no call of its own has`;
    this.#complain({ invariant: "I7", at, node, what });
  }

  check(now: Instant): void {
    if (this.#fresh.size === 0) return;
    for (const { one, legs, settled, ended } of this.#fresh) {
      const going = [...legs.values()].filter(
        ({ heard, done, fresh }) => heard > 0 && !done && (fresh || !ended),
      );
      for (const leg of legs.values()) leg.fresh = false;
      if (!one.active) continue;
      const hedging = one.account.policy.hedgeMs > 0 && going.every(({ heard }) => heard === 100);
      if (going.length <= (settled ? 0 : 1) || (hedging && !settled)) continue;
      const what = `${going.map(({ place }) => place).join(" and ")} not told to stop`;
      this.#complain({ invariant: "I7", at: now, node: one.node, what });
    }
    this.#fresh.clear();
  }

  #hear(message: SimulatedMessage, text: string): void {
    const { node } = message;
    const invited = this.#calls.get(`${node} ${callIdOf(text)}`);
    const leg = invited?.legs.get(branchOf(text));
    if (invited === undefined || leg === undefined || leg.done) return;
    const status = Number(text.slice(8, 11));
    const stray = this.#isStray(message, invited, leg);
    leg.done = status >= 200 || stray;
    if (status >= 300 || stray) return;
    leg.heard = Math.max(leg.heard, status);
    if (status >= 200) invited.settled = true;
    leg.fresh = true;
    this.#fresh.add(invited);
  }

  /** The transaction is over, or its flow is: nobody waits for it. */
  #isStray(message: SimulatedMessage, { one, settled }: Invited, leg: Leg): boolean {
    const { at } = message;
    const elsewhere = wayOf(message) !== leg.over;
    if (leg.heard > 0) return settled && elsewhere;
    return elsewhere || at - leg.sentAt >= TIMER_B_T1 * one.account.policy.t1Ms;
  }
}

/** One flow of a node. */
function wayOf({ peer }: { readonly peer: Peer }): string {
  return `${placeOf({ peer })} ${peer.localPort}`;
}
