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
  /** A bit of its own if a second such header makes the message malformed, else 0. */
  readonly single: number;
  /** A bit that few names share, so that most of what a message has not need not be looked for; 0 of unknown ones. */
  readonly mark: number;
  /** Its place among the known names, below 127; NO_NAME of unknown ones. */
  readonly number: number;
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

/** No known name. */
export const NO_NAME = 127;

/** Above the bits of all names that may stand once: further ones are free. */
export const SINGLES_END: number = 1 << 28;

const BY_NAME = new Map<string, HeaderName>();
const BY_NUMBER: HeaderName[] = [];

/**
 * What a line is compared with, by number, close together: following pointers from name to name would take longer than
 * comparing. First the prefixes, each in as many bytes as the longest may take; then what is known of each.
 */
const ROOM = 32;
const PREFIXES: Uint8Array = new Uint8Array(NO_NAME * ROOM);
/** V8 copies slices up to this length, and compares copies at once; longer ones it must first flatten. */
const COPIED = 12;
const OPENINGS: string[] = new Array<string>(NO_NAME).fill("");
/** Of NO_NAME both are 0. */
const LENGTHS: Uint8Array = new Uint8Array(NO_NAME + 1);
const SINGLES: Int32Array = new Int32Array(NO_NAME + 1);
/** The first in a bucket, and the one after each. */
const BUCKETS: Uint8Array = new Uint8Array(256).fill(NO_NAME);
const NEXT: Uint8Array = new Uint8Array(NO_NAME);

{
  let single = 1;
  // The first named end up first in their bucket.
  for (const [number, entry] of [...NAMES.split(/\s+/).entries()].reverse()) {
    const once = entry.endsWith("!");
    const [canonical = "", compact] = entry.replace("!", "").split("/");
    const key = canonical.toLowerCase();
    const prefix = `${canonical}: `;
    const known: HeaderName = {
      key,
      prefix,
      single: once ? single : 0,
      mark: 1 << (number & 31),
      number,
    };
    if (once) single <<= 1;
    PREFIXES.set(
      Array.from(prefix, (character) => character.charCodeAt(0)),
      number * ROOM,
    );
    OPENINGS[number] = prefix.slice(0, COPIED);
    LENGTHS[number] = prefix.length;
    SINGLES[number] = known.single;
    const bucket = bucketOf(prefix.charCodeAt(0), prefix.charCodeAt(3));
    NEXT[number] = BUCKETS[bucket] as number;
    BUCKETS[bucket] = number;
    BY_NUMBER[number] = known;
    BY_NAME.set(key, known);
    if (compact !== undefined) BY_NAME.set(compact, known);
  }
  assert(single <= SINGLES_END, "each name that may stand once has a bit of its own");
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

export function nameNumbered(number: number): HeaderName {
  return BY_NUMBER[number] as HeaderName;
}

/** The length of its prefix. */
export function prefixLength(number: number): number {
  return LENGTHS[number] as number;
}

/** Its `single`. */
export function singleBit(number: number): number {
  return SINGLES[number] as number;
}

/**
 * The number of the name whose prefix, spelled as we would, stands at `start`, where the code `first` does; NO_NAME if
 * none does.
 */
export function usualNumber(text: string, start: number, first: number): number {
  let number = BUCKETS[bucketOf(first, text.charCodeAt(start + 3))] as number;
  while (number !== NO_NAME && !opens(text, start, number)) number = NEXT[number] as number;
  return number;
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
    single: 0,
    mark: 0,
    number: NO_NAME,
  };
}

function opens(text: string, start: number, number: number): boolean {
  const length = LENGTHS[number] as number;
  if (text.slice(start, start + Math.min(length, COPIED)) !== OPENINGS[number]) return false;
  return length <= COPIED || goesOn(text, start, number);
}

/** Whether a prefix longer than COPIED is there to its end. */
function goesOn(text: string, start: number, number: number): boolean {
  const length = LENGTHS[number] as number;
  for (let index = COPIED; index < length; index += 1) {
    if (text.charCodeAt(start + index) !== PREFIXES[number * ROOM + index]) return false;
  }
  return true;
}

/** Two characters tell nearly all prefixes apart; most buckets hold one. */
function bucketOf(first: number, fourth: number): number {
  return (first + fourth * 44) & 255;
}
