/**
 * The header names the stack knows: long lower-case name, canonical spelling, compact form (RFC 3261 §7.3.3, IANA
 * registry), and which may stand only once. Recognised in the datagram without making a string of the name.
 */
import { isLetterCode, isToken } from "./lexer.ts";

/** One known name. */
export interface HeaderName {
  /** Long and lower case: the key under which Headers keeps the line. */
  readonly name: string;
  /** As printed. */
  readonly canonical: string;
  /** A bit of its own if a second such header makes the message malformed, else 0. */
  readonly single: number;
  /** Another known name in the same bucket. */
  next: HeaderName | undefined;
}

/** Those with `!` may stand once; after `/` comes the compact form. */
const NAMES = `Via/v From/f! To/t! Call-ID/i! CSeq! Max-Forwards! Contact/m Content-Length/l! Content-Type/c!
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

const BUCKETS: (HeaderName | undefined)[] = new Array<HeaderName | undefined>(1024).fill(undefined);
const COMPACT: (HeaderName | undefined)[] = new Array<HeaderName | undefined>(128).fill(undefined);
const BY_NAME = new Map<string, HeaderName>();

{
  let single = 1;
  for (const entry of NAMES.split(/\s+/)) {
    const once = entry.endsWith("!");
    const [canonical = "", compact] = entry.replace("!", "").split("/");
    const name = canonical.toLowerCase();
    const bucket = bucketOf(name, 0, name.length);
    const known = { name, canonical, single: once ? single : 0, next: BUCKETS[bucket] };
    if (once) single <<= 1;
    BUCKETS[bucket] = known;
    BY_NAME.set(name, known);
    if (compact !== undefined) COMPACT[compact.charCodeAt(0)] = known;
  }
}

/** The known name spelled in `text[start, end)` in whatever case, or in its compact form. */
export function knownName(text: string, start: number, end: number): HeaderName | undefined {
  if (end - start === 1) {
    const code = text.charCodeAt(start);
    return isLetterCode(code) ? COMPACT[code | 32] : undefined;
  }
  let known = BUCKETS[bucketOf(text, start, end)];
  while (known !== undefined && !spells(text, start, end, known)) known = known.next;
  return known;
}

/** The key of a name in whatever case or form; undefined if it is no token. */
export function headerKey(text: string, start: number, end: number): string | undefined {
  const known = knownName(text, start, end);
  if (known !== undefined) return known.name;
  return isToken(text, start, end) ? text.slice(start, end).toLowerCase() : undefined;
}

/** A key as it is printed; an unknown one with each of its words capitalised. */
export function printedName(name: string): string {
  const known = BY_NAME.get(name);
  if (known !== undefined) return known.canonical;
  let printed = "";
  let initial = true;
  for (const character of name) {
    printed += initial ? character.toUpperCase() : character;
    initial = character === "-";
  }
  return printed;
}

function bucketOf(text: string, start: number, end: number): number {
  const first = text.charCodeAt(start) | 32;
  const last = text.charCodeAt(end - 1) | 32;
  return ((end - start) * 37 + first * 11 + last * 3) & 1023;
}

function spells(text: string, start: number, end: number, known: HeaderName): boolean {
  const name = known.name;
  if (end - start !== name.length) return false;
  const canonical = known.canonical;
  for (let index = 0; index < name.length; index += 1) {
    const code = text.charCodeAt(start + index);
    if (code === canonical.charCodeAt(index)) continue;
    if (!isLetterCode(code) || (code | 32) !== name.charCodeAt(index)) return false;
  }
  return true;
}
