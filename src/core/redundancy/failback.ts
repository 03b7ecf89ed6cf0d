/**
 * The way back inside one server's places: from the secondary to the primary (vendors' failback modes), or
 * from a later outbound proxy to the first.
 *
 *   home ──left the primary──▶ away ──time is up──▶ due ──idle, good probes──▶ returning
 *     ▲                          ▲                                               │
 *     └───── primary answered ───┼────────────── primary did not ────────────────┘
 */
import { type Instant, NEVER } from "../machine.ts";
import type { Entropy } from "../primitives.ts";
import { Timer, type TimerOwner, type Timers } from "../timers.ts";
import { spreadMs } from "./backoff.ts";
import type { FailbackMode, RedundancyPolicy } from "./policy.ts";
import type { Place, ServerRoute } from "./server-set.ts";

export interface FailbackHost {
  readonly policy: RedundancyPolicy;
  readonly timers: Timers;
  readonly entropy: Entropy;
  /** No call up or ringing. */
  readonly idle: boolean;
  /** Sends OPTIONS to a place; `good` if anything at all answered. */
  probe(now: Instant, place: Place, probed: (now: Instant, good: boolean) => void): void;
  /**
   * Goes back to the first place of a route; `returned(false)` if it does not serve. Where nothing needs to be sent
   * for that, `returned` is not called: the next request shows it, by `cameHome` or `left`.
   */
  goBack(now: Instant, route: ServerRoute, returned: (now: Instant, home: boolean) => void): void;
}

/** How the return from one place of a route to its first is decided. */
export function failbackModeOf(route: ServerRoute): FailbackMode | "probe" {
  const home = route.places[0];
  const away = route.places[route.inUse];
  if (home === undefined || away === undefined) return route.policy.failbackMode;
  return home.hop === away.hop ? home.hop.failbackMode : "probe";
}

/**
 * Mode DNSTTL, when nobody renews the records or there are none: after so long the primary gets another chance,
 * milliseconds.
 */
const STALE_MS = 30_000;

/**
 * However short the times that are given: a primary that refuses at once is not tried without a pause,
 * milliseconds.
 */
const SHORTEST_AWAY_MS = 10_000;

type FailbackState = "home" | "away" | "due" | "returning";

export class Failback implements TimerOwner {
  readonly #host: FailbackHost;
  readonly #route: ServerRoute;
  readonly #timer: Timer;
  state: FailbackState = "home";
  #dueAt: Instant = NEVER;
  #goodProbes = 0;
  #firstGoodAt: Instant = NEVER;

  constructor(host: FailbackHost, route: ServerRoute) {
    this.#host = host;
    this.#route = route;
    this.#timer = new Timer("failback", this);
  }

  /** The route's requests are answered by a place that is not its first. */
  left(now: Instant): void {
    if (this.state === "away" || this.state === "due") return;
    this.state = "away";
    this.#goodProbes = 0;
    this.#dueAt = now + this.#waitMs(now);
    if (this.#dueAt !== NEVER) this.#host.timers.set(this.#timer, this.#dueAt);
  }

  cameHome(): void {
    this.state = "home";
    this.#host.timers.silence(this.#timer);
  }

  /** The last call has ended. */
  becameIdle(now: Instant): void {
    if (this.state === "due") this.#return(now);
  }

  stop(): void {
    this.cameHome();
  }

  rang(now: Instant): void {
    if (this.state === "due") {
      this.#return(now);
      return;
    }
    if (this.state !== "away") return;
    const bound = this.#host.policy.idleWaitMaxMs;
    const mode = failbackModeOf(this.#route);
    if (mode === "registration") {
      // Renewals of an idle phone begin at the primary anyway; this one never was idle.
      if (this.#host.idle) this.#host.timers.set(this.#timer, now + bound);
      else this.#return(now);
      return;
    }
    if (this.#host.idle || mode === "probe") {
      this.#return(now);
      return;
    }
    this.state = "due";
    if (bound > 0) this.#host.timers.set(this.#timer, this.#dueAt + bound);
  }

  /** Until the primary's next chance; NEVER: not by time. Renewals have a jitter of their own. */
  #waitMs(now: Instant): number {
    const wait = this.#plainWaitMs(now);
    if (failbackModeOf(this.#route) === "registration") return wait;
    return spreadMs(this.#host.policy, wait, this.#host.entropy);
  }

  #plainWaitMs(now: Instant): number {
    const place = this.#route.places[this.#route.inUse];
    if (place === undefined) return NEVER;
    switch (failbackModeOf(this.#route)) {
      case "newRequests":
        return NEVER;
      case "registration": {
        const bound = this.#host.policy.idleWaitMaxMs;
        return bound > 0 ? bound : NEVER;
      }
      case "DNSTTL":
        // A literal address has no TTL: the places are one address over several transports.
        return place.expiresAt > now && place.expiresAt !== NEVER
          ? Math.max(place.expiresAt - now, SHORTEST_AWAY_MS)
          : STALE_MS;
      case "duration":
        return place.hop.failbackSeconds === 0 ? NEVER : place.hop.failbackSeconds * 1000;
      case "probe":
        return Math.max(SHORTEST_AWAY_MS, this.#host.policy.proxyProbeIntervalMs);
    }
  }

  #return(now: Instant): void {
    this.state = "returning";
    const policy = this.#host.policy;
    const home = this.#route.places[0];
    if (home === undefined || (policy.goodProbes <= 1 && policy.goodProbesMs === 0)) {
      this.#goBack(now);
      return;
    }
    this.#host.probe(now, home, (at, good) => this.#probed(at, good));
  }

  /** Hysteresis: so many good probes in a row, over so long, before the return is tried. */
  #probed(now: Instant, good: boolean): void {
    if (this.state !== "returning") return;
    const policy = this.#host.policy;
    if (!good) {
      this.#again(now);
      return;
    }
    if (this.#goodProbes === 0) this.#firstGoodAt = now;
    this.#goodProbes += 1;
    const since = now - this.#firstGoodAt;
    if (this.#goodProbes >= policy.goodProbes && since >= policy.goodProbesMs) {
      this.#goBack(now);
      return;
    }
    this.state = "away";
    const step = policy.goodProbesMs / Math.max(1, policy.goodProbes - 1);
    this.#host.timers.set(this.#timer, now + Math.max(step, policy.t1Ms));
  }

  #goBack(now: Instant): void {
    this.#host.goBack(now, this.#route, (at, home) => {
      if (this.state !== "returning") return;
      if (home) this.cameHome();
      else this.#again(at);
    });
  }

  #again(now: Instant): void {
    this.state = "home";
    this.left(now);
  }
}
