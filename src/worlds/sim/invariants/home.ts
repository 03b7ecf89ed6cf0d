/** I3: the primary reachable without break for F and the phone idle, and requests go to the primary. */
import type { Instant, Target } from "../../../core/machine.ts";
import type { Phone } from "../../../core/phone/phone.ts";
import { failbackModeOf } from "../../../core/redundancy/failback.ts";
import { targetName } from "../../../core/redundancy/server-health.ts";
import type { SimulatedEvent } from "../simulation.ts";
import type { SimulatedMessage } from "../surroundings.ts";
import { callIdOf, hasToTag, longestTrialMs, sendsRequest } from "./glance.ts";
import { type Complain, type Invariant, LOOK_MS, type Reach, type Watched } from "./invariant.ts";
import { QuietPlaces } from "./quiet-places.ts";

/** Modes that wait for an idle phone. */
const WAITING = new Set(["DNSTTL", "registration", "duration"]);
/** A request has gone to another place than the one in use. */
const AROUND = new Set(["request.failed-over", "request.hedged"]);

/** Where requests of a phone in a call went when it was looked at last. */
interface Stay {
  readonly server: number;
  readonly position: number;
  readonly target: string;
  readonly mode: string;
}

interface Primary {
  readonly name: string;
  readonly since: Instant;
}

export class Home implements Invariant {
  readonly #watched: readonly Watched[];
  readonly #reach: Reach;
  readonly #complain: Complain;
  /** Since when each phone has had no call. */
  readonly #idleSince = new Map<Watched, Instant>();
  /** Since when it has had one. */
  readonly #busySince = new Map<Watched, Instant>();
  /** When a request of a node failed over last: it may have come to the primary by going round. */
  readonly #failedOverAt = new Map<string, Instant>();
  /** The server that the requests of a node go to first, 1-based. */
  readonly #serverOf = new Map<string, number>();
  readonly #stays = new Map<Watched, Stay>();
  /** The calls of each phone, whichever account has them. */
  readonly #calls = new WeakMap<Phone, Set<unknown>>();
  /** Targets that a node takes for dead. */
  readonly #dead = new Set<string>();
  readonly #quiet: QuietPlaces;
  /** The place at the head of the list of each, and since when it has been that. */
  readonly #primaries = new Map<Watched, Primary>();
  readonly #callIds = new Set<string>();
  #nextLook: Instant = 0;

  constructor(watched: readonly Watched[], reach: Reach, complain: Complain) {
    this.#watched = watched;
    this.#quiet = new QuietPlaces(watched);
    this.#reach = reach;
    this.#complain = complain;
  }

