/**
 * I1: a server of the list reachable for B, and the account is registered at a reachable server that knows it. And what
 * stands is renewed in time, as long as nothing keeps it from being.
 */
import type { Instant, LossCause, Peer } from "../../../core/machine.ts";
import { renewalAfterMs } from "../../../core/redundancy/bounds.ts";
import { targetName } from "../../../core/redundancy/server-health.ts";
import type { ServerRoute } from "../../../core/redundancy/server-set.ts";
import { CONNECT_TIMEOUT_MS } from "../simulated-stream.ts";
import type { SimulatedEvent } from "../simulation.ts";
import type { Hush } from "./hush.ts";
import { type Complain, type Invariant, LOOK_MS, type Reach, type Watched } from "./invariant.ts";

/** Whether the server at an address has a live binding of a user. */
export type Bindings = (address: string, user: string) => boolean;

/** A registration as it was accepted last. */
interface Accepted {
  readonly at: Instant;
  readonly seconds: number;
}

/** A flow that breaks again soon is not made anew at once. */
const FLOW_PAUSE_MS = 5000;
/** … and its server's name may have to be asked for, at resolvers that say nothing: each question its patience. */
const NAMES_MS = 10_000;

function flowOf(node: string, { transport, address, port, localPort }: Peer): string {
  return `${node} ${transport}:${address}:${port} ${localPort}`;
}

export class Registered implements Invariant {
  readonly #watched: readonly Watched[];
  readonly #reach: Reach;
  readonly #bindings: Bindings;
  readonly #hush: Hush;
  readonly #complain: Complain;
  /** When each was seen to be as it should be: from the death of its server on it has B to notice and move. */
  readonly #stoodAt = new Map<Watched, Instant>();
  #nextLook: Instant = 0;
  #now: Instant = 0;
  /** By node and server. */
  readonly #accepted = new Map<string, Accepted>();
  /** When a REGISTER came to nothing last, and when 503 ended one, by node and server. */
  readonly #failedAt = new Map<string, Instant>();
  readonly #refusedAt = new Map<string, Instant>();
  /** When a connection was lost, by node and pair of ports. */
  readonly #lostAt = new Map<string, Instant>();

  constructor(
    watched: readonly Watched[],
    reach: Reach,
    bindings: Bindings,
    hush: Hush,
    complain: Complain,
  ) {
    this.#watched = watched;
    this.#reach = reach;
    this.#bindings = bindings;
    this.#hush = hush;
    this.#complain = complain;
  }

  event({ at, node, event, server, expires, status }: SimulatedEvent): void {
    const key = `${node} ${server}`;
    if (event === "registration.failed") this.#failedAt.set(key, at);
    if (event === "registration.failed" && status === 503) this.#refusedAt.set(key, at);
    if (event !== "registration.accepted") return;
    this.#accepted.set(key, { at, seconds: Number(expires) });
  }

  lost(node: string, peer: Peer, cause: LossCause): void {
    if (peer.transport !== "udp" && cause !== "idle")
      this.#lostAt.set(flowOf(node, peer), this.#now);
  }

