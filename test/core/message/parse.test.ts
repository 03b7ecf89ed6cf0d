/** What is accepted as a message, and what becomes of the rest. */
import assert from "node:assert/strict";
import test from "node:test";
import { CONTENT_LENGTH, MAX_FORWARDS } from "../../../src/core/message/header-names.ts";
import {
  MAX_HEADERS,
  MAX_LINE_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_URI_BYTES,
} from "../../../src/core/message/limits.ts";
import type { Malformed, Message, Request } from "../../../src/core/message/message.ts";
import { parseMessage } from "../../../src/core/message/parse.ts";

const LINES = [
  "OPTIONS sip:example.com SIP/2.0",
  "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1",
  "Max-Forwards: 70",
  "From: <sip:a@example.com>;tag=1",
  "To: <sip:b@example.com>",
  "Call-ID: c1",
  "CSeq: 1 OPTIONS",
  "Content-Length: 0",
];

/** The sample with some lines replaced (by the part before the colon) or, for `undefined`, left out. */
function text(changes: Record<string, string | undefined> = {}, body = ""): string {
  const lines = LINES.flatMap((line, index) => {
    const name = index === 0 ? "start" : line.slice(0, line.indexOf(":"));
    if (!(name in changes)) return line;
    return changes[name] ?? [];
  });
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

function request(given: string): Request {
  const message = parseMessage(given);
  assert.equal(message.kind, "request", message.kind === "malformed" ? message.reason : "");
  return message as Request;
}

function refused(given: string): Malformed {
  const message = parseMessage(given);
  assert.equal(message.kind, "malformed");
  return message as Malformed;
}

test("header names are known in any case and in compact form (R9)", () => {
  const { headers } = request(
    text({ Via: "v: SIP/2.0/UDP h;branch=z9hG4bK2", "Call-ID": "CALL-id:x" }),
  );
  assert.equal(headers.get("via"), "SIP/2.0/UDP h;branch=z9hG4bK2");
  assert.equal(headers.get("call-id"), "x");
  assert.equal(headers.number(MAX_FORWARDS, 255), 70);
});

test("an unknown header is kept under its lower-case name (R9)", () => {
  const { headers } = request(text({ "Call-ID": "X-Thing : one\r\nCall-ID: c\r\nx-thing: two" }));
  assert.deepEqual(headers.all("x-thing"), ["one", "two"]);
  assert.equal(headers.nameAt(4), "x-thing");
});

test("a folded line is one value, each fold one blank (R9)", () => {
  const { headers } = request(text({ "Call-ID": "Subject: a \r\n\t b\r\n  c\r\nCall-ID:\r\n x" }));
  assert.equal(headers.get("subject"), "a b c");
  assert.equal(headers.get("call-id"), "x");
});

test("blanks around a value are no part of it", () => {
  const { headers } = request(text({ "Call-ID": "Call-ID:  \t c2 \t" }));
  assert.equal(headers.get("call-id"), "c2");
});

test("CRLF before the start line is skipped (RFC 3261 §7.5)", () => {
  assert.equal(request(`\r\n\r\n${text()}`).method, "OPTIONS");
});

test("bytes behind Content-Length are cut off (R48)", () => {
  assert.equal(request(text({ "Content-Length": "l: 3" }, "abcdef")).body, "abc");
  assert.equal(request(text({ "Content-Length": undefined }, "abcdef")).body, "abcdef");
});

test("a body shorter than Content-Length is answered 400, in a response dropped (R48)", () => {
  const short = { "Content-Length": "Content-Length: 4" };
  const malformed = refused(text(short, "abc"));
  assert.equal(malformed.status, 400);
  assert.equal(malformed.request?.headers.get("call-id"), "c1");
  assert.equal(refused(text({ start: "SIP/2.0 200 OK", ...short }, "abc")).request, undefined);
});

test("what a request lacks or says twice is answered 400 with the rest of it", () => {
  const faults: Record<string, string | undefined>[] = [
    { "Call-ID": undefined },
    { CSeq: undefined },
    { From: undefined },
    { To: undefined },
    { "Call-ID": "Call-ID: a b" },
    { "Call-ID": "Call-ID:" },
    { CSeq: "CSeq: 1 INVITE" },
    { CSeq: "CSeq: 1" },
    { CSeq: "CSeq: 1OPTIONS" },
    { CSeq: "CSeq: 2147483648 OPTIONS" },
    { CSeq: "CSeq: -1 OPTIONS" },
    { "Max-Forwards": "Max-Forwards: 256" },
    { "Max-Forwards": "Max-Forwards: x" },
    { "Content-Length": "Content-Length: 0x0" },
    { From: "From: <sip:a@example.com>;tag=1\r\nf: <sip:a@example.com>;tag=1" },
    { To: 'To: "open <sip:b@example.com>' },
    { To: "To: <sip:b@example.com" },
    { To: "To: b@example.com" },
    { From: "From: <sip:a@example.com>;tag=1;;" },
    { Via: "Via: SIP/2.0/UDP h;branch=z9hG4bK1, x" },
    { Via: "Via: SIP/2.0/UDP h:99999;branch=z9hG4bK1\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1" },
    { Subject: "" },
    { start: "OPTIONS  sip:example.com SIP/2.0" },
    { start: "OPTIONS sip:example.com:0 SIP/2.0" },
    { start: "OPTIONS sip:a@ SIP/2.0" },
    { start: "OPTIONS example.com SIP/2.0" },
  ];
  for (const fault of faults) {
    const given = "Subject" in fault ? text({ CSeq: "CSeq: 1 OPTIONS\r\nno colon" }) : text(fault);
    const malformed = refused(given);
    assert.equal(malformed.status, 400, JSON.stringify(fault));
    if (given.includes("h:99999")) continue;
    assert.ok(malformed.request !== undefined, JSON.stringify(fault));
  }
});

test("a request that names no way back is dropped, and so is a bad ACK", () => {
  assert.equal(refused(text({ Via: undefined })).request, undefined);
  assert.equal(refused(text({ Via: "Via: nonsense" })).request, undefined);
  const ack = text({ start: "ACK sip:example.com SIP/2.0", CSeq: "CSeq: 1 INVITE" });
  assert.equal(refused(ack).request, undefined);
});

test("another SIP version is answered 505, another protocol dropped", () => {
  assert.equal(refused(text({ start: "OPTIONS sip:example.com SIP/3.0" })).status, 505);
  assert.equal(refused(text({ start: "GET / HTTP/1.1" })).request, undefined);
  assert.equal(refused(text({ start: "SIP/3.0 200 OK" })).request, undefined);
  for (const noise of ["", "\r\n", "\r\n\r\n", "\0".repeat(20), "x\r\n\r\n", "\n\n"]) {
    assert.equal(refused(noise).request, undefined);
  }
});

test("the version is known in any case, in requests and responses (RFC 3261 §7.1)", () => {
  assert.equal(request(text({ start: "OPTIONS sip:example.com Sip/2.0" })).uri, "sip:example.com");
  const response = parseMessage(text({ start: "sip/2.0 200 ok" }));
  assert.equal(response.kind === "response" && `${response.status} ${response.reason}`, "200 ok");
});

test("a response has a status of three digits and any reason (RFC 3261 §7.2)", () => {
  for (const line of ["SIP/2.0 99 x", "SIP/2.0 700 x", "SIP/2.0 2000 x", "SIP/2.0 2a0 x"]) {
    refused(text({ start: line }));
  }
  const message = parseMessage(text({ start: "SIP/2.0 480 a b  c" })) as Message;
  assert.ok(message.kind === "response");
  assert.deepEqual([message.status, message.reason], [480, "a b  c"]);
  const bare = parseMessage(text({ start: "SIP/2.0 480" }));
  assert.ok(bare.kind === "response" && bare.reason === "");
});

test("a line that ends in CR or LF alone makes the message malformed", () => {
  assert.equal(refused(text({ "Call-ID": "Subject: a\nX: b\r\nCall-ID: c" })).status, 400);
  refused(text({ "Call-ID": "Call-ID: a\rb" }));
  refused(text({ From: "From: <sip:a\r@example.com>;tag=1" }));
  refused(text({ Via: "Via: SIP/2.0/UDP h;branch=z9\r1" }));
  refused(text({ "Call-ID": "Subject: a\n b\r\nCall-ID: c" }));
  refused(text({ start: "SIP/2.0 200 O\rK" }));
});

test("over each limit is an answer (architecture §5)", () => {
  const many = "X-Y: z\r\n".repeat(MAX_HEADERS);
  assert.equal(refused(text({ "Call-ID": `${many}Call-ID: c` })).status, 513);
  const blanks = "\r\n ".repeat(MAX_LINE_BYTES / 2);
  assert.equal(refused(text({ "Call-ID": `Subject: ${"x".repeat(MAX_LINE_BYTES)}` })).status, 513);
  assert.equal(refused(text({ "Call-ID": `Subject: ${blanks}x` })).status, 513);
  const long = `sip:${"u".repeat(MAX_URI_BYTES)}@example.com`;
  assert.equal(refused(text({ start: `OPTIONS ${long} SIP/2.0` })).status, 414);
  const body = "b".repeat(MAX_MESSAGE_BYTES);
  const large = refused(text({ "Content-Length": `Content-Length: ${body.length}` }, body));
  assert.equal(large.status, 513);
  assert.ok(large.request !== undefined);
});

test("the offset of a fault is where it stands", () => {
  const given = text({ CSeq: "CSeq: 1 OPTIONS\r\nno colon here" });
  assert.equal(refused(given).offset, given.indexOf("no colon"));
});

test("what no URI may hold makes a Request-URI malformed wherever it stands (RFC 3261 §25.1)", () => {
  for (const uri of [
    "sip:a@b;x=<y>",
    'sip:a@b;x="y"',
    "sip:a@b;x%zz",
    "sip:a@b;x=?h=v",
    "sip:a@b?h=v",
  ]) {
    const malformed = parseMessage(text({ start: `OPTIONS ${uri} SIP/2.0` }));
    assert.ok(malformed.kind === "malformed" && malformed.request !== undefined, uri);
    assert.equal(malformed.reason, "malformed Request-URI", uri);
  }
  for (const uri of [
    "sips:a@b:5061;transport=tcp;lr",
    "sip:+49%2030@[2001:db8::9]:5062;user=phone",
    "sip:b",
  ]) {
    assert.equal(request(text({ start: `OPTIONS ${uri} SIP/2.0` })).uri, uri);
  }
});

test("a Request-URI of another scheme is let through (RFC 4475 §3.3.2)", () => {
  assert.equal(
    request(text({ start: "OPTIONS tel:+1-201-555;ext=3 SIP/2.0" })).uri,
    "tel:+1-201-555;ext=3",
  );
  assert.equal(request(text()).headers.number(CONTENT_LENGTH, 9), 0);
});

test("a blank in a quoted value at the end of Via is no Max-Forwards", () => {
  const lines = ["From: <sip:a@b>;tag=1", "To: <sip:b@b>", "Call-ID: c", "CSeq: 1 OPTIONS"];
  for (const value of ["a b", "a ", "a 7", " ", "70"]) {
    const via = `SIP/2.0/UDP h:5060;branch=z9hG4bKa;x="${value}"`;
    for (const hops of [undefined, "70", "7"]) {
      const more = hops === undefined ? [] : [`Max-Forwards: ${hops}`];
      const head = ["OPTIONS sip:a@b SIP/2.0", `Via: ${via}`, ...more, ...lines, "", ""];
      const { headers } = request(head.join("\r\n"));
      assert.deepEqual([headers.get("via"), headers.get("max-forwards")], [via, hops]);
    }
  }
});
