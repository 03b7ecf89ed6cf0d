/**
 * Lets a few processes start at a time. A start takes a processor for half a second; twenty at once would take the
 * machine away from the phones and servers of the plays under way, whose times are measured.
 */
import { availableParallelism } from "node:os";

export class StartGate {
  readonly #queue: { readonly urgent: boolean; readonly open: () => void }[] = [];
  readonly #most: number;
  #starting = 0;

  /** @param most starts at a time; unless said, one processor is left to those that run. */
  constructor(most: number = Math.max(1, availableParallelism() - 1)) {
    this.#most = most;
  }

  /** @param urgent before all that are not: a play under way waits for it. */
  async through<Result>(urgent: boolean, start: () => Promise<Result>): Promise<Result> {
    if (this.#starting >= this.#most) await this.#turn(urgent);
    else this.#starting += 1;
    try {
      return await start();
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#starting -= 1;
      else next.open();
    }
  }

  #turn(urgent: boolean): Promise<void> {
    return new Promise((open) => {
      const place = urgent ? this.#queue.findIndex((other) => !other.urgent) : -1;
      this.#queue.splice(place < 0 ? this.#queue.length : place, 0, { urgent, open });
    });
  }
}
