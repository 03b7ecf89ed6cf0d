/**
 * Targets that have failed are asked in the background whether they are back (redundancy.md §8): at once when one is
 * first suspected, each `healthProbeMs` while it stays silent, and a second after the last time when a request has passed it over.
 * What is learnt is everybody's: it goes into the health that all accounts share.
 */
import type { Instant, Target } from "../machine.ts";
import type { Entropy } from "../primitives.ts";
import { spreadMs } from "../redundancy/backoff.ts";
import { fullPatienceMs } from "../redundancy/patience.ts";
import type { RedundancyPolicy } from "../redundancy/policy.ts";
import { type ServerHealth, sameTarget } from "../redundancy/server-health.ts";
import type { Place } from "../redundancy/server-set.ts";
import { Timer, type TimerOwner, type Timers } from "../timers.ts";
import type { Verdict } from "./options-probe.ts";

/** Who can ask: an account with the target among its places. */
export interface HealthProber {
  readonly policy: RedundancyPolicy;
  readonly entropy: Entropy;
  /** Where it would send to reach that target. */
  placeOf(target: Target): Place | undefined;
  ask(now: Instant, place: Place, told: (now: Instant, verdict: Verdict) => void): void;
}

export interface HealthProbers {
  readonly timers: Timers;
  readonly health: ServerHealth;
  readonly probers: readonly HealthProber[];
}

/** A request that passes a dead target over has it asked, but no sooner than this after the last time, milliseconds. */
const SHORTEST_PAUSE_MS = 1000;

interface Watch {
  readonly target: Target;
  readonly prober: HealthProber;
  readonly timer: Timer;
  asking: boolean;
  askedAt: Instant;
}

const NONE: readonly Watch[] = [];

export class BackgroundProbes implements TimerOwner {
  readonly #host: HealthProbers;
  /** No more than the accounts have places. */
  #watches: readonly Watch[] = NONE;

  constructor(host: HealthProbers) {
    this.#host = host;
  }

  /** Until the answer is there, or fails to come, the target is left out. */
  suspected(now: Instant, target: Target): void {
    const prober = this.#host.probers.find(
      (one) => one.policy.healthProbeMs > 0 && one.placeOf(target) !== undefined,
    );
    if (prober === undefined || this.#watchOf(target) !== undefined) return;
    const timer = new Timer("health-probe", this);
    const askedAt = Number.NEGATIVE_INFINITY;
    this.#watches = this.#watches.concat({ target, prober, timer, asking: false, askedAt });
    this.#host.health.asked(target, now + fullPatienceMs(prober.policy));
    this.#host.timers.set(timer, now);
  }

  restored(target: Target): void {
    const watch = this.#watchOf(target);
    if (watch === undefined) return;
    this.#host.timers.silence(watch.timer);
    this.#watches = this.#watches.filter((other) => other !== watch);
  }

  /** Nothing is asked any more. */
  get idle(): boolean {
    return this.#watches.length === 0;
  }

  /** A request would have gone there. */
  passedOver(now: Instant, target: Target): void {
    const watch = this.#watchOf(target);
    if (watch === undefined || watch.asking) return;
    this.#host.timers.set(watch.timer, Math.max(now, watch.askedAt + SHORTEST_PAUSE_MS));
  }

  stop(): void {
    for (const { timer } of this.#watches) this.#host.timers.silence(timer);
    this.#watches = NONE;
  }

  rang(now: Instant, timer: Timer): void {
    const watch = this.#watches.find((one) => one.timer === timer);
    if (watch === undefined) return;
    const place = watch.prober.placeOf(watch.target);
    if (place === undefined) {
      this.restored(watch.target);
      return;
    }
    watch.asking = true;
    watch.prober.ask(now, place, (at, verdict) => {
      watch.asking = false;
      watch.askedAt = at;
      // An answer has restored it, and another request's answer may have.
      if (this.#watches.includes(watch)) this.#again(at, watch, verdict);
    });
  }

  #watchOf(target: Target): Watch | undefined {
    return this.#watches.find((watch) => sameTarget(watch.target, target));
  }

  /** Dead until the next answer is due; where OPTIONS may never be answered, the next request finds out. */
  #again(now: Instant, { target, prober, timer }: Watch, verdict: Verdict): void {
    const { policy } = prober;
    const next = now + spreadMs(policy, policy.healthProbeMs, prober.entropy);
    const { health } = this.#host;
    if (verdict === "dead") health.asked(target, next + fullPatienceMs(policy));
    else health.unlearnt(now, target);
    this.#host.timers.set(timer, next);
  }
}
