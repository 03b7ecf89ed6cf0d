/**
 * Connections on which a message has begun and not ended. One that dribbles its bytes would hold them, and the
 * connection, for as long as its peer likes: it is ended after a while.
 */
import type { Instant } from "../machine.ts";
import { Timer, type TimerOwner, type Timers } from "../timers.ts";
import type { FlowRecord } from "./flow-record.ts";
import { HALF_MESSAGE_MS } from "./limits.ts";

export class HalfMessages implements TimerOwner {
  readonly #timers: Timers;
  readonly #overdue: (now: Instant, record: FlowRecord) => void;
  readonly #timer: Timer = new Timer("half", this);
  /** When they began, the oldest first. */
  readonly #begun = new Map<FlowRecord, Instant>();

  constructor(timers: Timers, overdue: (now: Instant, record: FlowRecord) => void) {
    this.#timers = timers;
    this.#overdue = overdue;
  }

  /** Bytes are left over of which no message was made. */
  begun(now: Instant, record: FlowRecord): void {
    if (this.#begun.has(record)) return;
    this.#begun.set(record, now);
    if (!this.#timer.pending) this.#timers.set(this.#timer, now + HALF_MESSAGE_MS);
  }

  /** The message is whole, or will never be. */
  ended(record: FlowRecord): void {
    if (this.#begun.delete(record) && this.#begun.size === 0) this.#timers.silence(this.#timer);
  }

  rang(now: Instant): void {
    for (const [record, since] of this.#begun) {
      if (now - since < HALF_MESSAGE_MS) {
        this.#timers.set(this.#timer, since + HALF_MESSAGE_MS);
        return;
      }
      this.#begun.delete(record);
      this.#overdue(now, record);
    }
  }
}
