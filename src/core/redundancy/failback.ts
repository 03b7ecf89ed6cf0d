/**
 * The way back inside one server's places: from the secondary to the primary (vendors' failback modes), or
 * from a later outbound proxy to an earlier one, of whose addresses each is tried in turn.
 *
 *   home ──left the primary──▶ away ──time is nearly up──▶ proving ──good probes, idle──▶ returning
 *     ▲                          ▲ ▲                        │     ▲                         │
 *     │                          │ └─────── bad probe ──────┘     └─idle─ due ◀─ not idle   │
 *     └───── primary answered ───┴────────────── primary did not ───────────────────────────┘
 */
import { type Instant, NEVER } from "../machine.ts";
import type { Entropy } from "../primitives.ts";
import { Timer, type TimerOwner, type Timers } from "../timers.ts";
import { SHORTEST_BACKOFF_MS, spreadMs } from "./backoff.ts";
import type { FailbackMode, RedundancyPolicy } from "./policy.ts";
import { Proof, proofMs } from "./proof.ts";
import type { Place, ServerRoute } from "./server-set.ts";

/** Told whether the better place serves. */
export type Returned = (now: Instant, home: boolean) => void;

export interface FailbackHost {
  readonly policy: RedundancyPolicy;
  readonly timers: Timers;
  readonly entropy: Entropy;
  /** No call up or ringing. */
  readonly idle: boolean;
  /** Sends OPTIONS to a place; `good` if anything at all answered. */
  probe(now: Instant, place: Place, probed: (now: Instant, good: boolean) => void): void;
  /**
   * Goes back to a better place of a route; `returned(false)` if it does not serve. Where nothing needs to be sent
   * for that, `returned` is not called: the next request shows it, by `cameHome` or `left`.
   */
  goBack(now: Instant, route: ServerRoute, better: Place, returned: Returned): void;
  /** The time to go back has come, and a call is in the way. */
  failbackDeferred(route: ServerRoute): void;
}

/** How the return from one place of a route to its first is decided. */
export function failbackModeOf(route: ServerRoute): FailbackMode | "probe" {
  const home = route.places[0];
  const away = route.places[route.inUse];
  if (home === undefined || away === undefined) return route.policy.failbackMode;
  return home.hop === away.hop ? home.hop.failbackMode : "probe";
}

/** Mode DNSTTL where there are no records: after so long the primary gets another chance, milliseconds. */
const STALE_MS = 30_000;

/**
 * However little is left of a TTL, and where a policy gives no interval: a primary that refuses at once is not tried
 * without a pause, milliseconds.
 */
const SHORTEST_AWAY_MS = 10_000;

type FailbackState = "home" | "away" | "due" | "proving" | "returning";

export class Failback implements TimerOwner {
  readonly #host: FailbackHost;
  readonly route: ServerRoute;
  readonly #timer: Timer;
  /** Made when the time has come. */
  #proof: Proof | undefined;
  state: FailbackState = "home";
  /** Index into the route's places: where its requests are answered, and since when, or since when they go back. */
  #position = 0;
  #movedAt: Instant = 0;
  #dueAt: Instant = NEVER;
  /** How long before that its proof begins. */
  #proofMs = 0;
  /** When the last trial began, where that sets the time of the next. */
  #triedAt: Instant | undefined;
  /** Index into the route's places: which is tried. */
  #better = 0;
  /** It has waited for an idle phone long enough. */
  #forced = false;
  /** That it waits for one is told once. */
  #deferred = false;

  constructor(host: FailbackHost, route: ServerRoute) {
    this.#host = host;
    this.route = route;
    this.#timer = new Timer("failback", this);
  }

