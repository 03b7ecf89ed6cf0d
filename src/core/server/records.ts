/**
 * What this node last wrote for each user, so that a renewal need not read before it writes: the store refuses the
 * write if anybody else has written since. Bounded; what was not used lately is forgotten first.
 */
import type { StoreWrite } from "../vocabulary.ts";
import { userOfKey } from "./domains.ts";
import { MAX_RECORDS, MAX_SHARED_TEXTS } from "./limits.ts";
import { copyOf } from "./own-text.ts";

export class StoredRecord {
  version: number;
  written: StoreWrite;
  /** The epoch second at which somebody will look for expired bindings in it; 0: nobody will. */
  watched = 0;

  constructor(written: StoreWrite, version: number) {
    this.version = version;
    this.written = written;
  }

  get value(): string | undefined {
    return this.written.value;
  }
}

export class Records {
  #recent = new Map<string, StoredRecord>();
  #before = new Map<string, StoredRecord>();
  readonly #shared = new Map<string, string>();

  /** A text of one's own that all have in common who say the same: a fleet has few user agents. */
  shared(text: string): string {
    const known = this.#shared.get(text);
    if (known !== undefined) return known;
    if (this.#shared.size >= MAX_SHARED_TEXTS) this.#shared.clear();
    const own = copyOf(text);
    this.#shared.set(own, own);
    return own;
  }

  /** @param user without needless escapes, as in the key of the store. */
  get(user: string): StoredRecord | undefined {
    const record = this.#recent.get(user);
    if (record !== undefined) return record;
    const older = this.#before.get(user);
    if (older !== undefined) this.#add(older);
    return older;
  }

  /** @param record what `get` gave before, if it gave anything. */
  keep(written: StoreWrite, version: number, record: StoredRecord | undefined): StoredRecord {
    if (record === undefined) return this.#add(new StoredRecord(written, version));
    record.version = version;
    record.written = written;
    return record;
  }

  forget(user: string): void {
    this.#recent.delete(user);
    this.#before.delete(user);
  }

  #add(record: StoredRecord): StoredRecord {
    if (this.#recent.size >= MAX_RECORDS / 2) {
      this.#before = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(userOfKey(record.written.key), record);
    return record;
  }
}
