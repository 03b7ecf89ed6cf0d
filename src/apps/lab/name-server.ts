/**
 * The lab's name server in a thread of its own: this process stands still while it starts others, and a phone must not
 * take that for a resolver that is late.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { DnsFaults } from "./dns-server.ts";
import type { Answered, Asked, NumberedOrder, Order, Told } from "./name-server-thread.ts";
import { onWall } from "./wall-clock.ts";
import type { ZoneData } from "./zone.ts";

export class NameServer {
  readonly #thread = new Worker(new URL("./name-server-thread.js", import.meta.url));
  readonly #waiting = new Map<number, (answer: Answered) => void>();
  #orders = 0;

  /** @param asked told of each question; `at` on the wall clock. */
  constructor(asked: (question: Asked) => void) {
    this.#thread.on("message", (told: Told) => {
      if (told.kind === "asked") asked({ ...told, at: onWall(told.at) });
      else this.#waiting.get(told.id)?.(told);
    });
  }

  /**
   * Listens over UDP and TCP.
   * @throws Error when the address cannot be had.
   */
  async listen(address: string, port: number, zone: ZoneData): Promise<void> {
    await this.#order({ do: "listen", address, port, zone });
  }

  /** Resolves with the instant of the change, on the wall clock. */
  async setFaults(faults: Partial<DnsFaults>): Promise<number> {
    return this.#order({ do: "faults", faults });
  }

  /** As `setFaults`. */
  async heal(): Promise<number> {
    return this.#order({ do: "heal" });
  }

  /** As `setFaults`. */
  async setZone(zone: ZoneData): Promise<number> {
    return this.#order({ do: "zone", zone });
  }

  async close(): Promise<void> {
    const gone = once(this.#thread, "exit");
    this.#post({ id: 0, order: { do: "close" } });
    await gone;
  }

  #post(numbered: NumberedOrder): void {
    this.#thread.postMessage(numbered);
  }

  async #order(order: Order): Promise<number> {
    this.#orders += 1;
    const id = this.#orders;
    const answer = await new Promise<Answered>((answered) => {
      this.#waiting.set(id, answered);
      this.#post({ id, order });
    });
    this.#waiting.delete(id);
    if (answer.failed !== undefined) throw new Error(answer.failed);
    return onWall(answer.at);
  }
}