  died(now: Instant, node: string): void {
    for (const one of this.#watched) if (one.node === node) this.#stoodAt.set(one, now);
  }

  check(now: Instant): void {
    this.#now = now;
    if (now < this.#nextLook) return;
    this.#nextLook = now + LOOK_MS;
    for (const one of this.#watched) {
      if (!one.active) continue;
      this.#lookForLapse(now, one);
      this.#lookForLoss(now, one);
      if (this.#stands(now, one, now - one.bounds.registeredMs)) {
        this.#stoodAt.set(one, now);
        continue;
      }
      const alone = now - (this.#stoodAt.get(one) ?? 0);
      if (alone <= one.bounds.registeredMs || !this.#owed(now, one)) continue;
      const what = `not registered though a server has been there for ${Math.round(one.bounds.registeredMs)} ms`;
      this.#complain({ invariant: "I1", at: now, node: one.node, what });
    }
  }

  /** A binding whose server was there all its life has run out. */
  #lookForLapse(now: Instant, one: Watched): void {
    const { node, account } = one;
    for (const route of account.servers.routes) {
      const registration = account.registration(route.index);
      const place = registration?.place;
      if (registration === undefined || place === undefined || registration.bound(now)) continue;
      const key = `${node} ${route.index}`;
      const accepted = this.#accepted.get(key);
      if (this.#reach.calmSince > (accepted?.at ?? now)) continue;
      if (this.#failedWithConnection(key, accepted?.at ?? now)) continue;
      if (accepted !== undefined && this.#keptAway(now, one, route, accepted)) continue;
      const what = `the binding at ${targetName(place.target)} has run out, though its server was there`;
      this.#complain({ invariant: "I1", at: now, node, what });
    }
  }

  /** A flow that is gone is no way to the phone: the account registers anew at once, or after a pause (C11, C32). */
  #lookForLoss(now: Instant, { node, account }: Watched): void {
    for (const { index } of account.servers.routes) {
      const registration = account.registration(index);
      const peer = registration?.place?.flow.peer;
      if (registration?.state !== "registered" || peer === undefined) continue;
      const lostAt = this.#lostAt.get(flowOf(node, peer)) ?? now;
      // Ports are used again.
      if ((this.#accepted.get(`${node} ${index}`)?.at ?? now) > lostAt) continue;
      if (now - lostAt <= FLOW_PAUSE_MS + NAMES_MS + LOOK_MS) continue;
      const what = `lives on at server ${index} over a flow that it has lost`;
      this.#complain({ invariant: "I1", at: now, node, what });
    }
  }

  /** A connection that was begun in the storm may come to nothing after it, and with it whoever waits for it. */
  #failedWithConnection(key: string, acceptedAt: Instant): boolean {
    const failedAt = this.#failedAt.get(key) ?? Number.NEGATIVE_INFINITY;
    return failedAt > acceptedAt && failedAt <= this.#reach.calmSince + CONNECT_TIMEOUT_MS;
  }

  /**
   * Every place of the server wanted to be left alone, from when the renewal was due at the latest, or in answer to it,
   * until the binding had run out, or so little before that no renewal was possible; when that time is over, the phone
   * has B to come back.
   */
  #keptAway(now: Instant, one: Watched, { places, policy }: ServerRoute, last: Accepted): boolean {
    const { at, seconds } = last;
    const due = at + renewalAfterMs(policy, seconds);
    return places.every(({ target }) => {
      const quiet = this.#hush.quiet(one.node, target);
      if (quiet === undefined || quiet.from > due + LOOK_MS) return false;
      return (
        quiet.until >= at + seconds * 1000 - LOOK_MS && now <= quiet.until + one.bounds.registeredMs
      );
    });
  }

  /** Where 503 is an answer, a place that gives it keeps the phone from the others of its server. */
  #owed(now: Instant, { node, account, bounds }: Watched): boolean {
    const reachable = now - bounds.registeredMs;
    const kept = ({ index }: ServerRoute): boolean => {
      const refusedAt = this.#refusedAt.get(`${node} ${index}`) ?? Number.NEGATIVE_INFINITY;
      return !account.policy.failoverOn503 && refusedAt >= reachable;
    };
    return account.servers.routes.some(
      (route) =>
        route.policy.register &&
        !kept(route) &&
        route.places.some(({ target }) => this.#reach.since(target.address) <= reachable),
    );
  }

  /** Every account has a binding that counts, at a server that knows it by now. */
  proven(now: Instant): boolean {
    return this.#watched.every((one) => this.#stands(now, one, Number.POSITIVE_INFINITY));
  }

  /**
   * A server that has come back a short time ago may have lost what it knew: the phone cannot know yet.
   * @param since servers that have been there since before then are asked what they know.
   */
  #stands(now: Instant, { account }: Watched, since: Instant): boolean {
    return account.servers.routes.some((route) => {
      const registration = account.registration(route.index);
      const place = registration?.place;
      if (registration === undefined || place === undefined || !registration.bound(now))
        return false;
      const { address } = place.target;
      if (!this.#reach.answers(address)) return false;
      if (this.#reach.since(address) > since) return true;
      return this.#bindings(address, account.config.user);
    });
  }

  /** For people who look at a failed run. */
  describe({ account }: Watched): string {
    return account.servers.routes
      .map((route) => {
        const registration = account.registration(route.index);
        const place = registration?.place;
        const where = place === undefined ? "nowhere" : targetName(place.target);
        return `server ${route.index} ${registration?.state ?? "none"} at ${where}`;
      })
      .join(", ");
  }
}
