/** Faults of ways in a network, as rules in its book: simulated or real, they are kept and healed alike. */
import { type NetworkFault, type RuleBook, ruleBetween } from "../../core/network-rules.ts";
import type { Entropy } from "../../core/primitives.ts";
import type { Ends } from "./scenario.ts";

/** The stream of a seed's chance by which faults hit packets. */
export const FAULTS_STREAM = 90;

export class WayBook {
  readonly #book: Pick<RuleBook, "fault" | "heal">;
  readonly #chance: Entropy;
  /** Each with the node that was named first. */
  readonly #first = new Map<string, string>();

  /** @param chance by which faults hit packets. */
  constructor(book: Pick<RuleBook, "fault" | "heal">, chance: Entropy) {
    this.#book = book;
    this.#chance = chance;
  }

  /** An earlier fault between the same ends is over. */
  set(ends: Ends, fault: NetworkFault, addressOf: (node: string) => string): void {
    const [node, other] = ends;
    const far = other === undefined ? [] : [addressOf(other)];
    const key = keyOf(ends);
    this.#book.fault(key, ruleBetween(fault, [addressOf(node)], far, this.#chance));
    this.#first.set(key, node);
  }

  heal(ends: Ends): void {
    this.#forget(keyOf(ends));
  }

  /** Every way on which that node was named first. */
  healOf(node: string): void {
    for (const [key, first] of this.#first) if (first === node) this.#forget(key);
  }

  #forget(key: string): void {
    this.#book.heal(key);
    this.#first.delete(key);
  }
}

function keyOf(ends: Ends): string {
  return [...ends].sort().join(" ");
}
