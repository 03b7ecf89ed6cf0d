/** The torture messages of RFC 4475, as npm `sip` carries them: parsed, or refused as the RFC says. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import test from "node:test";
import { cseqOf } from "../../src/core/message/cseq.ts";
import { secondsOf } from "../../src/core/message/delta.ts";
import { challengesOf, parseCredentials } from "../../src/core/message/digest.ts";
import { MAX_FORWARDS } from "../../src/core/message/header-names.ts";
import type { Malformed, Message, Request } from "../../src/core/message/message.ts";
import { contactsOf, fromOf, type NameAddr, toOf } from "../../src/core/message/name-addr.ts";
import { parseMessage } from "../../src/core/message/parse.ts";
import { printMessage } from "../../src/core/message/print.ts";
import { tokensOf } from "../../src/core/message/token-list.ts";
import { parseUri, sameUri } from "../../src/core/message/uri.ts";
import { topVia, viasOf } from "../../src/core/message/via.ts";

const FOLDER = join(
  dirname(createRequire(import.meta.url).resolve("sip/package.json")),
  "test/messages",
);

/** What becomes of a message: accepted, answered with a status, or dropped. */
type Fate = "request" | "response" | "dropped" | 400 | 505;

interface Case {
  readonly section: string;
  readonly name: string;
  readonly fate: Fate;
  readonly also?: (message: Message) => void;
}

