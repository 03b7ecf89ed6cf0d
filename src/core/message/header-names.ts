/**
 * The header names the stack knows: long lower-case name, canonical spelling, compact form (RFC 3261 §7.3.3, IANA
 * registry), and which may stand only once. The usual
 * spelling is recognised without making a string of the name.
 */
import { isToken } from "./lexer.ts";

/** One known name. */
export interface HeaderName {
  /** Long and lower case: the key under which Headers keeps the line. */
  readonly name: string;
  /** `Name: ` as it is printed, and as most senders write it. */
  readonly prefix: string;
  /** A bit of its own if a second such header makes the message malformed, else 0. */
  readonly single: number;
  /** Another known name whose prefix shares the bucket. */
  readonly next: HeaderName | undefined;
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

const BY_PREFIX: (HeaderName | undefined)[] = new Array<HeaderName | undefined>(256).fill(
  undefined,
);
const BY_NAME = new Map<string, HeaderName>();

{
  let single = 1;
  // The first named end up first in their bucket.
  for (const entry of NAMES.split(/\s+/).reverse()) {
    const once = entry.endsWith("!");
    const [canonical = "", compact] = entry.replace("!", "").split("/");
    const name = canonical.toLowerCase();
    const prefix = `${canonical}: `;
    const bucket = bucketOf(prefix, 0);
    const next = BY_PREFIX[bucket];
    const known: HeaderName = { name, prefix, single: once ? single : 0, next };
    if (once) single <<= 1;
    BY_PREFIX[bucket] = known;
    BY_NAME.set(name, known);
    if (compact !== undefined) BY_NAME.set(compact, known);
  }
}

/** The name whose prefix, spelled as we would, stands at `start`. */
export function usualName(text: string, start: number): HeaderName | undefined {
  let known = BY_PREFIX[bucketOf(text, start)];
  while (known !== undefined && text.slice(start, start + known.prefix.length) !== known.prefix) {
    known = known.next;
  }
  return known;
}

/** The known name spelled in `text[start, end)` in whatever case, or in its compact form. */
export function knownName(text: string, start: number, end: number): HeaderName | undefined {
  return BY_NAME.get(text.slice(start, end).toLowerCase());
}

/** The key of a name in whatever case or form; undefined if it is no token. */
export function headerKey(text: string, start: number, end: number): string | undefined {
  const lower = text.slice(start, end).toLowerCase();
  return BY_NAME.get(lower)?.name ?? (isToken(lower, 0, lower.length) ? lower : undefined);
}

/** A key as it is printed, with colon and blank; an unknown one with each of its words capitalised. */
export function printedPrefix(name: string): string {
  const known = BY_NAME.get(name);
  if (known !== undefined) return known.prefix;
  let printed = "";
  let initial = true;
  for (const character of name) {
    printed += initial ? character.toUpperCase() : character;
    initial = character === "-";
  }
  return `${printed}: `;
}

/** Two characters tell nearly all prefixes apart; most buckets hold one. */
function bucketOf(text: string, start: number): number {
  return (text.charCodeAt(start) + text.charCodeAt(start + 3) * 44) & 255;
}
