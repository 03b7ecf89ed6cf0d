/** Reads a zone from master-file text (RFC 1035 §5.1): $ORIGIN, $TTL, @, relative names, parentheses, quotes. */
import { isIPv4, isIPv6 } from "node:net";
import type { ZoneData, ZoneRecord } from "./zone.ts";

export interface ZoneFault {
  /** 1-based. */
  readonly line: number;
  readonly wrong: string;
  readonly remedy: string;
}

export interface ZoneReading {
  readonly zone: ZoneData;
  readonly faults: readonly ZoneFault[];
}

/** One entry: parentheses joined, comments gone. */
interface Entry {
  readonly line: number;
  /** Whether it began with blanks, so that the owner is the one before. */
  readonly continued: boolean;
  readonly tokens: readonly string[];
}

/** A record's type and what follows it, with the reader's state at that point. */
interface Line {
  readonly name: string;
  readonly ttl: number;
  readonly origin: string;
  readonly data: readonly string[];
}

const DEFAULT_TTL = 300;
const TTL = /^(?:\d+[smhdw]?)+$/i;
const TTL_PART = /(\d+)([smhdw]?)/gi;
const SECONDS: Readonly<Record<string, number>> = {
  "": 1,
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
};
/** Types that a zone may hold and the lab does not serve. */
const PASSED_OVER = new Set(["NS", "MX", "TXT", "PTR", "CAA"]);
const CLASSES = new Set(["IN", "CH", "HS"]);

/** Reads every line, whatever is wrong with others. */
export function readZone(text: string): ZoneReading {
  const faults: ZoneFault[] = [];
  const records: ZoneRecord[] = [];
  let zoneOrigin: string | undefined;
  let origin = "";
  let owner = "";
  let defaultTtl = DEFAULT_TTL;
  let negativeTtl: number | undefined;
  for (const { line, continued, tokens } of entriesOf(text)) {
    const fault = (wrong: string, remedy: string): unknown => faults.push({ line, wrong, remedy });
    const [first = "", second = ""] = tokens;
    if (first.toUpperCase() === "$ORIGIN") {
      origin = absolute(second, "");
      zoneOrigin ??= origin;
      continue;
    }
    if (first.toUpperCase() === "$TTL") {
      defaultTtl = secondsOf(second) ?? defaultTtl;
      continue;
    }
    if (first.startsWith("$")) {
      fault(`${first} is not known`, "use $ORIGIN and $TTL only");
      continue;
    }
    if (!continued) owner = absolute(first, origin);
    const { ttl, type, data } = splitEntry(continued ? tokens : tokens.slice(1));
    if (PASSED_OVER.has(type)) continue;
    if (type === "SOA") {
      zoneOrigin = owner;
      negativeTtl = secondsOf(data[6] ?? "");
      continue;
    }
    const record = recordOf(type, { name: owner, ttl: ttl ?? defaultTtl, origin, data });
    if (typeof record === "string") fault(`${type || "no type"}: ${tokens.join(" ")}`, record);
    else records.push(record);
  }
  const zone = { origin: zoneOrigin ?? "", negativeTtl: negativeTtl ?? defaultTtl, records };
  return { zone, faults };
}

/** TTL and class may come in either order before the type. */
function splitEntry(tokens: readonly string[]): {
  ttl: number | undefined;
  type: string;
  data: readonly string[];
} {
  let ttl: number | undefined;
  for (const [index, token] of tokens.entries()) {
    const upper = token.toUpperCase();
    if (CLASSES.has(upper)) continue;
    if (!TTL.test(token) || ttl !== undefined) {
      return { ttl, type: upper, data: tokens.slice(index + 1) };
    }
    ttl = secondsOf(token);
  }
  return { ttl, type: "", data: [] };
}

/** The record, or what to write instead. */
function recordOf(type: string, line: Line): ZoneRecord | string {
  const { name, ttl, origin, data } = line;
  const numbers = data.map((token) => (/^\d{1,5}$/.test(token) ? Number(token) : Number.NaN));
  const [one = Number.NaN, two = Number.NaN, three = Number.NaN] = numbers;
  const [text = ""] = data;
  switch (type) {
    case "A":
      return isIPv4(text) ? { type, name, ttl, address: text } : "an IPv4 address";
    case "AAAA":
      return isIPv6(text) ? { type, name, ttl, address: text } : "an IPv6 address";
    case "CNAME":
      return text === "" ? "one name" : { type, name, ttl, target: absolute(text, origin) };
    case "SRV": {
      if (data.length !== 4 || Number.isNaN(one + two + three) || three > 65_535) {
        return "priority weight port target";
      }
      const target = targetOf(data[3] as string, origin);
      return { type, name, ttl, priority: one, weight: two, port: three, target };
    }
    case "NAPTR": {
      if (data.length !== 6 || Number.isNaN(one + two)) {
        return 'order preference "flags" "service" "regexp" replacement';
      }
      const [, , flags, service, regexp, last] = data as [
        string,
        string,
        string,
        string,
        string,
        string,
      ];
      const replacement = targetOf(last, origin);
      return { type, name, ttl, order: one, preference: two, flags, service, regexp, replacement };
    }
    default:
      return "one of A, AAAA, CNAME, SRV, NAPTR, SOA";
  }
}

/** A lone dot stays: it says "no such service" in SRV and "no replacement" in NAPTR. */
function targetOf(text: string, origin: string): string {
  return text === "." ? "." : absolute(text, origin);
}

function absolute(text: string, origin: string): string {
  const lower = text.toLowerCase();
  if (lower === "@") return origin;
  if (lower.endsWith(".")) return lower.slice(0, -1);
  return origin === "" ? lower : `${lower}.${origin}`;
}

function secondsOf(text: string): number | undefined {
  if (!TTL.test(text)) return undefined;
  let seconds = 0;
  for (const [, digits, unit] of text.matchAll(TTL_PART)) {
    seconds += Number(digits) * (SECONDS[(unit as string).toLowerCase()] ?? 1);
  }
  return seconds;
}

/** Tokens are quoted strings, parentheses, comments, and runs of anything else. */
const TOKEN = /"((?:[^"\\]|\\.)*)"|([()])|(;.*)|([^\s"();]+)/g;

function* entriesOf(text: string): Generator<Entry> {
  let tokens: string[] = [];
  let depth = 0;
  let start = 0;
  let continued = false;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (depth === 0) {
      start = index + 1;
      continued = /^\s/.test(line);
    }
    for (const [, quoted, parenthesis, comment, plain] of line.matchAll(TOKEN)) {
      if (parenthesis !== undefined) depth = Math.max(0, depth + (parenthesis === "(" ? 1 : -1));
      else if (comment === undefined)
        tokens.push(plain ?? (quoted as string).replace(/\\(.)/g, "$1"));
    }
    if (depth > 0) continue;
    if (tokens.length > 0) yield { line: start, continued, tokens };
    tokens = [];
  }
  if (tokens.length > 0) yield { line: start, continued, tokens };
}
