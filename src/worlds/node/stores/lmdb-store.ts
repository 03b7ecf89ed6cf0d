/**
 * The embedded store: an LMDB folder that several processes of one machine share. A write is answered after its commit
 * has been synced to the disk, so that neither `kill -9` nor a power failure takes back what was answered. Writes that
 * arrive close together, or while a sync is running, share the next transaction (group commit): a lone write costs one
 * sync of latency, and a busy server a small part of one for each.
 */
import { resolve } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { getLastVersion, open, type RootDatabase } from "lmdb";
import type { StoreAnswer, StoreWrite, TraceEvent } from "../../../core/vocabulary.ts";
import { makeFolder } from "../folder.ts";
import {
  type Answered,
  type EpochClock,
  machineClock,
  type Store,
  type StoredEntry,
  type StoreQuestion,
} from "./store.ts";

/** Each value begins with when it may be forgotten: a double, little end first. */
const EXPIRY_BYTES = 8;

/** Entries looked at in one go by a scan or sweep, so that neither holds up the packets. */
const CHUNK = 256;

const SWEEP_MS = 300_000;

/** A write not answered in this time is answered `unavailable`; looked after four times as often. */
const QUESTION_MS = 2_000;

/** Rows enough not to wait for more. */
const LARGE_GROUP = 1_000;

/** Greater than every latin1 character: where the keys with a prefix end. */
const BEYOND = "\u0100";

interface Held {
  readonly key: string;
  readonly value: Buffer;
  readonly version: number;
}

interface WaitingWrite {
  readonly question: StoreWrite;
  readonly answered: Answered;
  readonly until: number;
  answer: StoreAnswer;
  /** It was answered: it must not be written any more. */
  over: boolean;
}

const CONFLICT: StoreAnswer = { kind: "conflict" };
const REMOVED: StoreAnswer = { kind: "written", version: 0 };
const LOST: StoreAnswer = { kind: "unavailable", why: "the transaction was not run" };
const LATE: StoreAnswer = { kind: "unavailable", why: `not written in ${QUESTION_MS} ms` };

export class LmdbStore implements Store {
  readonly epochSeconds: EpochClock;
  readonly #database: RootDatabase<Buffer, string>;
  readonly #sweeping: NodeJS.Timeout;
  readonly #patience: NodeJS.Timeout;
  readonly #report: (event: TraceEvent) => void;
  /** Writes that came since the last group was closed. */
  #waiting: WaitingWrite[] = [];
  /** How many of them there were a turn ago. */
  #gathered = 0;
  /** Writes of the transaction under way. */
  #group: WaitingWrite[] = [];
  /** A group is being gathered or written. */
  #busy = false;
  #scratch: Buffer = Buffer.allocUnsafeSlow(4096);
  #closed = false;
  /** Whoever closes the store waits for its last write. */
  #ended: (() => void) | undefined;

  /**
   * `report` hears of what fails and is nobody's question.
   * @throws Error if `folder` cannot be made, opened or written.
   */
  constructor(
    folder: string,
    report: (event: TraceEvent) => void = () => undefined,
    epochSeconds: EpochClock = machineClock,
  ) {
    this.#report = report;
    this.epochSeconds = epochSeconds;
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
    this.#patience = setInterval(() => this.#giveUp(), QUESTION_MS / 4);
    this.#patience.unref();
  }

