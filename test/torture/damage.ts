/** Messages to damage, and damage: from a seed, so that what ever failed can be had again. */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Prng } from "../support/prng.ts";

const FOLDER = join(
  dirname(createRequire(import.meta.url).resolve("sip/package.json")),
  "test/messages",
);

const HEAD = [
  "Via: SIP/2.0/UDP [2001:db8::9]:5062;branch=z9hG4bK-7f31;rport;received=2001:db8::1",
  "Max-Forwards: 70",
  'From: "Front Desk" <sip:2041@pbx.example.net>;tag=9f2c7ab1',
  "To: <sip:2041@pbx.example.net>",
  "Call-ID: 5e0c1b7ad3f94427@192.0.2.44",
];

const OURS = [
  [
    "REGISTER sip:pbx.example.net SIP/2.0",
    ...HEAD,
    "CSeq: 4711 REGISTER",
    'Contact: <sip:2041@192.0.2.44:5062;ob>;+sip.instance="<urn:uuid:1>";expires=600, <sip:a@b>;q=0.5',
    'Authorization: Digest username="2041", realm="pbx", nonce="a8", uri="sip:pbx", response="3c", qop=auth, nc=0000002a',
    "Content-Length: 0",
  ],
  [
    "SIP/2.0 401 Unauthorized",
    ...HEAD,
    "CSeq: 4711 REGISTER",
    'WWW-Authenticate: Digest realm="pbx", nonce="\\"a", algorithm=SHA-256, qop="auth,auth-int"',
    'WWW-Authenticate: Digest realm="pbx", nonce="b", Basic realm="x"',
    "Retry-After: 120 (busy, soon back);duration=60",
    "Record-Route: <sip:198.51.100.7;lr>, <sip:198.51.100.3;lr;did=f61.2ab>",
    "Content-Length: 0",
  ],
].map((lines) => `${lines.join("\r\n")}\r\n\r\n`);

export const CORPUS: readonly string[] = [
  ...OURS,
  ...OURS,
  ...readdirSync(FOLDER)
    .filter((file) => file.endsWith(".dat"))
    .map((file) => readFileSync(join(FOLDER, file), "latin1")),
].map((text) => text.slice(0, 1200));

/** What damage is done with: all that means something somewhere in the grammar. */
const SPLINTERS = [
  ...'\r\n\t "<>;:,=@?&%[]()\\/*\0\x7f\xff0z'.split(""),
  "\r\n",
  "\r\n\r\n",
  "\r\n ",
  '\\"',
  "%00",
  "%zz",
  "sip:",
  ";;",
  ",,",
  "<<",
  "[::1]",
  ":99999",
  "99999999999999999999",
  "-1",
  ";tag=",
  ";rport",
  ";branch=",
  "SIP/2.0",
  "\r\nVia: ",
  "\r\nm: *",
  "\r\nl: 5",
  "\r\nContent-Length: 99999",
];

/** One of the corpus, or `whole`, with one to three blows. */
export function damaged(prng: Prng, whole: string = prng.pick(CORPUS)): string {
  let text = whole;
  for (let blows = 1 + prng.below(3); blows > 0; blows -= 1) {
    const at = prng.below(text.length + 1);
    const reach = Math.min(text.length, at + prng.below(40));
    switch (prng.below(6)) {
      case 0:
        text = text.slice(0, at) + text.slice(reach);
        break;
      case 1:
        text = text.slice(0, reach) + text.slice(at);
        break;
      case 2:
        text = text.slice(0, at) + String.fromCharCode(prng.below(256)) + text.slice(at + 1);
        break;
      case 3: {
        const other = prng.pick(CORPUS);
        const from = prng.below(other.length);
        text = text.slice(0, at) + other.slice(from, from + prng.below(80)) + text.slice(reach);
        break;
      }
      default:
        text = text.slice(0, at) + prng.pick(SPLINTERS) + text.slice(at);
    }
  }
  return text;
}
