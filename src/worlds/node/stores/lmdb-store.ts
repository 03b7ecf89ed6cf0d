/**
 * The embedded store: an LMDB folder that several processes of one machine share. A write is answered after its commit
 * has been synced to the disk, so that neither `kill -9` nor a power failure takes back what was answered. Writes of one
 * turn and those that wait for a running sync share the next (group commit): a lone write costs one sync of latency.
 */
import { resolve } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { getLastVersion, open, type RootDatabase } from "lmdb";
import type { StoreAnswer, StoreWrite, TraceEvent } from "../../../core/vocabulary.ts";
import { makeFolder } from "../folder.ts";
import {
  type Answered,
  expired,
  type Store,
  type StoredEntry,
  type StoreQuestion,
} from "./store.ts";

/** Each value begins with when it may be forgotten: a double, little end first. */
const EXPIRY_BYTES = 8;

/** Entries looked at in one go by a scan or sweep, so that neither holds up the packets. */
const CHUNK = 256;

const SWEEP_MS = 300_000;

/** Greater than every latin1 character: where the keys with a prefix end. */
const BEYOND = "\u0100";

interface Held {
  readonly key: string;
  readonly value: Buffer;
  readonly version: number;
}

export class LmdbStore implements Store {
  readonly #database: RootDatabase<Buffer, string>;
  readonly #sweeping: NodeJS.Timeout;
  readonly #report: (event: TraceEvent) => void;
  #closed = false;

  /**
   * `report` hears of what fails and is nobody's question.
   * @throws Error if `folder` cannot be made, opened or written.
   */
  constructor(folder: string, report: (event: TraceEvent) => void = () => undefined) {
    this.#report = report;
    makeFolder(resolve(folder));
    this.#database = open<Buffer, string>({
      path: folder,
      noSubdir: false,
      encoding: "binary",
      useVersions: true,
      // Synced first and visible then: what a reader sees is never taken back by a power failure.
      overlappingSync: false,
    });
    this.#sweeping = setInterval(() => void this.#sweep(), SWEEP_MS);
    this.#sweeping.unref();
  }

  ask(question: StoreQuestion, answered: Answered): void {
    if (this.#closed) answered({ kind: "unavailable", why: "the store is closed" });
    else if (question.kind === "store.read") answered(this.#read(question.key));
    else {
      void this.#write(question).then(answered);
    }
  }

  async *scan(prefix: string): AsyncIterable<StoredEntry> {
    for await (const { key, value, version } of this.#entries(prefix)) {
      if (expired(value.readDoubleLE(0))) continue;
      yield { key, value: value.toString("latin1", EXPIRY_BYTES), version };
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#sweeping);
    await this.#database.close();
  }

  #read(key: string): StoreAnswer {
    try {
      const value = this.#database.getBinaryFast(key);
      if (value === undefined || expired(value.readDoubleLE(0))) {
        return { kind: "stored", value: undefined, version: 0 };
      }
      const version = getLastVersion();
      const text = value.toString("latin1", EXPIRY_BYTES, value.length);
      return { kind: "stored", value: text, version };
    } catch (error) {
      return { kind: "unavailable", why: String(error) };
    }
  }

  async #write({ key, value, ifVersion, expiresAt }: StoreWrite): Promise<StoreAnswer> {
    try {
      if (value === undefined) return await this.#remove(key, ifVersion);
      const before = ifVersion === 0 ? this.#expiredVersion(key) : ifVersion;
      // A new entry counts on from the clock, so that it cannot repeat a version from before a removal.
      const version = ifVersion === 0 ? Math.max(clockUs(), (before ?? 0) + 1) : ifVersion + 1;
      const bytes = Buffer.allocUnsafe(EXPIRY_BYTES + value.length);
      bytes.writeDoubleLE(expiresAt, 0);
      bytes.write(value, EXPIRY_BYTES, "latin1");
      // lmdb takes null for "only if there is nothing", which its types leave out.
      const kept = await this.#database.put(key, bytes, version, before as number);
      return kept ? { kind: "written", version } : { kind: "conflict" };
    } catch (error) {
      return { kind: "unavailable", why: await reasonOf(error) };
    }
  }

  async #remove(key: string, ifVersion: number): Promise<StoreAnswer> {
    const version = ifVersion === 0 ? this.#expiredVersion(key) : ifVersion;
    if (version === null) {
      return this.#database.doesExist(key) ? { kind: "conflict" } : { kind: "written", version: 0 };
    }
    const removed = await this.#database.remove(key, version);
    return removed ? { kind: "written", version: 0 } : { kind: "conflict" };
  }

  /** The version of an entry that counts as nothing because its time is over; null if there is none. */
  #expiredVersion(key: string): number | null {
    const value = this.#database.getBinaryFast(key);
    return value !== undefined && expired(value.readDoubleLE(0)) ? getLastVersion() : null;
  }

  async *#entries(prefix: string): AsyncIterable<Held> {
    const end = prefix + BEYOND;
    let last: string | undefined;
    while (!this.#closed) {
      const range = last === undefined ? { start: prefix } : { start: last, exclusiveStart: true };
      const chunk = [...this.#database.getRange({ ...range, end, limit: CHUNK, versions: true })];
      for (const { key, value, version = 0 } of chunk) yield { key, value, version };
      last = chunk.at(-1)?.key;
      if (chunk.length < CHUNK) return;
      await nextTurn();
    }
  }

  /** What a failed sweep leaves counts as nothing all the same, and the next one finds it again. */
  async #sweep(): Promise<void> {
    try {
      for await (const { key, value, version } of this.#entries("")) {
        if (expired(value.readDoubleLE(0))) await this.#database.remove(key, version);
      }
    } catch (error) {
      this.#report({ event: "store.failed", why: await reasonOf(error) });
    }
  }
}

/** Microseconds since the epoch. */
function clockUs(): number {
  return Math.floor((performance.timeOrigin + performance.now()) * 1000);
}

/** A failed commit says why in a second promise. */
async function reasonOf(error: unknown): Promise<string> {
  const cause: unknown =
    error instanceof Error && "commitError" in error
      ? await Promise.resolve(error.commitError).catch((reason: unknown) => reason)
      : error;
  return String(cause);
}