const CASES: readonly Case[] = [
  {
    section: "3.1.1.1",
    name: "wsinv",
    fate: "request",
    also: (message) => {
      assert.equal(toOf(message.headers)?.tag, "1918181833n");
      assert.equal(fromOf(message.headers)?.tag, "98asjd8");
      assert.equal(fromOf(message.headers)?.display, 'J Rosenberg \\"');
      assert.deepEqual(cseqOf(message.headers), { number: 9, method: "INVITE" });
      const vias = viasOf(message.headers)?.map((via) => [via.transport, via.sentBy, via.branch]);
      assert.deepEqual(vias, [
        ["UDP", "192.0.2.2", "390skdjuw"],
        ["TCP", "spindle.example.com", "z9hG4bK9ikj8"],
        ["UDP", "192.168.255.111", "z9hG4bK30239"],
      ]);
      const [contact] = contactsOf(message.headers) as NameAddr[];
      assert.equal(contact?.display, 'Quoted string ""');
      assert.equal(contact?.q, 0.33);
      assert.equal(contact?.param("newparam"), "newvalue");
      assert.equal(contact?.param("secondparam"), "");
      assert.equal(message.headers.number(MAX_FORWARDS, 255), 68);
      assert.equal(
        message.headers.get("newfangledheader"),
        "newfangled value continued newfangled value",
      );
      assert.equal(message.headers.get("subject"), "");
      assert.equal(message.body.length, 150);
    },
  },
  {
    section: "3.1.1.2",
    name: "intmeth",
    fate: "request",
    also: (message) => {
      const { method, uri } = message as Request;
      assert.equal(method, "!interesting-Method0123456789_*+`.%indeed'~");
      const parsed = parseUri(uri);
      assert.equal(parsed?.user, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
      assert.equal(parsed?.password, "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)");
      assert.equal(parsed?.host, "example.com");
      assert.equal(toOf(message.headers)?.display, "BEL:\x07 NUL:\x00 DEL:\x7f");
      assert.equal(fromOf(message.headers)?.tag, "_token~1'+`*%!-.");
      assert.equal(fromOf(message.headers)?.display, "token1~` token2'+_ token3*%!.-");
    },
  },
  {
    section: "3.1.1.3",
    name: "esc01",
    fate: "request",
    also: (message) => {
      assert.equal(parseUri((message as Request).uri)?.user, "sips%3Auser%40example.com");
      const to = parseUri(toOf(message.headers)?.uri ?? "");
      const plain = parseUri("sip:user@example.com");
      assert.ok(to !== undefined && plain !== undefined && sameUri(to, plain));
    },
  },
  {
    section: "3.1.1.4",
    name: "escnull",
    fate: "request",
    also: (message) => {
      const [one, two] = contactsOf(message.headers) as NameAddr[];
      const left = parseUri(one?.uri ?? "");
      const right = parseUri(two?.uri ?? "");
      assert.ok(left !== undefined && right !== undefined && !sameUri(left, right));
    },
  },
  {
    section: "3.1.1.5",
    name: "esc02",
    fate: "request",
    also: (message) => {
      assert.equal((message as Request).method, "RE%47IST%45R");
      assert.equal((contactsOf(message.headers) as NameAddr[]).length, 2);
      assert.equal(message.headers.get("c%6fntact"), "<sip:alias2@host2.example.com>");
    },
  },
  {
    section: "3.1.1.6",
    name: "lwsdisp",
    fate: "request",
    also: (message) => assert.equal(fromOf(message.headers)?.display, "caller"),
  },
  {
    section: "3.1.1.7",
    name: "longreq",
    fate: "request",
    also: (message) => {
      assert.equal(viasOf(message.headers)?.length, 34);
      assert.equal(toOf(message.headers)?.uri.startsWith("sip:user@example.com:6000;"), true);
    },
  },
  {
    section: "3.1.1.8",
    name: "dblreq",
    fate: "request",
    also: (message) => {
      assert.equal((message as Request).method, "REGISTER");
      assert.equal(message.body, "");
    },
  },
  {
    section: "3.1.1.9",
    name: "semiuri",
    fate: "request",
    also: (message) => {
      const uri = parseUri((message as Request).uri);
      assert.equal(uri?.user, "user;par=u%40example.net");
      assert.equal(uri?.params, "");
      assert.equal(tokensOf(message.headers, "accept").length, 6);
    },
  },
  {
    section: "3.1.1.10",
    name: "transports",
    fate: "request",
    also: (message) => {
      const transports = viasOf(message.headers)?.map((via) => via.transport);
      assert.deepEqual(transports, ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);
    },
  },
  {
    section: "3.1.1.11",
    name: "mpart01",
    fate: "request",
    also: (message) => assert.equal(message.body.length, 553),
  },
  {
    section: "3.1.1.12",
    name: "unreason",
    fate: "response",
    also: (message) => {
      assert.ok(message.kind === "response" && message.reason.startsWith("= 2**3 * 5**2 "));
    },
  },
  {
    section: "3.1.1.13",
    name: "noreason",
    fate: "response",
    also: (message) => assert.ok(message.kind === "response" && message.reason === ""),
  },
  { section: "3.1.2.1", name: "badinv01", fate: 400 },
  { section: "3.1.2.2", name: "clerr", fate: 400 },
  { section: "3.1.2.3", name: "ncl", fate: 400 },
  { section: "3.1.2.4", name: "scalar02", fate: 400 },
  { section: "3.1.2.5", name: "scalarlg", fate: "dropped" },
  { section: "3.1.2.6", name: "quotbal", fate: 400 },
  { section: "3.1.2.7", name: "ltgtruri", fate: 400 },
  { section: "3.1.2.8", name: "lwsruri", fate: 400 },
  { section: "3.1.2.9", name: "lwsstart", fate: 400 },
  { section: "3.1.2.10", name: "trws", fate: 400 },
  { section: "3.1.2.11", name: "escruri", fate: 400 },
  {
    section: "3.1.2.12",
    name: "baddate",
    fate: "request",
    also: (message) => assert.equal(message.headers.get("date"), "Fri, 01 Jan 2010 16:00:00 EST"),
  },
  {
    section: "3.1.2.13",
    name: "regbadct",
    fate: "request",
    // The registrar, who alone reads Contact, refuses it with 400.
    also: (message) => assert.equal(contactsOf(message.headers), undefined),
  },
  { section: "3.1.2.14", name: "badaspec", fate: 400 },
  { section: "3.1.2.15", name: "baddn", fate: 400 },
  { section: "3.1.2.16", name: "badvers", fate: 505 },
  { section: "3.1.2.17", name: "mismatch01", fate: 400 },
  { section: "3.1.2.18", name: "mismatch02", fate: 400 },
  { section: "3.1.2.19", name: "bigcode", fate: "dropped" },
  {
    section: "3.2.1",
    name: "badbranch",
    fate: "request",
    also: (message) => assert.equal(topVia(message.headers)?.branch, "z9hG4bK"),
  },
  { section: "3.3.1", name: "insuf", fate: 400 },
  {
    section: "3.3.2",
    name: "unkscm",
    fate: "request",
    // Whoever serves the Request-URI answers 416.
    also: (message) => assert.equal(parseUri((message as Request).uri), undefined),
  },
  {
    section: "3.3.3",
    name: "novelsc",
    fate: "request",
    also: (message) => assert.equal((message as Request).uri, "soap.beep://192.0.2.103:3002"),
  },
  {
    section: "3.3.4",
    name: "unksm2",
    fate: "request",
    also: (message) => {
      assert.equal(toOf(message.headers)?.uri, "isbn:2983792873");
      assert.equal((contactsOf(message.headers) as NameAddr[])[0]?.uri, "name:John_Smith");
    },
  },
  {
    section: "3.3.5",
    name: "bext01",
    fate: "request",
    also: (message) => {
      assert.deepEqual(tokensOf(message.headers, "require"), [
        "nothingSupportsThis",
        "nothingSupportsThisEither",
      ]);
    },
  },
  {
    section: "3.3.6",
    name: "invut",
    fate: "request",
    also: (message) => {
      assert.equal(message.headers.get("content-type"), "application/unknownformat");
    },
  },
  {
    section: "3.3.7",
    name: "regaut01",
    fate: "request",
    also: (message) => {
      assert.equal(parseCredentials(message.headers.get("authorization") ?? ""), undefined);
      assert.deepEqual(challengesOf(message.headers, "www-authenticate"), []);
    },
  },
  { section: "3.3.8", name: "multi01", fate: 400 },
  { section: "3.3.9", name: "mcl01", fate: 400 },
  {
    section: "3.3.10",
    name: "bcast",
    fate: "response",
    // A UAC drops it for its second Via (R5).
    also: (message) => assert.equal(viasOf(message.headers)?.[1]?.host, "255.255.255.255"),
  },
  {
    section: "3.3.11",
    name: "zeromf",
    fate: "request",
    also: (message) => assert.equal(message.headers.number(MAX_FORWARDS, 255), 0),
  },
  {
    section: "3.3.12",
    name: "cparam01",
    fate: "request",
    also: (message) => {
      const [contact] = contactsOf(message.headers) as NameAddr[];
      assert.equal(contact?.uri, "sip:+19725552222@gw1.example.net");
      assert.equal(contact?.param("unknownparam"), "");
    },
  },
  {
    section: "3.3.13",
    name: "cparam02",
    fate: "request",
    also: (message) => {
      const [contact] = contactsOf(message.headers) as NameAddr[];
      assert.equal(contact?.uri, "sip:+19725552222@gw1.example.net;unknownparam");
      assert.equal(contact?.params, "");
    },
  },
  {
    section: "3.3.14",
    name: "regescrt",
    fate: "request",
    also: (message) => {
      const [contact] = contactsOf(message.headers) as NameAddr[];
      assert.equal(parseUri(contact?.uri ?? "")?.headers, "Route=%3Csip:sip.example.com%3E");
    },
  },
  {
    section: "3.3.15",
    name: "sdp01",
    fate: "request",
    also: (message) => assert.equal(message.headers.get("accept"), "text/nobodyKnowsThis"),
  },
  {
    section: "3.4.1",
    name: "inv2543",
    fate: "request",
    also: (message) => {
      assert.equal(topVia(message.headers)?.branch, "");
      assert.equal(fromOf(message.headers)?.tag, undefined);
      assert.equal(secondsOf(message.headers, "expires"), undefined);
      assert.equal(message.body.length, 105);
    },
  },
];

function read(name: string): string {
  const text = readFileSync(join(FOLDER, `${name}.dat`), "latin1");
  // The file lacks its empty line, which stands in another one.
  return name === "baddn" ? text + readFileSync(join(FOLDER, "baddn_sep.dat"), "latin1") : text;
}

function fateOf(message: Message | Malformed): Fate {
  if (message.kind !== "malformed") return message.kind;
  return message.request === undefined ? "dropped" : (message.status as Fate);
}

for (const { section, name, fate, also } of CASES) {
  test(`RFC 4475 §${section} ${name}: ${typeof fate === "number" ? `answered ${fate}` : fate}`, () => {
    const message = parseMessage(read(name));
    assert.equal(fateOf(message), fate, message.kind === "malformed" ? message.reason : "");
    if (message.kind === "malformed") return;
    also?.(message);
    const again = parseMessage(printMessage(message));
    assert.deepEqual(contentOf(again), contentOf(message), "printed and parsed, it is the same");
  });
}

test("all 49 messages of RFC 4475 are in the table", () => {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith(".dat"));
  const others = new Set(["baddn_sep.dat", "badcseq.dat", "test.dat"]);
  const messages = files.filter((file) => !others.has(file)).map((file) => file.slice(0, -4));
  assert.equal(CASES.length, 49);
  assert.deepEqual(CASES.map(({ name }) => name).sort(), messages.sort());
});

/** All that a message says, Content-Length apart. */
function contentOf(message: Message | Malformed): unknown {
  if (message.kind === "malformed") return message;
  const { headers, body } = message;
  const lines = Array.from({ length: headers.size }, (_, at) => [
    headers.nameAt(at),
    headers.valueAt(at),
  ]).filter(([name]) => name !== "content-length");
  const first =
    message.kind === "request" ? [message.method, message.uri] : [message.status, message.reason];
  return { first, lines, body };
}
