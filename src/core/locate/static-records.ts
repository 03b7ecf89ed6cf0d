/**
 * Records written in a provisioning file (dns_cache_*, dns.cache.*). A set's clock starts when it first serves
 * after a live look-up gave nothing, and until it has run down the DNS is not asked for that set again.
 */
import type { Instant } from "../machine.ts";
import type { RecordType, ResourceRecord } from "../vocabulary.ts";
import { normalizeHost } from "./address.ts";
import { keyOf, leastTtl } from "./record-cache.ts";

interface StaticSet {
  readonly records: ResourceRecord[];
  /** When the set's clock has run down; in the past while live answers serve. */
  servesUntil: Instant;
}

export interface StaticAnswer {
  readonly records: readonly ResourceRecord[];
  readonly expiresAt: Instant;
}

export class StaticRecords {
  readonly #sets = new Map<string, StaticSet>();
  readonly #hosts = new Set<string>();

  constructor(records: readonly ResourceRecord[]) {
    for (const record of records) {
      const name = normalizeHost(record.name);
      const key = keyOf(name, record.type);
      this.#hosts.add(hostOf(name));
      const set = this.#sets.get(key);
      if (set === undefined) this.#sets.set(key, { records: [record], servesUntil: -1 });
      else set.records.push(record);
    }
  }

  get empty(): boolean {
    return this.#sets.size === 0;
  }

  /**
   * Whether the file says anything of the host that a name belongs to: whoever wrote that wrote all that is
   * needed, so a type that is missing there does not exist when nobody else can tell.
   */
  cover(name: string): boolean {
    return this.#hosts.has(hostOf(name));
  }

  /** The set, if its clock runs. */
  running(now: Instant, name: string, type: RecordType): StaticAnswer | undefined {
    const set = this.#sets.get(keyOf(name, type));
    if (set === undefined || set.servesUntil <= now) return undefined;
    return { records: set.records, expiresAt: set.servesUntil };
  }

  /** The set, starting its clock unless it runs. */
  serve(now: Instant, name: string, type: RecordType): StaticAnswer | undefined {
    const set = this.#sets.get(keyOf(name, type));
    if (set === undefined) return undefined;
    if (set.servesUntil <= now) set.servesUntil = now + leastTtl(set.records) * 1000;
    return { records: set.records, expiresAt: set.servesUntil };
  }

  /** The set, whatever its clock says, which is left alone. */
  read(now: Instant, name: string, type: RecordType): StaticAnswer | undefined {
    const set = this.#sets.get(keyOf(name, type));
    if (set === undefined) return undefined;
    return { records: set.records, expiresAt: now + leastTtl(set.records) * 1000 };
  }
}

/** `_sip._udp.example.com` belongs to `example.com`. */
function hostOf(name: string): string {
  return name.startsWith("_") ? name.replace(/^(?:_[^.]*\.)+/, "") : name;
}
