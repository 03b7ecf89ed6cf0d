/** I4: no account sends more than S REGISTERs in any minute, retransmissions included. */
import type { Instant } from "../../../core/machine.ts";
import type { SimulatedMessage } from "../surroundings.ts";
import type { Complain, Invariant, Watched } from "./invariant.ts";

const MINUTE_MS = 60_000;

export class RegisterRate implements Invariant {
  readonly #limits = new Map<string, number>();
  readonly #sent = new Map<string, Instant[]>();
  readonly #complain: Complain;

  constructor(watched: readonly Watched[], complain: Complain) {
    for (const { node, bounds } of watched) this.#limits.set(node, bounds.registersPerMinute);
    this.#complain = complain;
  }

  died(_now: Instant, node: string): void {
    this.#sent.delete(node);
  }

  message({ at, node, direction }: SimulatedMessage, text: string): void {
    const limit = this.#limits.get(node);
    if (limit === undefined || direction !== "out" || !text.startsWith("REGISTER ")) return;
    const sent = this.#sent.get(node) ?? [];
    this.#sent.set(node, sent);
    sent.push(at);
    while ((sent[0] ?? at) <= at - MINUTE_MS) sent.shift();
    if (sent.length <= limit) return;
    const what = `${sent.length} REGISTERs in a minute, ${limit} allowed`;
    this.#complain({ invariant: "I4", at, node, what });
  }
}
