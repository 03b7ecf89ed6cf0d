/** Which addresses-of-record have a binding or a publication that ends when, in buckets of a second. */
import type { Instant } from "../machine.ts";
import { Timer, type TimerOwner, type Timers } from "../timers.ts";
import type { ServerClock } from "./clock.ts";

/** What has been asked for already. */
export interface Watched {
  /** The epoch second of the look that is due; 0: none is. */
  watched: number;
}

/** Told which records to look at because something in them may have ended. */
export type Lapsed = (now: Instant, keys: readonly string[]) => void;

export class Expiries implements TimerOwner {
  readonly #timers: Timers;
  readonly #clock: ServerClock;
  readonly #lapsed: Lapsed;
  readonly #timer: Timer = new Timer("expiry", this);
  readonly #buckets = new Map<number, string[]>();

  constructor(timers: Timers, clock: ServerClock, lapsed: Lapsed) {
    this.#timers = timers;
    this.#clock = clock;
    this.#lapsed = lapsed;
  }

  /**
   * Looks at `key` at that epoch second, or earlier if that was asked before, which `record` knows: a renewal costs
   * nothing. Looking once more than needed does no harm.
   */
  watch(now: Instant, key: string, second: number, record: Watched | undefined): void {
    if (record !== undefined) {
      if (record.watched > 0 && record.watched <= second) return;
      record.watched = second;
    }
    const bucket = this.#buckets.get(second);
    if (bucket === undefined) this.#buckets.set(second, [key]);
    else bucket.push(key);
    const due = now + Math.max(0, second - this.#clock.epochSeconds) * 1000;
    if (due < this.#timers.dueOf(this.#timer)) this.#timers.set(this.#timer, due);
  }

  stop(): void {
    this.#timers.silence(this.#timer);
  }

  rang(now: Instant): void {
    const present = this.#clock.epochSeconds;
    const keys: string[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const [second, bucket] of this.#buckets) {
      if (second > present) {
        next = Math.min(next, second);
        continue;
      }
      this.#buckets.delete(second);
      for (const key of bucket) keys.push(key);
    }
    if (next < Number.POSITIVE_INFINITY) {
      this.#timers.set(this.#timer, now + (next - present) * 1000);
    }
    if (keys.length > 0) this.#lapsed(now, keys);
  }
}
