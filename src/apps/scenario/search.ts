/** Looks for something in records that go on coming, and at each record once. */
import { deliveries } from "../trace/deliveries.ts";
import { isMessage, Places, type TraceRecord } from "../trace/record.ts";
import { CLOCK_GIVE_MS, matchesDelivery, matchesEvent } from "./pattern.ts";
import type { Sought } from "./scenario.ts";

export class Search {
  readonly #sought: Sought;
  readonly #records: readonly TraceRecord[];
  readonly #earliest: number;
  readonly #places = new Places([]);
  #seen = 0;

  /** @param from what was before does not count; milliseconds. */
  constructor(sought: Sought, records: readonly TraceRecord[], from: number) {
    this.#sought = sought;
    this.#records = records;
    this.#earliest = from - CLOCK_GIVE_MS;
  }

  /** When the first match happened that has come to light since the last look. */
  look(): number | undefined {
    const first = this.#seen;
    this.#seen = this.#records.length;
    for (let index = first; index < this.#seen; index += 1) {
      this.#places.add(this.#records[index] as TraceRecord);
    }
    const fresh = this.#records.slice(first);
    const sought = this.#sought;
    if (sought.kind === "event") {
      return fresh.find(
        (one) => one.at >= this.#earliest && matchesEvent(sought, one, this.#places),
      )?.at;
    }
    if (!fresh.some(isMessage)) return undefined;
    return deliveries(this.#records, this.#places).find(
      (one) => one.at >= this.#earliest && matchesDelivery(sought, one),
    )?.at;
  }
}
