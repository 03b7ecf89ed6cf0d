/** A store that lives and dies with its process: for tests, the lab, and servers that may forget. */
import type { StoreAnswer, StoreWrite } from "../../../core/vocabulary.ts";
import {
  type Answered,
  type EpochClock,
  machineClock,
  type Store,
  type StoredEntry,
  type StoreQuestion,
} from "./store.ts";

/** Entries at a time; a new one above it is answered `unavailable`. */
const MOST_ENTRIES = 2_000_000;

const SWEEP_MS = 60_000;

/** What was asked to be written is kept as it was asked: its text may be made only when it is read. */
interface Entry {
  written: StoreWrite;
  version: number;
}

const NOTHING: StoreAnswer = { kind: "stored", value: undefined, version: 0 };
const CONFLICT: StoreAnswer = { kind: "conflict" };
const REMOVED: StoreAnswer = { kind: "written", version: 0 };

export class MemoryStore implements Store {
  readonly epochSeconds: EpochClock;
  readonly #entries = new Map<string, Entry>();
  readonly #sweeping: NodeJS.Timeout;
  /** One count for all keys: a version is never given twice. */
  #lastVersion = 0;
  #closed = false;

  constructor(epochSeconds: EpochClock = machineClock) {
    this.epochSeconds = epochSeconds;
    this.#sweeping = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#sweeping.unref();
  }

  ask(question: StoreQuestion, answered: Answered): void {
    answered(this.atOnce(question));
  }

  atOnce(question: StoreQuestion): StoreAnswer {
    if (this.#closed) return { kind: "unavailable", why: "the store is closed" };
    if (question.kind === "store.write") return this.#write(question);
    const entry = this.#live(question.key);
    return entry === undefined
      ? NOTHING
      : { kind: "stored", value: entry.written.value, version: entry.version };
  }

  async *scan(prefix: string): AsyncIterable<StoredEntry> {
    for (const [key, { written, version }] of this.#entries) {
      if (!key.startsWith(prefix) || written.expiresAt <= this.epochSeconds()) continue;
      const { value } = written;
      if (value !== undefined) yield { key, value, version };
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#sweeping);
    this.#entries.clear();
  }

  #live(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.written.expiresAt <= this.epochSeconds()) return undefined;
    return entry;
  }

  #write(question: StoreWrite): StoreAnswer {
    const { key } = question;
    const entry = this.#live(key);
    if ((entry?.version ?? 0) !== question.ifVersion) return CONFLICT;
    if (question.late !== true && question.value === undefined) {
      this.#entries.delete(key);
      return REMOVED;
    }
    const version = ++this.#lastVersion;
    if (entry !== undefined) {
      entry.written = question;
      entry.version = version;
    } else if (this.#entries.size < MOST_ENTRIES) {
      this.#entries.set(key, { written: question, version });
    } else return { kind: "unavailable", why: `more than ${MOST_ENTRIES} entries` };
    return { kind: "written", version };
  }

  #sweep(): void {
    const present = this.epochSeconds();
    for (const [key, { written }] of this.#entries) {
      if (written.expiresAt <= present) this.#entries.delete(key);
    }
  }
}
