/**
 * What the DNS said, kept for as long as it said (RFC 1035, RFC 2308) and, while no resolver answers, a bounded
 * time longer (RFC 8767). One cache serves all accounts. Only answers of the DNS change it: that a target fails
 * is ServerHealth's matter and never touches a record.
 */
import type { Instant } from "../machine.ts";
import type { DnsAnswer, RecordType, ResourceRecord } from "../vocabulary.ts";
import {
  MAX_CACHED_ANSWERS,
  MAX_NEGATIVE_TTL_SECONDS,
  MAX_RECORDS,
  MAX_STALE_MS,
  MAX_TTL_SECONDS,
  SILENCE_MS,
} from "./limits.ts";

/** One answer as kept; without records it says that there are none. */
export interface CachedAnswer {
  readonly records: readonly ResourceRecord[];
  readonly expiresAt: Instant;
  /** Seen only beside another answer (Additional section). */
  readonly additional: boolean;
}

/**
 * Records and absences for as long as their TTLs say (RFC 2308), and a while longer where nobody answers (RFC 8767).
 */
export class RecordCache {
  readonly #limit: number;
  readonly #answers = new Map<string, CachedAnswer>();
  #silentUntil: Instant = Number.NEGATIVE_INFINITY;
  /** The last that was heard of any resolver was silence. */
  #mute = false;
  /** Answers of any resolver so far. */
  #heard = 0;
  /** Questions that silence was the last answer to, and how many others had been answered when that began. */
  readonly #unanswered = new Map<string, number>();
  #probeAt: Instant = Number.NEGATIVE_INFINITY;

  constructor(limit: number = MAX_CACHED_ANSWERS) {
    this.#limit = limit;
  }

  /** Answers kept, fresh and stale. */
  get size(): number {
    return this.#answers.size;
  }

  /** An answer whose TTL is not over. */
  fresh(now: Instant, name: string, type: RecordType): CachedAnswer | undefined {
    const answer = this.#answers.get(keyOf(name, type));
    return answer !== undefined && answer.expiresAt > now ? answer : undefined;
  }

  /** An answer that may serve while no resolver does, however old within the bound. */
  stale(now: Instant, name: string, type: RecordType): CachedAnswer | undefined {
    const answer = this.#answers.get(keyOf(name, type));
    return answer !== undefined && answer.expiresAt + MAX_STALE_MS > now ? answer : undefined;
  }

  /** Whether the resolvers said nothing a short time ago and nothing since. */
  silent(now: Instant): boolean {
    return now < this.#silentUntil;
  }

  /** Whether silence is to be expected of this question, so that nobody should wait for it who need not. */
  unanswered(name: string, type: RecordType): boolean {
    return this.#mute || this.#unanswered.has(keyOf(name, type));
  }

  /** Whether it is time to see if the resolvers answer again; then not for a while. */
  probes(now: Instant): boolean {
    if (now < this.#probeAt) return false;
    this.#probeAt = now + SILENCE_MS;
    return true;
  }

  /** Takes an answer in; gives it back as kept, undefined for silence. */
  heard(now: Instant, name: string, type: RecordType, answer: DnsAnswer): CachedAnswer | undefined {
    if (answer.kind === "silent") {
      const key = keyOf(name, type);
      const began = this.#unanswered.get(key);
      if (began === undefined && this.#unanswered.size < this.#limit) {
        this.#unanswered.set(key, this.#heard);
      }
      // A resolver that has answered others since chokes on this one: that says nothing of the rest.
      if (began !== undefined && began < this.#heard) return undefined;
      this.#silentUntil = now + SILENCE_MS;
      this.#probeAt = this.#silentUntil;
      this.#mute = true;
      return undefined;
    }
    this.#heard += 1;
    this.#silentUntil = Number.NEGATIVE_INFINITY;
    this.#mute = false;
    this.#unanswered.delete(keyOf(name, type));
    if (answer.kind === "none") {
      const ttl = Math.min(answer.ttl, MAX_NEGATIVE_TTL_SECONDS);
      const nothing = { records: [], expiresAt: now + ttl * 1000, additional: false };
      this.#keep(keyOf(name, type), nothing);
      return nothing;
    }
    this.#keepAdditional(now, answer.records, answer.additional);
    return this.#keepRecords(now, name, type, answer.records, false);
  }

  /** Beside SRV come addresses of its targets, beside NAPTR the SRV it leads to; nothing else is believed. */
  #keepAdditional(
    now: Instant,
    records: readonly ResourceRecord[],
    additional: readonly ResourceRecord[],
  ): void {
    if (additional.length === 0) return;
    const named = new Set(records.map(leadOf));
    for (const record of additional) {
      if (record.type === "SRV" && named.has(record.name)) named.add(record.target);
    }
    const sets = new Map<string, ResourceRecord[]>();
    for (const record of additional.slice(0, MAX_RECORDS)) {
      if (record.type === "NAPTR" || !named.has(record.name)) continue;
      const key = keyOf(record.name, record.type);
      const set = sets.get(key);
      if (set === undefined) sets.set(key, [record]);
      else set.push(record);
    }
    for (const set of sets.values()) {
      const { name, type } = set[0] as ResourceRecord;
      const known = this.fresh(now, name, type);
      if (known === undefined || known.additional) this.#keepRecords(now, name, type, set, true);
    }
  }

  #keepRecords(
    now: Instant,
    name: string,
    type: RecordType,
    records: readonly ResourceRecord[],
    additional: boolean,
  ): CachedAnswer {
    const key = keyOf(name, type);
    const kept = records.length > MAX_RECORDS ? records.slice(0, MAX_RECORDS) : records;
    const answer = {
      records: inOldOrder(kept, this.#answers.get(key)?.records),
      expiresAt: now + leastTtl(kept) * 1000,
      additional,
    };
    this.#keep(key, answer);
    return answer;
  }

  #keep(key: string, answer: CachedAnswer): void {
    this.#answers.delete(key);
    this.#answers.set(key, answer);
    if (this.#answers.size <= this.#limit) return;
    const oldest = this.#answers.keys().next();
    if (!oldest.done) this.#answers.delete(oldest.value);
  }
}

/** Seconds for which a whole set of records may be believed. */
export function leastTtl(records: readonly ResourceRecord[]): number {
  let least = MAX_TTL_SECONDS;
  for (const record of records) least = Math.min(least, record.ttl);
  return Math.max(0, least);
}

/** A DNS name and type as one string. */
export function keyOf(name: string, type: RecordType): string {
  return `${type} ${name}`;
}

/** The name that a record points at. */
function leadOf(record: ResourceRecord): string {
  switch (record.type) {
    case "NAPTR":
      return record.replacement;
    case "SRV":
      return record.target;
    default:
      return record.name;
  }
}

/**
 * Name servers rotate addresses with each answer. The same addresses as before keep the order they had, so that a
 * phone's primary stays its primary; different phones still start at different ones.
 */
function inOldOrder(
  records: readonly ResourceRecord[],
  old: readonly ResourceRecord[] | undefined,
): readonly ResourceRecord[] {
  if (old === undefined || old.length !== records.length || records.length < 2) return records;
  const byAddress = new Map<string, ResourceRecord>();
  for (const record of records) {
    if (record.type !== "A" && record.type !== "AAAA") return records;
    byAddress.set(record.address, record);
  }
  const ordered: ResourceRecord[] = [];
  for (const record of old) {
    const same = "address" in record ? byAddress.get(record.address) : undefined;
    if (same === undefined) return records;
    ordered.push(same);
  }
  return ordered;
}
