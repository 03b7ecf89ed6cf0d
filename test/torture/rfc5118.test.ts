/** The IPv6 torture cases of RFC 5118 §4 in messages of our own (R123). */
import assert from "node:assert/strict";
import test from "node:test";
import type { Message } from "../../src/core/message/message.ts";
import { contactsOf, type NameAddr } from "../../src/core/message/name-addr.ts";
import { parseMessage } from "../../src/core/message/parse.ts";
import { printMessage } from "../../src/core/message/print.ts";
import { parseUri } from "../../src/core/message/uri.ts";
import { stampSource, topVia, viasOf } from "../../src/core/message/via.ts";

function register(uri: string, via: string, contact: string): string {
  return [
    `REGISTER ${uri} SIP/2.0`,
    "To: sip:user@example.com",
    "From: sip:user@example.com;tag=81x2",
    ...via.split("\n").map((value) => `Via: ${value}`),
    "Call-ID: SSG9559905523997077@hlau_4100",
    "Max-Forwards: 70",
    `Contact: ${contact}`,
    "CSeq: 98176 REGISTER",
    "Content-Length: 0",
    "",
    "",
  ].join("\r\n");
}

const VIA = "SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111";
const CONTACT = '"Caller" <sip:caller@[2001:db8::1]>';

function accepted(text: string): Message {
  const message = parseMessage(text);
  assert.ok(message.kind !== "malformed", message.kind === "malformed" ? message.reason : "");
  const again = parseMessage(printMessage(message));
  assert.ok(again.kind !== "malformed");
  assert.equal(again.headers.get("via"), message.headers.get("via"));
  return message;
}

test("§4.1 an IPv6 reference may stand in Request-URI, Via and Contact (R123)", () => {
  const message = accepted(register("sip:[2001:db8::10]", VIA, CONTACT));
  assert.ok(message.kind === "request");
  assert.deepEqual(parseUri(message.uri), {
    scheme: "sip",
    user: "",
    host: "[2001:db8::10]",
    port: 0,
    params: "",
    headers: "",
  });
  assert.equal(topVia(message.headers)?.host, "[2001:db8::9:1]");
  const [contact] = contactsOf(message.headers) as NameAddr[];
  assert.equal(parseUri(contact?.uri ?? "")?.host, "[2001:db8::1]");
});

test("§4.2 an IPv6 address without brackets in the Request-URI is answered 400 (R123)", () => {
  const message = parseMessage(register("sip:2001:db8::10", VIA, CONTACT));
  assert.ok(message.kind === "malformed" && message.request !== undefined);
  assert.equal(message.status, 400);
});

test("§4.3 what looks like a port inside the brackets belongs to the address (R123)", () => {
  const message = accepted(register("sip:[2001:db8::10:5070]", VIA, CONTACT));
  assert.ok(message.kind === "request");
  const uri = parseUri(message.uri);
  assert.deepEqual([uri?.host, uri?.port], ["[2001:db8::10:5070]", 0]);
});

test("§4.4 a port stands behind the brackets (R123)", () => {
  const message = accepted(register("sip:[2001:db8::10]:5070", VIA, CONTACT));
  assert.ok(message.kind === "request");
  const uri = parseUri(message.uri);
  assert.deepEqual([uri?.host, uri?.port], ["[2001:db8::10]", 5070]);
});

test("§4.5 received is read with and without brackets and written without (R123)", () => {
  for (const received of ["[2001:db8::9:255]", "2001:db8::9:255"]) {
    const message = accepted(
      register("sip:[2001:db8::10]", `${VIA};received=${received}`, CONTACT),
    );
    assert.equal(topVia(message.headers)?.received, "2001:db8::9:255");
  }
  const message = accepted(register("sip:[2001:db8::10]", `${VIA};rport`, CONTACT));
  stampSource(message.headers, "2001:db8::9:255", 5060);
  assert.equal(message.headers.get("via"), `${VIA};rport=5060;received=2001:db8::9:255`);
});

test("§4.6 IPv6 addresses in SDP pass through untouched (R123)", () => {
  const body = "v=0\r\no=assistant 971731711378798081 0 IN IP6 2001:db8::20\r\ns=-\r\n";
  const head = register("sip:[2001:db8::10]", VIA, CONTACT);
  const text = head.replace("Length: 0", `Length: ${body.length}`) + body;
  assert.equal(accepted(text).body, body);
});

test("§4.7 IPv4 and IPv6 hops stand in one message (R123)", () => {
  const lower = "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKas3-112;received=192.0.2.2";
  const message = accepted(register("sip:user@example.com", `${VIA}\n${lower}`, CONTACT));
  const hosts = viasOf(message.headers)?.map((via) => via.host);
  assert.deepEqual(hosts, ["[2001:db8::9:1]", "192.0.2.1"]);
});

test("§4.9 an IPv4-mapped address is an IPv6 reference (R123)", () => {
  const via = "SIP/2.0/UDP [::ffff:192.0.2.10]:19823;branch=z9hG4bKbh19";
  const contact = '"T. desk phone" <sip:ted@[::ffff:192.0.2.2]>';
  const message = accepted(register("sip:user@example.com", via, contact));
  const top = topVia(message.headers);
  assert.deepEqual([top?.host, top?.port], ["[::ffff:192.0.2.10]", 19823]);
  const [ted] = contactsOf(message.headers) as NameAddr[];
  assert.equal(parseUri(ted?.uri ?? "")?.host, "[::ffff:192.0.2.2]");
});

test("§4.10 the three colons that the grammar of RFC 3261 lets through stop no parser (R123)", () => {
  const message = accepted(register("sip:user@[2001:db8:::192.0.2.1]", VIA, CONTACT));
  assert.ok(message.kind === "request");
  assert.equal(parseUri(message.uri)?.host, "[2001:db8:::192.0.2.1]");
});

test("a host in brackets that is no address is refused (R123)", () => {
  assert.equal(parseUri("sip:[example.com]"), undefined);
  assert.equal(parseUri("sip:[2001:db8::1"), undefined);
  assert.equal(parseUri("sip:[]"), undefined);
  const message = parseMessage(
    register("sip:a.example", "SIP/2.0/UDP [x];branch=z9hG4bK1", CONTACT),
  );
  assert.ok(message.kind === "malformed" && message.request === undefined);
});