  /** The route's requests are answered by a place that is not its first. */
  left(now: Instant): void {
    if (this.#position !== this.route.inUse) {
      this.#movedAt = now;
      this.#triedAt = undefined;
    }
    this.#position = this.route.inUse;
    if (this.state !== "home" && this.state !== "returning") return;
    this.state = "away";
    this.#forced = false;
    const wait = this.#waitMs(now);
    this.#proofMs = this.#mode === "registration" ? 0 : proofMs(this.#host.policy);
    this.#dueAt = (this.#triedAt ?? now) + wait;
    this.#triedAt = undefined;
    if (this.#dueAt === NEVER) return;
    const begin = this.#dueAt - this.#proofMs;
    this.#host.timers.set(this.#timer, Math.max(begin, now + SHORTEST_BACKOFF_MS));
  }

  /** Sent so early that its answer is no return, where that waits for the end of the calls. */
  isOld(since: Instant): boolean {
    return !this.#mayReturn && this.#mode !== "newRequests" && since < this.#movedAt;
  }

  /** Sent before the return: where it is answered says nothing of that. */
  isBehind(since: Instant): boolean {
    return this.state === "returning" && since < this.#movedAt;
  }

  /** Renewal signalling begins: the time of mode `registration`. */
  renewing(): void {
    if (this.state === "away" && this.#mode === "registration" && !this.#mayReturn) this.#defer();
  }

  cameHome(): void {
    this.state = "home";
    this.#deferred = false;
    this.#proof?.stop();
    this.#host.timers.silence(this.#timer);
  }

  /** The last call has ended. */
  becameIdle(now: Instant): void {
    this.#deferred = false;
    if (this.state === "due") this.#return(now);
  }

  stop(): void {
    this.cameHome();
  }

  rang(now: Instant): void {
    // Renewals of an idle phone begin at the primary anyway; this one never was idle.
    this.#forced = this.state === "due" || this.#mode === "registration";
    if (this.state === "due") this.#return(now);
    else if (this.state === "away" && this.#mode === "registration" && this.#host.idle) {
      this.#host.timers.set(this.#timer, now + this.#host.policy.idleWaitMaxMs);
    } else if (this.state === "away") {
      if (this.#mayReturn) this.#return(now);
      else this.#waitForIdle();
    }
  }

  get #mayReturn(): boolean {
    return this.#host.idle || this.#mode === "probe" || this.#forced;
  }

  get #mode(): FailbackMode | "probe" {
    return failbackModeOf(this.route);
  }

  #waitForIdle(): void {
    const bound = this.#host.policy.idleWaitMaxMs;
    this.state = "due";
    this.#defer();
    if (bound > 0) this.#host.timers.set(this.#timer, this.#dueAt + bound);
  }

  #defer(): void {
    if (!this.#deferred) this.#host.failbackDeferred(this.route);
    this.#deferred = true;
  }

  /** Until the primary's next chance; NEVER: not by time. Renewals have a jitter of their own. */
  #waitMs(now: Instant): number {
    const wait = this.#plainWaitMs(now);
    if (this.#mode === "registration") return wait;
    return spreadMs(this.#host.policy, wait, this.#host.entropy);
  }

  #plainWaitMs(now: Instant): number {
    const place = this.route.places[this.route.inUse];
    if (place === undefined) return NEVER;
    switch (this.#mode) {
      case "newRequests":
        return NEVER;
      case "registration": {
        const bound = this.#host.policy.idleWaitMaxMs;
        return bound > 0 ? bound : NEVER;
      }
      case "DNSTTL":
        // A literal address has no TTL: the places are one address over several transports.
        return place.expiresAt === NEVER
          ? STALE_MS
          : Math.max(place.expiresAt - now, SHORTEST_AWAY_MS);
      case "duration":
        return place.hop.failbackSeconds === 0 ? NEVER : place.hop.failbackSeconds * 1000;
      case "probe":
        return this.#host.policy.proxyProbeIntervalMs || SHORTEST_AWAY_MS;
    }
  }

  #return(now: Instant): void {
    // A server that came back during a trial waits for the next one from when this began; so do probes by REGISTER.
    this.#triedAt = this.#proofMs > 0 || this.#mode === "probe" ? now : undefined;
    this.#better = 0;
    this.#prove(now);
  }

  #prove(now: Instant): void {
    this.state = "proving";
    this.#proof ??= new Proof(
      this.#host,
      (at, told) => this.#probe(at, told),
      (at, good) => this.#proven(at, good),
    );
    this.#proof.begin(now, this.#proofMs);
  }

  #probe(now: Instant, probed: (now: Instant, good: boolean) => void): void {
    const better = this.route.places[this.#better];
    if (better === undefined) probed(now, false);
    else this.#host.probe(now, better, probed);
  }

  #proven(now: Instant, good: boolean): void {
    if (this.state !== "proving") return;
    if (!good) this.#tryNext(now);
    else if (this.#mayReturn) this.#goBack(now);
    else this.#waitForIdle();
  }

  #goBack(now: Instant): void {
    this.state = "returning";
    this.#movedAt = now;
    const better = this.route.places[this.#better];
    if (better === undefined) {
      this.#again(now);
      return;
    }
    this.#host.goBack(now, this.route, better, (at, home) => {
      if (this.state !== "returning") return;
      if (home) this.cameHome();
      else this.#tryNext(at);
    });
  }

  /** A better proxy has other addresses, or stands behind another better one. */
  #tryNext(now: Instant): void {
    const { places, inUse } = this.route;
    const next = places[this.#better + 1];
    if (next === undefined || this.#better + 1 >= inUse || next.hop === places[inUse]?.hop) {
      this.#again(now);
      return;
    }
    this.#better += 1;
    this.#prove(now);
  }

  #again(now: Instant): void {
    this.state = "home";
    this.left(now);
  }
}
