/** Static DNS records of a configuration (dns_cache_*, dns.cache.*, our own) as resource records. */
import type { ResourceRecord } from "../vocabulary.ts";
import { forAccount, settingValue } from "./assemble.ts";
import type { Setting, Settings } from "./settings.ts";
import type { Value } from "./value-form.ts";

const DEFAULT_TTL_SECONDS = 300;

/** What NAPTR records of SIP servers are for (RFC 3263 §4.1, RFC 7118). */
export const SERVICES: readonly string[] = [
  "SIP+D2U",
  "SIP+D2T",
  "SIP+D2S",
  "SIPS+D2T",
  "SIPS+D2S",
  "SIP+D2W",
  "SIPS+D2W",
];

type RecordKind = "NAPTR" | "SRV" | "A";

/** The records that hold for the account: its own, then those for all; an incomplete one is an error. */
export function staticRecords(settings: Settings, account: number, most: number): ResourceRecord[] {
  const records: ResourceRecord[] = [];
  for (const kind of ["NAPTR", "SRV", "A"] as const) {
    for (const prefix of forAccount(account, `redundancy.dns.records.${kind}`)) {
      for (let number = 1; number <= most; number++) {
        const record = recordAt(settings, kind, `${prefix}.${number}`);
        if (record) records.push(record);
      }
    }
  }
  return records;
}

/** The record whose fields stand under `at`; undefined if it is blank, or if a part that it needs is missing. */
function recordAt(settings: Settings, kind: RecordKind, at: string): ResourceRecord | undefined {
  const fields = FIELDS[kind];
  const found = new Map<string, Setting>();
  for (const field of fields) {
    const setting = settings.take([`${at}.${field}`], `${at}.${field}`);
    if (setting) found.set(field, setting);
  }
  const first = found.values().next().value;
  if (first === undefined) return undefined;
  if (!NEEDED[kind].some((needed) => found.has(needed))) {
    // Templates leave a record blank save for its lifetime, port or weight.
    for (const setting of found.values()) settings.drop(setting, "the record is blank");
    return undefined;
  }
  for (const needed of NEEDED[kind]) {
    if (found.has(needed)) continue;
    const remedy = `write ${nameOf(settings, `${at}.${needed}`)}, or delete the record`;
    const wrong = `the static ${kind} record has no ${needed}`;
    settings.error(first.origin, "incomplete-record", wrong, remedy);
    return undefined;
  }
  const field = <T extends Value>(name: string, otherwise: T): T =>
    settingValue(found.get(name), otherwise);
  const common = { name: field("name", ""), ttl: field("ttl", DEFAULT_TTL_SECONDS) };
  switch (kind) {
    case "NAPTR":
      return {
        ...common,
        type: "NAPTR",
        order: field("order", 0),
        preference: field("preference", 0),
        flags: field("flags", ""),
        service: field("service", ""),
        regexp: field("regexp", ""),
        replacement: field("replacement", ""),
      };
    case "SRV":
      return {
        ...common,
        type: "SRV",
        priority: field("priority", 0),
        weight: field("weight", 0),
        port: field("port", 0) || (field("name", "").startsWith("_sips.") ? 5061 : 5060),
        target: field("target", ""),
      };
    // Both families have one table for addresses, of either IP version.
    case "A": {
      const address = field("address", "");
      return { ...common, type: address.includes(":") ? "AAAA" : "A", address };
    }
  }
}

/** The last parts of the slots of each record. */
const FIELDS: Readonly<Record<RecordKind, readonly string[]>> = {
  NAPTR: ["name", "ttl", "order", "preference", "flags", "service", "regexp", "replacement"],
  SRV: ["name", "ttl", "priority", "weight", "port", "target"],
  A: ["name", "ttl", "address"],
};

const NEEDED: Readonly<Record<RecordKind, readonly string[]>> = {
  NAPTR: ["name", "service", "replacement"],
  SRV: ["name", "target"],
  A: ["name", "address"],
};

function nameOf(settings: Settings, path: string): string {
  return settings.index.rowFor(path)?.key ?? path.slice(path.lastIndexOf(".") + 1);
}
