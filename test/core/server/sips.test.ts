/** A request for a `sips` address goes on over TLS or not at all: RFC 3261 §16.6, §26.2.2, RFC 5630 §5.3. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TestPhone } from "./test-phone.ts";
import { Town } from "./town.ts";

const UDP = "udp:10.0.0.1:5060";
const TLS = "tls:10.0.0.1:5061";

function town(): Town {
  const made = new Town();
  made.server({
    listen: [
      { transport: "udp", address: "10.0.0.1", port: 5060 },
      { transport: "tcp", address: "10.0.0.1", port: 5060 },
      { transport: "tls", address: "10.0.0.1", port: 5061 },
    ],
  });
  return made;
}

function phone(made: Town, place: string, server: string): TestPhone {
  const bob = new TestPhone(made, place, "bob");
  bob.register(server);
  bob.received.length = 0;
  bob.answer = () => 200;
  return bob;
}

function statusOf(made: Town, uri: string, lines: readonly string[] = []): number {
  const alice = new TestPhone(made, `udp:10.0.1.1:${made.freePort()}`, "alice");
  alice.send(UDP, "MESSAGE", uri, { lines });
  made.pass(50);
  return alice.final("MESSAGE").status;
}

test("a sips address whose phones are at none but plain contacts is 480", () => {
  const made = town();
  const datagrams = phone(made, "udp:10.0.2.1:5060", UDP);
  const stream = phone(made, "tcp:10.0.2.2:41000", "tcp:10.0.0.1:5060");
  assert.equal(statusOf(made, "sips:bob@example.com"), 480);
  assert.deepEqual([...datagrams.heard, ...stream.heard], []);
  assert.equal(statusOf(made, "sip:bob@example.com"), 200);
});

test("of several phones those over TLS are called", () => {
  const made = town();
  const plain = phone(made, "udp:10.0.2.1:5060", UDP);
  const safe = phone(made, "tls:10.0.2.2:41000", TLS);
  assert.equal(statusOf(made, "sips:bob@example.com"), 200);
  assert.deepEqual([plain.heard, safe.heard], [[], ["MESSAGE"]]);
});

test("a sips request for elsewhere goes over TLS, also where a plain route comes first", () => {
  for (const [route, place] of [
    [[], "10.0.3.1:5061"],
    [["Route: <sip:10.0.3.2;lr>"], "10.0.3.2:5061"],
  ] as const) {
    const made = town();
    const address = place.slice(0, place.indexOf(":"));
    const plain = new TestPhone(made, `udp:${address}:5060`, "carol");
    const safe = new TestPhone(made, `tls:${place}`, "carol");
    safe.answer = () => 200;
    assert.equal(statusOf(made, "sips:carol@10.0.3.1", route), 200);
    assert.deepEqual([plain.heard, safe.heard], [[], ["MESSAGE"]]);
  }
});

test("a sips request whose route asks for datagrams is 480", () => {
  const made = town();
  const plain = new TestPhone(made, "udp:10.0.3.2:5060", "carol");
  assert.equal(
    statusOf(made, "sips:carol@10.0.3.1", ["Route: <sip:10.0.3.2;transport=udp;lr>"]),
    480,
  );
  assert.deepEqual(plain.heard, []);
});
