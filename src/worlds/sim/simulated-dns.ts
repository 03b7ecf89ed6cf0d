/**
 * A resolver in virtual time, serving records it was given and following aliases as a resolver does; it can
 * fall silent, and its records can change.
 */
import type { DnsAnswer, DnsQuestion, RecordType, ResourceRecord } from "../../core/vocabulary.ts";

/** One name that stands for another. */
export interface AliasRecord {
  readonly type: "CNAME";
  readonly name: string;
  readonly ttl: number;
  readonly target: string;
}

/** A record or an alias. */
export type ServedRecord = ResourceRecord | AliasRecord;

/** How long a phone waits in vain for a silent resolver: three seconds, and two repeats. */
const SILENCE_MS = 9000;
const ANSWER_MS = 1;
/** RFC 2308: what a negative answer is believed for, seconds. */
const NEGATIVE_TTL = 60;
/** As long as a lie is believed, seconds. */
const LIE_TTL = 5;
/** Longer chains of aliases are loops. */
const MOST_ALIASES = 8;

/** A zone that answers, lies or falls silent. */
export class SimulatedDns {
  records: readonly ServedRecord[];
  /** `failing`: every server answers SERVFAIL at once. */
  state: "answering" | "silent" | "failing" = "answering";
  /** Nodes that it does not hear. */
  readonly deafTo: Set<string> = new Set();
  /** The IPv4 address that it gives for every name that is asked for one; undefined: the truth. */
  lie: string | undefined;
  /** Seconds for which "no such record" may be believed. */
  negativeTtl: number = NEGATIVE_TTL;
  /** Questions asked so far. */
  asked = 0;

  constructor(records: readonly ServedRecord[]) {
    this.records = records;
  }

  /**
   * @param patienceMs how long whoever asks waits for a silent resolver, all repeats together.
   * @param node who asks.
   */
  ask(
    question: DnsQuestion,
    patienceMs: number = SILENCE_MS,
    node = "",
  ): { afterMs: number; answer: DnsAnswer } {
    this.asked += 1;
    if (this.state === "silent" || this.deafTo.has(node)) {
      const afterMs = Math.min(patienceMs, question.withinMs ?? patienceMs);
      return { afterMs, answer: { kind: "silent", why: "no resolver answered" } };
    }
    if (this.state === "failing") {
      return { afterMs: ANSWER_MS, answer: { kind: "silent", why: "SERVFAIL" } };
    }
    const records = this.#found(question);
    const answer: DnsAnswer =
      records.length === 0
        ? { kind: "none", ttl: this.negativeTtl }
        : {
            kind: "records",
            records,
            additional: this.lie === undefined ? this.#additional(records) : [],
          };
    return { afterMs: ANSWER_MS, answer };
  }

  #found({ name, type }: DnsQuestion): ResourceRecord[] {
    if (this.lie === undefined || type !== "A") return this.#resolve(name, type);
    return [{ type, name, ttl: LIE_TTL, address: this.lie }];
  }

  /** Under the name asked for, and fresh only as long as every alias on the way. */
  #resolve(name: string, type: RecordType): ResourceRecord[] {
    let owner = name;
    let ttl = Number.POSITIVE_INFINITY;
    for (let hop = 0; hop <= MOST_ALIASES; hop += 1) {
      const found = this.#find(owner, type);
      if (found.length > 0) {
        return found.map((record) => ({ ...record, name, ttl: Math.min(ttl, record.ttl) }));
      }
      const alias = this.records.find((one) => one.type === "CNAME" && one.name === owner);
      if (alias?.type !== "CNAME") return [];
      ttl = Math.min(ttl, alias.ttl);
      owner = alias.target;
    }
    return [];
  }

  /** Addresses of SRV targets, and the SRV that NAPTR leads to, as name servers add them. */
  #additional(records: readonly ResourceRecord[]): ResourceRecord[] {
    const services = records.flatMap((record) =>
      record.type === "NAPTR" ? this.#find(record.replacement, "SRV") : [],
    );
    const targets = new Set(
      [...records, ...services].flatMap((record) => (record.type === "SRV" ? record.target : [])),
    );
    const addresses = [...targets].flatMap((target) => [
      ...this.#find(target, "A"),
      ...this.#find(target, "AAAA"),
    ]);
    return [...services, ...addresses];
  }

  #find(name: string, type: RecordType): ResourceRecord[] {
    return this.records.filter(
      (record): record is ResourceRecord => record.type === type && record.name === name,
    );
  }
}
