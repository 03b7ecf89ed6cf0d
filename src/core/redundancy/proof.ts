/**
 * The hold-down before a return: so many good probes in a row over so long (`goodProbes`, `goodProbesMs`). It is begun so
 * early that it ends when the return is due, and a single bad probe ends it.
 */
import type { Instant } from "../machine.ts";
import { Timer, type TimerOwner, type Timers } from "../timers.ts";
import type { RedundancyPolicy } from "./policy.ts";

/** Whose return it is. */
export interface ProofHost {
  readonly policy: RedundancyPolicy;
  readonly timers: Timers;
}

type Told = (now: Instant, good: boolean) => void;

/** From the first probe to the last: so much earlier than the return the proof begins. */
export function proofMs(policy: RedundancyPolicy): number {
  if (policy.goodProbes <= 1 && policy.goodProbesMs === 0) return 0;
  return Math.max(policy.goodProbesMs, (probesOf(policy) - 1) * policy.t1Ms);
}

/** Both ends of a span are probed. */
function probesOf({ goodProbes, goodProbesMs }: RedundancyPolicy): number {
  return goodProbesMs > 0 ? Math.max(2, goodProbes) : goodProbes;
}

export class Proof implements TimerOwner {
  readonly #host: ProofHost;
  /** Sends one probe. */
  readonly #ask: (now: Instant, told: Told) => void;
  readonly #proven: Told;
  readonly #timer: Timer;
  #left = 0;
  #next: Instant = 0;
  #step = 0;

  /** @param proven called once for each `begin`, unless it is stopped. */
  constructor(host: ProofHost, ask: (now: Instant, told: Told) => void, proven: Told) {
    this.#host = host;
    this.#ask = ask;
    this.#proven = proven;
    this.#timer = new Timer("proof", this);
  }

  /** @param spanMs from the first probe to the last; 0: nothing is asked. */
  begin(now: Instant, spanMs: number): void {
    if (spanMs === 0) {
      this.#proven(now, true);
      return;
    }
    this.#left = probesOf(this.#host.policy);
    this.#step = spanMs / Math.max(1, this.#left - 1);
    this.#next = now;
    this.rang(now);
  }

  stop(): void {
    this.#left = 0;
    this.#host.timers.silence(this.#timer);
  }

  rang(now: Instant): void {
    const left = this.#left;
    this.#next += this.#step;
    this.#ask(now, (at, good) => {
      if (this.#left === left && left > 0) this.#told(at, good);
    });
  }

  #told(now: Instant, good: boolean): void {
    this.#left -= 1;
    if (good && this.#left > 0) {
      this.#host.timers.set(this.#timer, Math.max(now, this.#next));
      return;
    }
    this.#left = 0;
    this.#proven(now, good);
  }
}
