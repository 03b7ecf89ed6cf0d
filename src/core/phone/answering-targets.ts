/** Targets that have answered OPTIONS once: from then on their silence means something. One list for a machine. */
import type { Target } from "../machine.ts";
import { targetName } from "../redundancy/server-health.ts";
import { MAX_ANSWERING_TARGETS } from "./limits.ts";

export class AnsweringTargets {
  readonly #names = new Set<string>();

  has(target: Target): boolean {
    return this.#names.has(targetName(target));
  }

  add(target: Target): void {
    if (this.#names.size < MAX_ANSWERING_TARGETS) this.#names.add(targetName(target));
  }
}
