/** What a DNS message says about a question: records, nothing (RFC 2308), an alias to follow, or a fault. */
import type { DecodedPacket, Answer as WireRecord } from "dns-packet";
import type { DnsAnswer, RecordType, ResourceRecord } from "../../core/vocabulary.ts";
import { MAX_CNAMES } from "./resolver-limits.ts";

/**
 * `alias`: the chain of CNAMEs leaves this message at `name`; `ttl` bounds what is found there. `failed`: this server
 * cannot say, another might; `alive`: it is well and only does not know this name.
 */
export type Reading =
  | { readonly kind: "answer"; readonly answer: DnsAnswer }
  | { readonly kind: "alias"; readonly name: string; readonly ttl: number }
  | { readonly kind: "truncated" }
  | { readonly kind: "edns-unknown" }
  | { readonly kind: "failed"; readonly why: string; readonly alive: boolean };

const RCODE = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;
const RCODE_MASK = 0x0f;
/** Anything above counts as zero (RFC 2181 §8). */
const MAX_TTL = 0x7fff_ffff;
export function readAnswer(packet: DecodedPacket, name: string, type: RecordType): Reading {
  if (packet.flag_tc) return { kind: "truncated" };
  const rcode = (packet.flags ?? 0) & RCODE_MASK;
  switch (rcode) {
    case RCODE.NOERROR:
    case RCODE.NXDOMAIN:
      return readRecords(packet, name, type, rcode === RCODE.NXDOMAIN);
    case RCODE.FORMERR:
    case RCODE.NOTIMP:
      return { kind: "edns-unknown" };
    case RCODE.SERVFAIL:
      return { kind: "failed", why: "SERVFAIL", alive: true };
    case RCODE.REFUSED:
      return { kind: "failed", why: "REFUSED", alive: false };
    default:
      return { kind: "failed", why: `RCODE ${rcode}`, alive: false };
  }
}

function readRecords(
  packet: DecodedPacket,
  asked: string,
  type: RecordType,
  noName: boolean,
): Reading {
  const answers = packet.answers ?? [];
  let name = asked;
  let ttl = MAX_TTL;
  for (let hop = 0; hop < MAX_CNAMES; hop += 1) {
    const owned = answers.filter((record) => plainName(record.name) === name);
    const records = owned.filter((record) => record.type === type).map(toRecord);
    if (records.length > 0) return found(packet, records, asked, ttl);
    const alias = owned.find((record) => record.type === "CNAME");
    if (alias?.type !== "CNAME") break;
    ttl = Math.min(ttl, seconds(alias.ttl));
    name = plainName(alias.data as string);
  }
  const soa = (packet.authorities ?? []).find((record) => record.type === "SOA");
  if (soa?.type === "SOA") {
    const negative = Math.min(ttl, seconds(soa.ttl), seconds(soa.data.minimum));
    return { kind: "answer", answer: { kind: "none", ttl: negative } };
  }
  if (!noName && name !== asked) return { kind: "alias", name, ttl };
  const referral = (packet.authorities ?? []).some((record) => record.type === "NS");
  if (!noName && referral && !packet.flag_aa) {
    return { kind: "failed", why: "referral", alive: false };
  }
  // Without an SOA nothing says how long that is true (RFC 2308 §5): not beyond this question.
  return { kind: "answer", answer: { kind: "none", ttl: 0 } };
}

function found(
  packet: DecodedPacket,
  records: readonly (ResourceRecord | undefined)[],
  asked: string,
  ttl: number,
): Reading {
  const named = records
    .filter((record) => record !== undefined)
    .map((record) => ({ ...record, name: asked, ttl: Math.min(ttl, record.ttl) }));
  const additional = (packet.additionals ?? [])
    .map(toRecord)
    .filter((record) => record !== undefined);
  return { kind: "answer", answer: { kind: "records", records: named, additional } };
}

/** The record in the core's words; undefined for types that location has no use for. */
function toRecord(wire: WireRecord): ResourceRecord | undefined {
  const name = plainName(wire.name);
  switch (wire.type) {
    case "A":
    case "AAAA":
      return { type: wire.type, name, ttl: seconds(wire.ttl), address: wire.data };
    case "SRV": {
      const { priority = 0, weight = 0, port } = wire.data;
      const target = wire.data.target === "." ? "." : plainName(wire.data.target);
      return { type: "SRV", name, ttl: seconds(wire.ttl), priority, weight, port, target };
    }
    case "NAPTR": {
      const { order, preference, flags, services, regexp } = wire.data;
      const replacement = wire.data.replacement === "." ? "." : plainName(wire.data.replacement);
      const rest = { order, preference, flags, service: services, regexp, replacement };
      return { type: "NAPTR", name, ttl: seconds(wire.ttl), ...rest };
    }
    default:
      return undefined;
  }
}

/** Lower case, without the last dot. */
export function plainName(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith(".") ? lower.slice(0, -1) : lower;
}

function seconds(ttl: number | undefined): number {
  return ttl === undefined || ttl > MAX_TTL ? 0 : ttl;
}
