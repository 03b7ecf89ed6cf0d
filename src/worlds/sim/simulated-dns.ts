/** A resolver in virtual time, serving records it was given; it can fall silent and its records can change. */
import type { DnsAnswer, DnsQuestion, RecordType, ResourceRecord } from "../../core/vocabulary.ts";

/** How long a phone waits in vain for a silent resolver: the default time-out and its repeats. */
const SILENCE_MS = 9000;

/** RFC 2308: what a negative answer is believed for, seconds. */
const NEGATIVE_TTL = 60;

export class SimulatedDns {
  records: readonly ResourceRecord[];
  silent = false;

  constructor(records: readonly ResourceRecord[]) {
    this.records = records;
  }

  ask(question: DnsQuestion): { afterMs: number; answer: DnsAnswer } {
    if (this.silent) {
      return { afterMs: SILENCE_MS, answer: { kind: "silent", why: "no resolver answered" } };
    }
    const records = this.#find(question.name, question.type);
    if (records.length === 0) return { afterMs: 1, answer: { kind: "none", ttl: NEGATIVE_TTL } };
    return { afterMs: 1, answer: { kind: "records", records, additional: [] } };
  }

  #find(name: string, type: RecordType): ResourceRecord[] {
    return this.records.filter((record) => record.type === type && record.name === name);
  }
}
