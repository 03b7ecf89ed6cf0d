/** The names of the lab: records with their zone, and what an authoritative server says of them (RFC 1034 §4.3.2). */
import type { RecordType, ResourceRecord } from "../../core/vocabulary.ts";

export interface CnameRecord {
  readonly type: "CNAME";
  readonly name: string;
  readonly ttl: number;
  readonly target: string;
}

export type ZoneRecord = ResourceRecord | CnameRecord;
export type ZoneType = RecordType | "CNAME";

/** Names are lower case and without the last dot; the root is "". */
export interface ZoneData {
  readonly origin: string;
  /** Seconds for which "no such record" may be believed (RFC 2308: the SOA's minimum). */
  readonly negativeTtl: number;
  readonly records: readonly ZoneRecord[];
}

export interface ZoneAnswer {
  readonly status: "found" | "no-name" | "no-data" | "not-here";
  readonly answers: readonly ZoneRecord[];
  readonly additional: readonly ZoneRecord[];
}

const MAX_CNAMES = 8;

export class Zone {
  readonly origin: string;
  readonly negativeTtl: number;
  readonly #byName = new Map<string, ZoneRecord[]>();
  /** Names that exist only because something stands below them. */
  readonly #inner = new Set<string>();

  constructor(data: ZoneData) {
    this.origin = data.origin;
    this.negativeTtl = data.negativeTtl;
    for (const record of data.records) {
      const set = this.#byName.get(record.name);
      if (set === undefined) this.#byName.set(record.name, [record]);
      else set.push(record);
    }
    this.#findInner();
  }

  /** Puts `records` in the place of all of that name and type. */
  replace(name: string, type: ZoneType, records: readonly ZoneRecord[]): void {
    const others = (this.#byName.get(name) ?? []).filter((record) => record.type !== type);
    const now = [...others, ...records];
    if (now.length === 0) this.#byName.delete(name);
    else this.#byName.set(name, now);
    this.#findInner();
  }

  /** `type` may be one that the zone never holds. */
  answer(asked: string, type: string): ZoneAnswer {
    if (!within(asked, this.origin)) return { status: "not-here", answers: [], additional: [] };
    const answers: ZoneRecord[] = [];
    let name = asked;
    for (let hop = 0; hop <= MAX_CNAMES; hop += 1) {
      const set = this.#byName.get(name) ?? [];
      const matching = set.filter((record) => record.type === type);
      answers.push(...matching);
      const alias =
        matching.length === 0 ? set.find((record) => record.type === "CNAME") : undefined;
      if (alias?.type !== "CNAME") break;
      answers.push(alias);
      name = alias.target;
    }
    if (answers.length > 0) {
      return { status: "found", answers, additional: this.#additional(answers) };
    }
    const exists = this.#byName.has(asked) || this.#inner.has(asked) || asked === this.origin;
    return { status: exists ? "no-data" : "no-name", answers, additional: [] };
  }

  /** SRV of NAPTR replacements and addresses of SRV targets, as name servers add them (RFC 2782, RFC 3403 §4). */
  #additional(answers: readonly ZoneRecord[]): ZoneRecord[] {
    const found = new Set<ZoneRecord>();
    const add = (name: string, types: readonly ZoneType[]): void => {
      for (const record of this.#byName.get(name) ?? []) {
        if (types.includes(record.type) && !answers.includes(record)) found.add(record);
      }
    };
    for (const record of answers) {
      if (record.type === "NAPTR") add(record.replacement, ["SRV", "A", "AAAA"]);
    }
    for (const record of [...answers, ...found]) {
      if (record.type === "SRV") add(record.target, ["A", "AAAA"]);
    }
    return [...found];
  }

  #findInner(): void {
    this.#inner.clear();
    for (const name of this.#byName.keys()) {
      for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
        this.#inner.add(name.slice(dot + 1));
      }
    }
  }
}

function within(name: string, origin: string): boolean {
  return origin === "" || name === origin || name.endsWith(`.${origin}`);
}
