/**
 * What this node last wrote under each key, so that a renewal need not read before it writes: the store refuses the
 * write if anybody else has written since. Bounded; what was not used lately is forgotten first.
 */
import { MAX_RECORDS } from "./limits.ts";

export interface StoredRecord {
  version: number;
  /** As stored: a few bytes, where parsed bindings would be slices that keep whole datagrams alive. */
  value: string | undefined;
  /** The epoch second at which somebody will look for expired bindings in it; 0: nobody will. */
  watched: number;
}

export class Records {
  #recent = new Map<string, StoredRecord>();
  #before = new Map<string, StoredRecord>();

  get(key: string): StoredRecord | undefined {
    const record = this.#recent.get(key);
    if (record !== undefined) return record;
    const older = this.#before.get(key);
    if (older !== undefined) this.#add(key, older);
    return older;
  }

  /** @param record what `get` gave before, if it gave anything. */
  keep(
    key: string,
    version: number,
    value: string | undefined,
    record: StoredRecord | undefined,
  ): StoredRecord {
    if (record === undefined) return this.#add(key, { version, value, watched: 0 });
    record.version = version;
    record.value = value;
    return record;
  }

  forget(key: string): void {
    this.#recent.delete(key);
    this.#before.delete(key);
  }

  #add(key: string, record: StoredRecord): StoredRecord {
    if (this.#recent.size >= MAX_RECORDS / 2) {
      this.#before = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(key, record);
    return record;
  }
}
