/** The time of the fact being dealt with, for all parts of one server. */
import type { Clock } from "../inquiry.ts";
import type { Instant } from "../machine.ts";

/** Far enough that a store never forgets (epoch seconds). */
export const FOR_EVER = 253_402_300_799;

export class ServerClock implements Clock {
  now: Instant = 0;
  readonly #epochOffset: number;

  /** @param epochOffset what to add to an Instant to get milliseconds since the epoch. */
  constructor(epochOffset: number) {
    this.#epochOffset = epochOffset;
  }

  get epochSeconds(): number {
    return (this.now + this.#epochOffset) / 1000;
  }
}
