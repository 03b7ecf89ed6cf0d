/** A shared store in virtual time: survives the death of the processes that use it; can be made unavailable. */
import type { StoreAnswer, StoreRead, StoreWrite } from "../../core/vocabulary.ts";

/** A store in memory, compared and set. */
export class SimulatedStore {
  /** What was asked to be written last: its text may be made only when it is read. Each write counts one version on. */
  readonly #entries = new Map<string, StoreWrite>();
  available = true;

  /** Keys that hold something. */
  get size(): number {
    return this.#entries.size;
  }

  ask(question: StoreRead | StoreWrite): StoreAnswer {
    if (!this.available) return { kind: "unavailable", why: "the store is away" };
    const written = this.#entries.get(question.key);
    const version = written === undefined ? 0 : written.ifVersion + 1;
    if (question.kind === "store.read") {
      return { kind: "stored", value: written?.value, version };
    }
    if (question.ifVersion !== version) return { kind: "conflict" };
    this.#entries.set(question.key, question);
    return { kind: "written", version: version + 1 };
  }
}