  check(now: Instant): void {
    if (now < this.#nextLook) return;
    this.#nextLook = now + LOOK_MS;
    for (const one of this.#watched) {
      const [is, was] = one.phone.idle
        ? [this.#idleSince, this.#busySince]
        : [this.#busySince, this.#idleSince];
      was.delete(one);
      if (!is.has(one)) is.set(one, now);
      this.#lookForHaste(now, one);
      if (!one.active || !this.#owed(now, one)) continue;
      const away = whereTo(one);
      if (away === undefined) continue;
      const what = `requests go to ${away} though the primary has been there for F`;
      this.#complain({ invariant: "I3", at: now, node: one.node, what });
    }
  }

  /** In a call, requests turn to the primary without need. */
  #lookForHaste(now: Instant, one: Watched): void {
    const { account, node } = one;
    const server = account.workingServer;
    const route = account.servers.route(server);
    const mode = String(failbackModeOf(route));
    const before = this.#stays.get(one);
    const place = route.places[route.current];
    const busySince = this.#busySince.get(one);
    if (busySince === undefined || !one.active || place === undefined) {
      this.#stays.delete(one);
      return;
    }
    this.#stays.set(one, {
      server,
      position: route.current,
      target: targetName(place.target),
      mode,
    });
    if (before === undefined || before.server !== server || !WAITING.has(before.mode)) return;
    if (before.position === 0 || route.current !== 0 || account.policy.idleWaitMaxMs > 0) return;
    const begun = now - longestTrialMs(account.policy);
    // Renewals of this mode show only by their answer that they began at the primary.
    if (before.mode === "registration" && busySince > begun) return;
    if ((this.#failedOverAt.get(node) ?? begun) > begun) return;
    if (this.#isPassedOver(begun, one, before.target)) return;
    const what = `turned home by ${before.mode} in the middle of a call`;
    this.#complain({ invariant: "I3", at: now, node, what });
  }

  /** Since then it may have gone round such a place without trying it. */
  #isPassedOver(begun: Instant, { account, node }: Watched, target: string): boolean {
    const quiet = (this.#quiet.until(node, target) ?? begun) > begun;
    return quiet || (account.policy.skipKnownDead && this.#dead.has(`${node} ${target}`));
  }

  event(told: SimulatedEvent): void {
    const { at, node, event, mode, from, to, target, fromTarget, method, call } = told;
    const one = this.#watched.find((other) => other.node === node);
    // An INVITE that was given up may be heard of late, and have the call after all.
    const givenUp = event === "attempt.failed" && method === "INVITE";
    if (givenUp || AROUND.has(event)) this.#failedOverAt.set(node, at);
    // However short a call was, F begins anew with its end.
    if (event === "call.ended" && one !== undefined) {
      this.#idleSince.set(one, at);
      this.#stays.delete(one);
      this.#calls.get(one.phone)?.delete(call);
    }
    if (event === "call.started" && one !== undefined) this.#called(one.phone, call);
    if (event === "server.suspected") this.#dead.add(`${node} ${target}`);
    else if (event === "server.restored") this.#dead.delete(`${node} ${target}`);
    const server = this.#serverOf.get(node) ?? 1;
    if (event === "server.fell-back" || event === "server.failed-back") {
      this.#serverOf.set(node, Number(to));
    }
    if (event !== "server.failed-back" || from !== to || !WAITING.has(String(mode))) return;
    // Its requests went to another server: the way back from there has no mode, and waits for nobody.
    if (from !== server) return;
    const busySince = one === undefined ? undefined : this.#busySince.get(one);
    if (one === undefined || busySince === undefined || !one.active || one.phone.idle) return;
    const begun = at - longestTrialMs(one.account.policy);
    if (busySince > begun || (this.#failedOverAt.get(node) ?? begun) > begun) return;
    if (one.account.policy.idleWaitMaxMs > 0) return;
    // Where nothing needs to be sent for it, it turned before the call, and this was the first request since.
    const stay = this.#stays.get(one);
    if (stay?.server === server && stay.position === 0) return;
    if (this.#isPassedOver(begun, one, String(fromTarget))) return;
    const what = `went home by ${mode} in the middle of a call`;
    this.#complain({ invariant: "I3", at, node, what });
  }

  /** A trial that began before the first call of a phone did not begin in it, though no look came in between. */
  #called(phone: Phone, call: unknown): void {
    const calls = this.#calls.get(phone) ?? new Set();
    if (calls.size === 0) {
      for (const one of this.#watched) {
        if (one.phone !== phone) continue;
        this.#busySince.delete(one);
        this.#stays.delete(one);
      }
    }
    this.#calls.set(phone, calls.add(call));
  }

  died(now: Instant, node: string): void {
    const one = this.#watched.find((other) => other.node === node);
    if (one === undefined) return;
    this.#idleSince.set(one, now);
    this.#busySince.delete(one);
    this.#stays.delete(one);
    this.#serverOf.delete(node);
    this.#quiet.died(node);
    for (const key of this.#dead) if (key.startsWith(`${node} `)) this.#dead.delete(key);
  }

  message(message: SimulatedMessage, text: string): void {
    const { at, node, peer } = message;
    if (message.direction === "in") this.#quiet.message(message, text);
    if (!text.startsWith("INVITE ") || !sendsRequest(message, text) || hasToTag(text)) return;
    const callId = callIdOf(text);
    if (this.#callIds.has(callId)) return;
    this.#callIds.add(callId);
    const one = this.#watched.find((other) => other.node === node);
    if (one === undefined || !one.active || one.account.policy.followChallenger) return;
    if (!this.#owed(at, one)) return;
    const { address } = one.account.servers.route(1).places[0]?.target ?? peer;
    if (address === peer.address) return;
    const what = `an INVITE goes to ${peer.address} first though the primary has been there for F`;
    this.#complain({ invariant: "I3", at, node, what });
  }

  /** The requests of all who must come home by time go there. */
  get proven(): boolean {
    return this.#watched.every(
      (one) => one.bounds.homeMs === Number.POSITIVE_INFINITY || whereTo(one) === undefined,
    );
  }

  /** The wait for idleness is no part of F. */
  #owed(now: Instant, one: Watched, idleSince = this.#idleSince.get(one) ?? now): boolean {
    const primary = one.account.servers.route(1).places[0];
    if (primary === undefined) return false;
    const { target } = primary;
    const since = Math.max(
      this.#reach.since(target.address),
      this.#primarySince(now, one, target),
      idleSince,
    );
    return since <= now - one.bounds.homeMs;
  }

  /** A list that has changed may have put another place at its head: the way there begins with that. */
  #primarySince(now: Instant, one: Watched, target: Target): Instant {
    const name = targetName(target);
    const known = this.#primaries.get(one);
    if (known?.name === name) return known.since;
    this.#primaries.set(one, { name, since: now });
    return now;
  }
}

/** Where else than to the primary the next request would go. */
function whereTo({ account }: Watched): string | undefined {
  if (account.workingServer !== 1) return `server ${account.workingServer}`;
  const route = account.servers.route(1);
  const always = failbackModeOf(route) === "newRequests";
  return always || route.current === 0 ? undefined : `place ${route.current + 1} of server 1`;
}