  ask(question: StoreQuestion, answered: Answered): void {
    if (this.#closed) answered({ kind: "unavailable", why: "the store is closed" });
    else if (question.kind === "store.read") answered(this.#read(question.key));
    else {
      const until = performance.now() + QUESTION_MS;
      this.#waiting.push({ question, answered, until, answer: LOST, over: false });
      if (!this.#busy) setImmediate(this.#gather);
      this.#busy = true;
    }
  }

  async *scan(prefix: string): AsyncIterable<StoredEntry> {
    for await (const { key, value, version } of this.#entries(prefix)) {
      if (this.#isOver(value)) continue;
      yield { key, value: value.toString("latin1", EXPIRY_BYTES), version };
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#sweeping);
    if (this.#busy) {
      await new Promise<void>((idle) => {
        this.#ended = idle;
      });
    }
    clearInterval(this.#patience);
    await this.#database.close();
  }

  #read(key: string): StoreAnswer {
    try {
      const value = this.#database.getBinaryFast(key);
      if (value === undefined || this.#isOver(value)) {
        return { kind: "stored", value: undefined, version: 0 };
      }
      const version = getLastVersion();
      const text = value.toString("latin1", EXPIRY_BYTES, value.length);
      return { kind: "stored", value: text, version };
    } catch (error) {
      return { kind: "unavailable", why: String(error) };
    }
  }

  /** Once a turn has brought no more: a sync costs nearly the same for one row and for hundreds. */
  readonly #gather = (): void => {
    const waiting = this.#waiting.length;
    if (waiting > this.#gathered && waiting < LARGE_GROUP) {
      this.#gathered = waiting;
      setImmediate(this.#gather);
      return;
    }
    this.#gathered = 0;
    this.#group = this.#waiting;
    this.#waiting = [];
    this.#database.transaction(this.#writeGroup).then(this.#committed, this.#failed);
  };

  readonly #writeGroup = (): void => {
    for (const write of this.#group) {
      if (!write.over) write.answer = this.#apply(write.question);
    }
  };

  /** Another process holds the lock of the folder and does not go on: it is frozen in the midst of a write. */
  #giveUp(): void {
    const now = performance.now();
    const late = [...this.#group, ...this.#waiting].filter((one) => !one.over && one.until <= now);
    this.#waiting = this.#waiting.filter(({ until }) => until > now);
    for (const write of late) {
      write.over = true;
      write.answered(LATE);
    }
  }

  readonly #committed = (): void => {
    const group = this.#group;
    // The database holds on to its last transactions, and these would hold on to all that was answered.
    this.#group = [];
    if (this.#waiting.length > 0) setImmediate(this.#gather);
    else this.#busy = false;
    for (const { answered, answer, over } of group) if (!over) answered(answer);
    if (!this.#busy) this.#ended?.();
  };

  readonly #failed = async (error: unknown): Promise<void> => {
    const answer: StoreAnswer = { kind: "unavailable", why: await reasonOf(error) };
    for (const write of this.#group) write.answer = answer;
    this.#committed();
  };

  /** Inside a transaction: nobody else writes meanwhile. */
  #apply({ key, value, ifVersion, expiresAt }: StoreWrite): StoreAnswer {
    try {
      const held = this.#database.getBinaryFast(key);
      const heldVersion = held === undefined ? 0 : getLastVersion();
      const counts = held !== undefined && !this.#isOver(held);
      if (ifVersion === 0 ? counts : heldVersion !== ifVersion) return CONFLICT;
      if (value === undefined) {
        if (held !== undefined) this.#database.removeSync(key);
        return REMOVED;
      }
      // A new entry counts on from the clock, so that it cannot repeat a version from before a removal.
      const version = ifVersion === 0 ? Math.max(clockUs(), heldVersion + 1) : ifVersion + 1;
      this.#database.putSync(key, this.#row(value, expiresAt), version);
      return { kind: "written", version };
    } catch (error) {
      return { kind: "unavailable", why: String(error) };
    }
  }

  /** It may be forgotten by now. */
  #isOver(row: Buffer): boolean {
    return row.readDoubleLE(0) <= this.epochSeconds();
  }

  /** The bytes of one row, until the next is made: the database copies them. */
  #row(value: string, expiresAt: number): Buffer {
    const size = EXPIRY_BYTES + value.length;
    if (size > this.#scratch.length) this.#scratch = Buffer.allocUnsafeSlow(2 * size);
    this.#scratch.writeDoubleLE(expiresAt, 0);
    this.#scratch.write(value, EXPIRY_BYTES, "latin1");
    return this.#scratch.subarray(0, size);
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
        if (this.#isOver(value)) await this.#database.remove(key, version);
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
