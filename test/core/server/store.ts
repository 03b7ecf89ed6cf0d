/** A store for tests that answers in the same breath, and a way to run one inquiry against it. */
import type { Inquiry } from "../../../src/core/inquiry.ts";
import type {
  Answer,
  Question,
  StoreAnswer,
  StoreRead,
  StoreWrite,
} from "../../../src/core/vocabulary.ts";

export class TestStore {
  readonly #entries = new Map<string, { value: string | undefined; version: number }>();
  /** Every key read, and every key written, in order. */
  readonly reads: string[] = [];
  readonly writes: string[] = [];
  available = true;
  /** The key that cannot be had, while all others can. */
  broken: string | undefined;
  /** Somebody else writes what stands there once more, just before the next write. */
  contested = false;

  answer(question: StoreRead | StoreWrite): StoreAnswer {
    if (this.contested && question.kind === "store.write") {
      const entry = this.#entries.get(question.key);
      this.#entries.set(question.key, { value: entry?.value, version: (entry?.version ?? 0) + 1 });
      this.contested = false;
    }
    if (!this.available || question.key === this.broken)
      return { kind: "unavailable", why: "broken" };
    const entry = this.#entries.get(question.key);
    const version = entry?.version ?? 0;
    if (question.kind === "store.read") {
      this.reads.push(question.key);
      return { kind: "stored", value: entry?.value, version };
    }
    if (question.ifVersion !== version) return { kind: "conflict" };
    this.#entries.set(question.key, { value: question.value, version: version + 1 });
    this.writes.push(question.key);
    return { kind: "written", version: version + 1 };
  }

  /** Whatever stands there, somebody else has written this. */
  spoil(key: string, value: string): void {
    this.#entries.set(key, { value, version: (this.#entries.get(key)?.version ?? 0) + 1 });
  }

  /** As a database that keeps nothing on disk does when it is restarted. */
  empty(): void {
    this.#entries.clear();
  }

  value(key: string): string | undefined {
    return this.#entries.get(key)?.value;
  }
}

/** @param before called with each question before the store sees it. */
export function conclude<Result>(
  inquiry: Inquiry<Result>,
  store: TestStore,
  before: (question: Question) => void = () => undefined,
): Result {
  let step = inquiry.next();
  while (step.done !== true) {
    before(step.value);
    const question = step.value;
    const answer: Answer =
      question.kind === "dns" ? { kind: "silent", why: "no DNS" } : store.answer(question);
    step = inquiry.next(answer);
  }
  return step.value;
}
