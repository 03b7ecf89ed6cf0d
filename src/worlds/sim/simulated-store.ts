/** A shared store in virtual time: survives the death of the processes that use it; can be made unavailable. */
import type { StoreAnswer, StoreRead, StoreWrite } from "../../core/vocabulary.ts";

interface Entry {
  readonly value: string | undefined;
  readonly version: number;
}

/** A store in memory, compared and set. */
export class SimulatedStore {
  readonly #entries = new Map<string, Entry>();
  available = true;

  /** Keys that hold something. */
  get size(): number {
    return this.#entries.size;
  }

  ask(question: StoreRead | StoreWrite): StoreAnswer {
    if (!this.available) return { kind: "unavailable", why: "the store is away" };
    const entry = this.#entries.get(question.key);
    const version = entry?.version ?? 0;
    if (question.kind === "store.read") {
      return entry?.value === undefined
        ? { kind: "stored", value: undefined, version }
        : { kind: "stored", value: entry.value, version };
    }
    if (question.ifVersion !== version) return { kind: "conflict" };
    this.#entries.set(question.key, { value: question.value, version: version + 1 });
    return { kind: "written", version: version + 1 };
  }
}
