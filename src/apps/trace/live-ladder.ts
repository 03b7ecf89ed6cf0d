/** A ladder drawn while its trace grows: rows are held back a little, so that a receipt can join its sending. */
import { Ladder, type LadderOptions } from "./ladder.ts";
import { ladderRows } from "./ladder-rows.ts";
import { Places, type TraceRecord } from "./record.ts";
import { Registrations } from "./registrations.ts";

/** How long a row waits for what belongs to it, in milliseconds. */
const HOLD_MS = 250;
/** Records older than this cannot change a new row: a transaction is over (64·T1 and some). */
const WINDOW_MS = 40_000;

export class LiveLadder {
  readonly #ladder: Ladder;
  readonly #places: Places;
  readonly #registrations = new Registrations();
  #window: TraceRecord[] = [];
  #drawnUntil = Number.NEGATIVE_INFINITY;

  /** `named` are the `place.named` records of every node to come. */
  constructor(named: readonly TraceRecord[], options: LadderOptions) {
    this.#places = new Places(named);
    this.#ladder = new Ladder([...this.#places.names], this.#places, options);
  }

  heading(): string[] {
    return this.#ladder.heading();
  }

  add(record: TraceRecord): void {
    this.#places.add(record);
    if (!this.#registrations.renews(record)) this.#window.push(record);
  }

  /** The lines that have become certain by `now`. */
  drawUntil(now: number): string[] {
    const until = now - HOLD_MS;
    const lines = ladderRows(this.#window, this.#places)
      .filter((row) => row.at > this.#drawnUntil && row.at <= until)
      .flatMap((row) => this.#ladder.draw(row));
    this.#drawnUntil = Math.max(this.#drawnUntil, until);
    this.#window = this.#window.filter((record) => record.at > now - WINDOW_MS);
    return lines;
  }
}
