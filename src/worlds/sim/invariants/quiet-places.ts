/** Places that a phone was asked to leave alone, in answer to whatever: all its accounts know (RFC 3261 §21.5.4). */
import type { Instant } from "../../../core/machine.ts";
import type { SimulatedMessage } from "../surroundings.ts";
import { placeOf } from "./glance.ts";
import type { Watched } from "./invariant.ts";

export class QuietPlaces {
  readonly #watched: readonly Watched[];
  /** By node and place. */
  readonly #until = new Map<string, Instant>();

  constructor(watched: readonly Watched[]) {
    this.#watched = watched;
  }

  /** Reads an incoming message. */
  message(message: SimulatedMessage, text: string): void {
    if (!text.startsWith("SIP/2.0 503 ")) return;
    const seconds = Number(/^Retry-After: (\d+)/m.exec(text)?.[1] ?? 0);
    if (seconds === 0) return;
    const phone = this.#watched.find((one) => one.node === message.node)?.phone;
    for (const one of this.#watched) {
      if (one.phone !== phone) continue;
      this.#until.set(`${one.node} ${placeOf(message)}`, message.at + seconds * 1000);
    }
  }

  /** @returns undefined if it has never said so. */
  until(node: string, place: string): Instant | undefined {
    return this.#until.get(`${node} ${place}`);
  }

  died(node: string): void {
    for (const key of this.#until.keys()) if (key.startsWith(`${node} `)) this.#until.delete(key);
  }
}
