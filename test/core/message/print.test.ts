/** What goes out, and the messages that are made from others. */
import assert from "node:assert/strict";
import test from "node:test";
import { Headers } from "../../../src/core/message/headers.ts";
import type { Request, Response } from "../../../src/core/message/message.ts";
import { parseMessage } from "../../../src/core/message/parse.ts";
import { ackFor, cancelFor, printMessage, responseTo } from "../../../src/core/message/print.ts";
import { reasonOf } from "../../../src/core/message/status.ts";

function invite(): Request {
  const headers = new Headers()
    .add("via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKtop, SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKlow")
    .add("via", "SIP/2.0/TCP 192.0.2.3;branch=z9hG4bKlast")
    .add("route", "<sip:p1;lr>")
    .add("route", "<sip:p2;lr>")
    .add("from", "<sip:a@example.com>;tag=1")
    .add("to", "<sip:b@example.com>")
    .add("call-id", "c1")
    .add("cseq", "7 INVITE")
    .add("contact", "<sip:a@192.0.2.1>")
    .add("content-type", "application/sdp");
  return { kind: "request", method: "INVITE", uri: "sip:b@example.com", headers, body: "v=0\r\n" };
}

test("names are printed as the RFCs spell them, unknown ones word by word", () => {
  const headers = new Headers();
  for (const name of ["call-id", "cseq", "www-authenticate", "mime-version", "sip-etag", "rack"]) {
    headers.add(name, "x");
  }
  headers.add("p-asserted-identity", "x").add("x-my-own", "x");
  const printed = printMessage({ kind: "response", status: 200, reason: "OK", headers, body: "" });
  assert.equal(
    printed,
    "SIP/2.0 200 OK\r\nCall-ID: x\r\nCSeq: x\r\nWWW-Authenticate: x\r\nMIME-Version: x\r\nSIP-ETag: x\r\n" +
      "RAck: x\r\nP-Asserted-Identity: x\r\nX-My-Own: x\r\nContent-Length: 0\r\n\r\n",
  );
});

test("Content-Length is that of the body, whatever the header said", () => {
  const request = invite();
  request.headers.add("content-length", "99");
  const printed = printMessage(request);
  assert.equal(printed.match(/Content-Length: /g)?.length, 1);
  assert.ok(printed.endsWith("Content-Length: 5\r\n\r\nv=0\r\n"));
});

test("no value can end a line", () => {
  const request = invite();
  request.headers.add("subject", "a\r\nX-Injected: b");
  const again = parseMessage(printMessage(request));
  assert.ok(again.kind === "request");
  assert.equal(again.headers.has("x-injected"), false);
});

test("what came is printed as it came but for odd spelling, and what was changed in its place", () => {
  const came = [
    "BYE sip:a@b SIP/2.0",
    "v: SIP/2.0/UDP h;branch=z9hG4bK1",
    "From: <sip:a@b>;tag=1",
    "To:  <sip:c@d>",
    "X-Own: y",
    "Call-ID: c",
    "CSeq: 3 BYE",
    "Subject: a\rb",
    "SUPPORTED: x",
    "Content-Length: 2",
    "Route: <sip:p1;lr>",
    "User-Agent: u ",
    "Allow: BYE",
  ];
  const message = parseMessage(`${came.join("\r\n")}\r\n\r\nok`);
  assert.ok(message.kind === "request");
  const printed = (): string[] => printMessage(message).split("\r\n");
  const expected = came.toSpliced(9, 1).concat("Content-Length: 2", "", "ok");
  expected[1] = "Via: SIP/2.0/UDP h;branch=z9hG4bK1";
  expected[3] = "To: <sip:c@d>";
  expected[7] = "Subject: a b";
  expected[8] = "Supported: x";
  expected[10] = "User-Agent: u";
  assert.deepEqual(printed(), expected);
  message.headers.set("call-id", "d").remove("route").prepend("via", "SIP/2.0/UDP g");
  expected[5] = "Call-ID: d";
  assert.deepEqual(printed(), expected.toSpliced(9, 1).toSpliced(1, 0, "Via: SIP/2.0/UDP g"));
});

test("a response copies every Via, From, To, Call-ID and CSeq, and nothing else (RFC 3261 §8.2.6.2)", () => {
  const response = responseTo(invite(), 486, undefined, "t9");
  assert.equal(response.reason, "Busy Here");
  assert.deepEqual(lines(response), [
    "via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKtop, SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKlow",
    "via: SIP/2.0/TCP 192.0.2.3;branch=z9hG4bKlast",
    "from: <sip:a@example.com>;tag=1",
    "to: <sip:b@example.com>;tag=t9",
    "call-id: c1",
    "cseq: 7 INVITE",
  ]);
});

test("a To with a tag keeps it, and a 100 adds none (RFC 3261 §8.2.6.2)", () => {
  assert.equal(responseTo(invite(), 100, undefined, "t9").headers.get("to"), "<sip:b@example.com>");
  const tagged = invite();
  tagged.headers.set("to", "<sip:b@example.com>;tag=old");
  assert.equal(
    responseTo(tagged, 200, "Fine", "t9").headers.get("to"),
    "<sip:b@example.com>;tag=old",
  );
  assert.equal(responseTo(tagged, 200, "Fine").reason, "Fine");
});

test("ACK has one Via of the same branch, the routes, and the To of the response (R38)", () => {
  const request = invite();
  const ack = ackFor(request, responseTo(request, 486, undefined, "t9"));
  assert.equal(ack.uri, "sip:b@example.com");
  assert.deepEqual(lines(ack), [
    "via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKtop",
    "route: <sip:p1;lr>",
    "route: <sip:p2;lr>",
    "max-forwards: 70",
    "from: <sip:a@example.com>;tag=1",
    "to: <sip:b@example.com>;tag=t9",
    "call-id: c1",
    "cseq: 7 ACK",
  ]);
});

test("CANCEL is the request's hop again with its own To (R18)", () => {
  const cancel = cancelFor(invite());
  assert.equal(cancel.method, "CANCEL");
  assert.equal(cancel.headers.get("to"), "<sip:b@example.com>");
  assert.equal(cancel.headers.get("cseq"), "7 CANCEL");
  assert.equal(cancel.headers.get("via"), "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKtop");
  assert.equal(cancel.headers.has("contact"), false);
});

test("an unknown status has the phrase of its class (R4)", () => {
  assert.equal(reasonOf(503), "Service Unavailable");
  assert.equal(reasonOf(599), "Server Failure");
  assert.equal(reasonOf(299), "Success");
});

function lines({ headers }: Request | Response): string[] {
  return Array.from(
    { length: headers.size },
    (_, at) => `${headers.nameAt(at)}: ${headers.valueAt(at)}`,
  );
}
