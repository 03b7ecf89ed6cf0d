/** Via values, and the notes a server makes in them. */
import assert from "node:assert/strict";
import test from "node:test";
import { Headers } from "../../../src/core/message/headers.ts";
import {
  parseVia,
  printVia,
  removeTopVia,
  stampSource,
  topVia,
  viasOf,
} from "../../../src/core/message/via.ts";

function stamped(via: string, address = "198.51.100.9", port = 40_000): string | undefined {
  const headers = new Headers().add("via", via);
  const before = topVia(headers);
  stampSource(headers, address, port);
  const after = topVia(headers);
  assert.equal(after?.branch, before?.branch);
  assert.deepEqual(
    after,
    parseVia(headers.get("via") ?? ""),
    "the kept view is that of the new text",
  );
  return headers.get("via");
}

test("the parts of a Via are read whatever its transport and blanks", () => {
  const via = parseVia(
    "SIP / 2.0 / tls\t[2001:db8::1] : 5061 ; Branch = z9hG4bKa ;ttl=16;maddr=224.2.0.1;keep",
  );
  assert.equal(via?.transport, "TLS");
  assert.equal(via?.sentBy, "[2001:db8::1]:5061");
  assert.equal(via?.branch, "z9hG4bKa");
  assert.equal(via?.ttl, 16);
  assert.equal(via?.maddr, "224.2.0.1");
  assert.equal(via?.param("keep"), "");
  assert.equal(via?.rport, undefined);
  assert.equal(via?.sound, true);
});

test("the usual spelling and any other are read alike", () => {
  const usual = parseVia(
    "SIP/2.0/UDP pc33.example.com:5066;branch=z9hG4bK776;rport=5067;received=192.0.2.1",
  );
  const other = parseVia(
    " SIP/2.0/UDP  pc33.example.com:5066 ;branch=z9hG4bK776;rport=5067;received=192.0.2.1",
  );
  for (const via of [usual, other]) {
    assert.deepEqual([via?.host, via?.port, via?.branch], ["pc33.example.com", 5066, "z9hG4bK776"]);
    assert.deepEqual([via?.rport, via?.received, via?.sound], [5067, "192.0.2.1", true]);
  }
});

test("rport before branch, blanks and what is not sound are read alike in both ways", () => {
  for (const line of [
    "SIP/2.0/UDP 10.0.0.1:5060;rport;branch=z9hG4bKa;alias",
    "SIP/2.0/TCP 10.0.0.1;rport=5;branch=z9hG4bKa",
    "SIP/2.0/UDP h;branch=z9hG4bKa\t;received=192.0.2.1",
    "SIP/2.0/UDP h;branch=z9hG4bKa;rport=",
    'SIP/2.0/UDP h;branch=z9hG4bKa;oc-algo="a;b,c"',
    'SIP/2.0/UDP h;branch="z9hG4bKa";rport',
    "SIP/2.0/UDP h;rport;branch=",
  ]) {
    // A blank in front is no usual spelling.
    assert.deepEqual(parseVia(line), parseVia(` ${line}`), line);
  }
});

test("what is no Via is none, and what is nearly one is unsound", () => {
  for (const text of [
    "",
    "SIP/2.0",
    "SIP/2.0/UDP",
    "SIP/2.0/UDP ;branch=x",
    "SIP/2.0/UDP h:0",
    "SIP/2.0/UDP h:65536",
  ]) {
    assert.equal(parseVia(text), undefined, text);
  }
  for (const rest of [
    ";;",
    ";branch=",
    ";branch=a;;rport",
    ";branch=a;",
    ";branch=a b",
    ";branch=a,",
    ' x;branch="a',
  ]) {
    assert.equal(parseVia(`SIP/2.0/UDP h${rest}`)?.sound, false, rest);
  }
});

test("the overload parameters are told (R108)", () => {
  const via = parseVia(
    'SIP/2.0/UDP h;branch=z9hG4bK1;oc=20;oc-algo="loss,A";oc-validity=500;oc-seq=1282321615.782',
  );
  assert.deepEqual(
    ["oc", "oc-algo", "oc-validity", "oc-seq"].map((name) => via?.param(name)),
    ["20", "loss,A", "500", "1282321615.782"],
  );
});

test("received is added where sent-by is a name or another address (R46)", () => {
  assert.equal(
    stamped("SIP/2.0/UDP host;branch=z9hG4bK1"),
    "SIP/2.0/UDP host;branch=z9hG4bK1;received=198.51.100.9",
  );
  assert.equal(
    stamped("SIP/2.0/UDP 198.51.100.9;branch=z9hG4bK1"),
    "SIP/2.0/UDP 198.51.100.9;branch=z9hG4bK1",
  );
  assert.equal(
    stamped("SIP/2.0/UDP [2001:DB8::1];branch=b", "2001:db8::1"),
    "SIP/2.0/UDP [2001:DB8::1];branch=b",
  );
  assert.equal(stamped("SIP/2.0/UDP host"), "SIP/2.0/UDP host;received=198.51.100.9");
});

test("rport is filled in wherever it stands, and received always with it (R80)", () => {
  const tail = ";rport=40000;received=198.51.100.9";
  assert.equal(
    stamped("SIP/2.0/UDP 198.51.100.9;branch=b;rport"),
    `SIP/2.0/UDP 198.51.100.9;branch=b${tail}`,
  );
  assert.equal(
    stamped("SIP/2.0/UDP h;rport;branch=b, SIP/2.0/UDP x;rport"),
    "SIP/2.0/UDP h;rport=40000;branch=b;received=198.51.100.9, SIP/2.0/UDP x;rport",
  );
  assert.equal(
    stamped("SIP/2.0/UDP h;branch=rport"),
    "SIP/2.0/UDP h;branch=rport;received=198.51.100.9",
  );
});

test("a received that the sender claims is not believed (R46)", () => {
  assert.equal(
    stamped("SIP/2.0/UDP h;received=10.0.0.1;branch=b"),
    "SIP/2.0/UDP h;branch=b;received=198.51.100.9",
  );
  assert.equal(
    stamped("SIP/2.0/UDP 198.51.100.9;received=10.0.0.1;branch=b"),
    "SIP/2.0/UDP 198.51.100.9;branch=b",
  );
});

test("the top Via is taken off a line of several, or with its line", () => {
  const headers = new Headers().add("via", "SIP/2.0/UDP a;branch=1, SIP/2.0/UDP b;branch=2");
  headers.add("via", "SIP/2.0/UDP c;branch=3");
  assert.deepEqual(
    viasOf(headers)?.map((via) => via.host),
    ["a", "b", "c"],
  );
  for (const host of ["b", "c"]) {
    removeTopVia(headers);
    assert.equal(topVia(headers)?.host, host);
  }
  removeTopVia(headers);
  assert.equal(topVia(headers), undefined);
});

test("a printed Via reads back", () => {
  const via = parseVia(printVia("WSS", "df7jal.invalid", 0, "z9hG4bK1", ";rport"));
  assert.deepEqual(
    [via?.transport, via?.sentBy, via?.branch, via?.rport],
    ["WSS", "df7jal.invalid", "z9hG4bK1", 0],
  );
  assert.equal(printVia("UDP", "192.0.2.1", 5060, "b"), "SIP/2.0/UDP 192.0.2.1:5060;branch=b");
});
