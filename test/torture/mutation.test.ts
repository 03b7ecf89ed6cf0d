/**
 * A million damaged messages from fixed seeds: none raises an exception, and what is accepted can be printed
 * and read again.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import test from "node:test";
import { cseqOf } from "../../src/core/message/cseq.ts";
import { parseRetryAfter } from "../../src/core/message/delta.ts";
import { challengesOf, parseChallenges, parseCredentials } from "../../src/core/message/digest.ts";
import type { Message } from "../../src/core/message/message.ts";
import { contactsOf, fromOf, nameAddrsOf, toOf } from "../../src/core/message/name-addr.ts";
import { parseMessage } from "../../src/core/message/parse.ts";
import { ackFor, cancelFor, printMessage, responseTo } from "../../src/core/message/print.ts";
import { tokensOf } from "../../src/core/message/token-list.ts";
import { addressOfRecord, parseUri, printUri, sameUriText } from "../../src/core/message/uri.ts";
import { removeTopVia, stampSource, topVia, viasOf } from "../../src/core/message/via.ts";
import { Prng } from "../support/prng.ts";

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const MESSAGES_PER_SEED = 100_000;

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

const CORPUS = [
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

function damaged(prng: Prng): string {
  let text = prng.pick(CORPUS);
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

function readAll({ headers }: Message): void {
  const uris = [fromOf(headers)?.uri ?? "", toOf(headers)?.uri ?? ""];
  fromOf(headers)?.tag;
  cseqOf(headers);
  for (const via of viasOf(headers) ?? []) void [via.received, via.rport, via.maddr, via.ttl];
  const contacts = contactsOf(headers);
  if (contacts !== undefined && contacts !== "*") {
    for (const contact of contacts) {
      void [contact.expires, contact.q, contact.param("+sip.instance")];
      uris.push(contact.uri);
    }
  }
  for (const name of ["route", "record-route", "path"]) nameAddrsOf(headers, name);
  for (const uri of uris) {
    const parsed = parseUri(uri);
    if (parsed === undefined) continue;
    addressOfRecord(parsed);
    assert.ok(sameUriText(printUri(parsed), uri), `${uri} printed is another URI`);
  }
  challengesOf(headers, "www-authenticate");
  for (const line of headers.all("authorization")) parseCredentials(line);
  tokensOf(headers, "supported");
  for (let index = 0; index < headers.size; index += 7) {
    parseChallenges(headers.valueAt(index));
    parseRetryAfter(headers.valueAt(index));
  }
}

function answerAll(message: Message): void {
  if (message.kind === "response") {
    removeTopVia(message.headers);
    return;
  }
  stampSource(message.headers, "192.0.2.77", 4242);
  assert.ok(topVia(message.headers) !== undefined);
  const response = responseTo(message, 404, undefined, "t1");
  for (const made of [response, ackFor(message, response), cancelFor(message)]) {
    const again = parseMessage(printMessage(made));
    assert.notEqual(again.kind, "malformed", JSON.stringify([message, again]));
  }
}

for (const seed of SEEDS) {
  test(`${MESSAGES_PER_SEED} damaged messages of seed ${seed} raise no exception`, () => {
    const prng = new Prng(seed);
    let accepted = 0;
    for (let count = 0; count < MESSAGES_PER_SEED; count += 1) {
      const text = damaged(prng);
      try {
        const message = parseMessage(text);
        if (message.kind === "malformed") continue;
        accepted += 1;
        if (count % 4 !== 0) continue;
        readAll(message);
        const again = parseMessage(printMessage(message));
        assert.equal(again.kind, message.kind, again.kind === "malformed" ? again.reason : "");
        answerAll(message);
      } catch (error) {
        throw new Error(`message ${count}: ${JSON.stringify(text)}`, { cause: error });
      }
    }
    assert.ok(accepted > MESSAGES_PER_SEED / 20, `only ${accepted} were accepted`);
  });
}
