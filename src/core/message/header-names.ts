/**
 * The header names the stack knows: long lower-case name, canonical spelling, compact form (RFC 3261 §7.3.3, IANA
 * registry), and which may stand only once. The usual
 * spelling is recognised without making a string of the name.
 */
import { assert } from "../assert.ts";
import { isToken } from "./lexer.ts";

/** One name; of those on the list there is one object each. */
export interface HeaderName {
  /** Long and lower case: how the name is asked for. */
  readonly key: string;
  /** `Name: ` as it is printed, and as most senders write it. */
  readonly prefix: string;
  /** The first twelve characters of the prefix, and the codes of the rest. */
  readonly opening: string;
  readonly rest: readonly number[];
  /** A bit of its own if a second such header makes the message malformed, else 0. */
  readonly single: number;
  /** A bit that few names share, so that most of what a message has not need not be looked for; 0 of unknown ones. */
  readonly mark: number;
  /** Of the names in VIEWED, where Headers keep what was read of their first line; else -1. */
  readonly slot: number;
  /** Another known name whose prefix shares the bucket. */
  readonly next: HeaderName | undefined;
}

/** Those with `!` may stand once; after `/` comes the compact form. */
const NAMES = `Via/v From/f! To/t! Call-ID/i! CSeq! Max-Forwards! Content-Length/l! Contact/m Content-Type/c!
Expires! Authorization Proxy-Authorization WWW-Authenticate Proxy-Authenticate Authentication-Info
Proxy-Authentication-Info Route Record-Route Path Service-Route User-Agent Server Allow Supported/k Require
Proxy-Require Unsupported Accept Accept-Encoding Accept-Language Accept-Contact/a Reject-Contact/j
Request-Disposition/d Alert-Info Allow-Events/u Call-Info Content-Disposition! Content-Encoding/e Content-Language
Content-Transfer-Encoding Content-ID Date Error-Info Event/o! Feature-Caps Flow-Timer! Geolocation History-Info
Identity/y Identity-Info/n In-Reply-To Info-Package Join! Max-Breadth! MIME-Version Min-Expires! Min-SE! Organization
P-Access-Network-Info P-Asserted-Identity P-Associated-URI P-Called-Party-ID P-Charging-Vector
P-Preferred-Identity P-Visited-Network-ID Priority Privacy RAck! Reason Recv-Info Refer-Sub Refer-To/r! Referred-By/b!
Replaces! Reply-To! Retry-After! RSeq! Security-Client Security-Server Security-Verify Session-Expires/x!
Session-ID SIP-ETag! SIP-If-Match! Subject/s Subscription-State! Suppress-If-Match Target-Dialog Timestamp Warning
Diversion Remote-Party-ID`;

/** Those of which each message is asked again and again. */
const VIEWED = ["via", "from", "to", "cseq"];

/** V8 copies slices up to this length, and compares copies at once; longer ones it must first flatten. */
const COPIED = 12;

const BY_PREFIX: (HeaderName | undefined)[] = new Array<HeaderName | undefined>(256).fill(
  undefined,
);
const BY_NAME = new Map<string, HeaderName>();

{
  let single = 1;
  // The first named end up first in their bucket.
  for (const [index, entry] of [...NAMES.split(/\s+/).entries()].reverse()) {
    const once = entry.endsWith("!");
    const [canonical = "", compact] = entry.replace("!", "").split("/");
    const key = canonical.toLowerCase();
    const prefix = `${canonical}: `;
    const bucket = bucketOf(prefix.charCodeAt(0), prefix.charCodeAt(3));
    const next = BY_PREFIX[bucket];
    const opening = prefix.slice(0, COPIED);
    const rest = Array.from(prefix.slice(COPIED), (character) => character.charCodeAt(0));
    const slot = VIEWED.indexOf(key);
    const known: HeaderName = {
      key,
      prefix,
      opening,
      rest,
      single: once ? single : 0,
      mark: 1 << (index & 31),
      slot,
      next,
    };
    if (once) single <<= 1;
    BY_PREFIX[bucket] = known;
    BY_NAME.set(key, known);
    if (compact !== undefined) BY_NAME.set(compact, known);
  }
}

/** What each packet is asked for. */
export const VIA: HeaderName = named("via");
export const FROM: HeaderName = named("from");
export const TO: HeaderName = named("to");
export const CALL_ID: HeaderName = named("call-id");
export const CSEQ: HeaderName = named("cseq");
export const CONTACT: HeaderName = named("contact");
export const MAX_FORWARDS: HeaderName = named("max-forwards");
export const CONTENT_LENGTH: HeaderName = named("content-length");

/** What each REGISTER is asked for besides. */
export const AUTHORIZATION: HeaderName = named("authorization");
export const EXPIRES: HeaderName = named("expires");
export const PATH: HeaderName = named("path");
export const REQUIRE: HeaderName = named("require");
export const SUPPORTED: HeaderName = named("supported");
export const USER_AGENT: HeaderName = named("user-agent");

function named(name: string): HeaderName {
  const known = BY_NAME.get(name);
  assert(known !== undefined, `${name} is in the list`);
  return known;
}

/** The known name with that key (long, lower case). */
export function nameOfKey(key: string): HeaderName | undefined {
  return BY_NAME.get(key);
}

/** The name whose prefix, spelled as we would, stands at `start`, where the code `first` does. */
export function usualName(text: string, start: number, first: number): HeaderName | undefined {
  let known = BY_PREFIX[bucketOf(first, text.charCodeAt(start + 3))];
  while (known !== undefined && !opens(text, start, known)) known = known.next;
  return known;
}

/** The known name spelled in `text[start, end)` in whatever case, or in its compact form. */
export function knownName(text: string, start: number, end: number): HeaderName | undefined {
  return BY_NAME.get(text.slice(start, end).toLowerCase());
}

/** The key of a name in whatever case or form; undefined if it is no token. */
export function headerKey(text: string, start: number, end: number): string | undefined {
  const lower = text.slice(start, end).toLowerCase();
  return BY_NAME.get(lower)?.key ?? (isToken(lower, 0, lower.length) ? lower : undefined);
}

/** A name outside the list, printed with each of its words capitalised. No two are the same object. */
export function unknownName(key: string): HeaderName {
  let printed = "";
  let initial = true;
  for (const character of key) {
    printed += initial ? character.toUpperCase() : character;
    initial = character === "-";
  }
  return {
    key,
    prefix: `${printed}: `,
    opening: "",
    rest: [],
    single: 0,
    mark: 0,
    slot: -1,
    next: undefined,
  };
}

function opens(text: string, start: number, known: HeaderName): boolean {
  const { opening, rest } = known;
  if (text.slice(start, start + opening.length) !== opening) return false;
  for (let index = 0; index < rest.length; index += 1) {
    if (text.charCodeAt(start + COPIED + index) !== rest[index]) return false;
  }
  return true;
}

/** Two characters tell nearly all prefixes apart; most buckets hold one. */
function bucketOf(first: number, fourth: number): number {
  return (first + fourth * 44) & 255;
}
