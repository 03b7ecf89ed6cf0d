/** The headers of a message: order, names, and views that follow the text. */
import assert from "node:assert/strict";
import test from "node:test";
import { cseqOf } from "../../../src/core/message/cseq.ts";
import { FROM, TO, VIA } from "../../../src/core/message/header-names.ts";
import { Headers } from "../../../src/core/message/headers.ts";
import { fromOf } from "../../../src/core/message/name-addr.ts";
import { parseMessage } from "../../../src/core/message/parse.ts";
import { printMessage } from "../../../src/core/message/print.ts";

function names(headers: Headers): string {
  return Array.from(
    { length: headers.size },
    (_, at) => `${headers.nameAt(at)}=${headers.valueAt(at)}`,
  ).join(" ");
}

test("prepend stands before the first of its name, or before all", () => {
  const headers = new Headers().add("to", "1").add("via", "2").add("via", "3");
  assert.equal(names(headers.prepend("via", "0")), "to=1 via=0 via=2 via=3");
  assert.equal(names(headers.prepend("x-a", "9")), "x-a=9 to=1 via=0 via=2 via=3");
});

test("set replaces the first and removes the others; remove takes all", () => {
  const headers = new Headers().add("route", "1").add("to", "2").add("route", "3");
  assert.equal(names(headers.set("route", "4")), "route=4 to=2");
  assert.equal(names(headers.set("x-b", "5")), "route=4 to=2 x-b=5");
  assert.equal(names(headers.remove("to").remove("x-b")), "route=4");
  assert.equal(headers.get("x-b"), undefined);
  assert.equal(headers.has("route"), true);
});

test("a view changes with its line and only with it", () => {
  const headers = new Headers().add("cseq", "1 BYE").add("to", "x");
  assert.equal(cseqOf(headers)?.number, 1);
  assert.equal(cseqOf(headers), cseqOf(headers));
  headers.prepend("via", "v").insertAt(0, "x-c", "z").removeAt(0);
  assert.equal(cseqOf(headers)?.number, 1);
  headers.set("cseq", "2 BYE");
  assert.equal(cseqOf(headers)?.number, 2);
  headers.remove("cseq");
  assert.equal(cseqOf(headers), undefined);
});

test("a copy goes its own way", () => {
  const text =
    "BYE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\n" +
    "Call-ID: c\r\nCSeq: 3 BYE\r\nX-Own: y\r\n\r\n";
  const message = parseMessage(text);
  assert.ok(message.kind === "request");
  const copy = message.headers.copy();
  assert.equal(names(copy), names(message.headers));
  assert.equal(cseqOf(copy)?.number, 3);
  copy.set("cseq", "4 BYE").remove("x-own");
  assert.equal(cseqOf(message.headers)?.number, 3);
  assert.equal(message.headers.get("x-own"), "y");
});

test("a pair is two lines as they came, or nothing", () => {
  const pair = (from: string, to: string, change = (_: Headers): unknown => undefined) => {
    const text = `BYE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n${from}${to}Call-ID: c\r\nCSeq: 3 BYE\r\n\r\n`;
    const message = parseMessage(text);
    assert.ok(message.kind === "request");
    change(message.headers);
    return message.headers.pair(FROM, TO);
  };
  const [from, to] = ["From: <sip:a@b>;tag=1\r\n", "To: <sip:c@d>\r\n"];
  const both = (from + to).slice(0, -2);
  assert.equal(pair(from, to), both);
  assert.equal(
    pair(from, to, (headers) => headers.get("to")),
    both,
  );
  assert.equal(
    pair(from, to, (headers) => headers.set("to", "<sip:c@d>;tag=2")),
    undefined,
  );
  assert.equal(pair(from, `X: y\r\n${to}`), undefined);
  assert.equal(pair(to, from), undefined);
  for (const odd of ["f: <sip:a@b>\r\n", "f:<sip:a@b>\r\n", "From:<sip:a@b>\r\n"]) {
    assert.equal(pair(odd, to), undefined, odd);
    assert.equal(pair(`k:\r\n${odd}`, to), undefined, odd);
  }
  for (const odd of ["t: <sip:c@d>\r\n", "To:  <sip:c@d>\r\n", "To: \r\n <sip:c@d>\r\n"]) {
    assert.equal(pair(from, odd), undefined, odd);
  }
});

test("a line is the same wherever in its message it stands, beyond 8 and 64 KiB, too", () => {
  for (const padding of [0, 8_170, 8_185, 8_186, 8_192, 65_400, 65_523, 65_540, 200_000]) {
    const source = `${"x".repeat(padding)}From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n`;
    const headers = new Headers(source);
    const at = source.indexOf("<");
    const end = source.indexOf("\r");
    headers.addSpan(FROM.number, at, end);
    headers.addSpan(TO.number, end + 2 + "To: ".length, source.length - 2);
    assert.equal(names(headers), "from=<sip:a@b>;tag=1 to=<sip:c@d>");
    assert.equal(names(headers.copy()), names(headers));
    assert.equal(headers.print(VIA), "From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n");
    assert.equal(fromOf(headers)?.tag, "1");
  }
});

test("a line is the same however long it is", () => {
  for (const length of [1, 510, 511, 512, 8_000]) {
    const agent = "a".repeat(length);
    const text = [
      "BYE sip:a@b SIP/2.0",
      `Via: SIP/2.0/UDP h;branch=z9hG4bK${agent}`,
      `From: <sip:a@b>;tag=${agent}`,
      "To: <sip:c@d>",
      `User-Agent: ${agent}`,
      "Call-ID: c",
      "CSeq: 3 BYE",
      "Content-Length: 0\r\n\r\n",
    ].join("\r\n");
    const message = parseMessage(text);
    assert.ok(message.kind === "request");
    assert.equal(message.headers.get("user-agent"), agent);
    assert.equal(fromOf(message.headers)?.tag, agent);
    assert.equal(printMessage(message), text);
    assert.equal(printMessage({ ...message, headers: message.headers.copy() }), text);
  }
});

test("Max-Forwards may stand once, wherever the Via is", () => {
  const parsed = (...lines: string[]) =>
    parseMessage(
      [
        "OPTIONS sip:a@b SIP/2.0",
        ...lines,
        "From: <sip:c@d>;tag=1",
        "To: <sip:a@b>",
        "Call-ID: 1",
        "CSeq: 1 OPTIONS\r\n\r\n",
      ].join("\r\n"),
    );
  const via = "Via: SIP/2.0/UDP e;branch=z9hG4bK1";
  for (const lines of [
    [via, "Max-Forwards: 70", "Max-Forwards: 69"],
    ["Max-Forwards: 69", via, "Max-Forwards: 70"],
    [via, "Max-Forwards: 70", via, "max-forwards: 70"],
  ]) {
    const message = parsed(...lines);
    assert.equal(message.kind === "malformed" && message.reason, "second max-forwards");
  }
  for (const lines of [
    [via, "Max-Forwards: 70"],
    ["Max-Forwards: 70", via],
    [via, via, "Max-Forwards: 70"],
  ]) {
    const message = parsed(...lines);
    assert.equal(message.kind, "request");
    assert.equal(message.kind === "request" && message.headers.get("max-forwards"), "70");
  }
});
