/** What a fault between two sides does to each kind of packet: one table for simulated and real networks. */
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { TransportName } from "../../src/core/machine.ts";
import {
  DROP,
  type NetworkFault,
  PASS,
  type Packet,
  REJECT,
  RuleBook,
  ruleBetween,
} from "../../src/core/network-rules.ts";

const ALWAYS = { uint32: () => 0 };
const NEVER_HIT = { uint32: () => 0xffff_ffff };

function packet(from: string, to: string, transport: TransportName = "udp"): Packet {
  return { from, to, transport, fromPort: 5060, toPort: 5060, size: 500 };
}

function fates(fault: NetworkFault, chance: { uint32(): number } = ALWAYS): unknown[] {
  const rule = ruleBetween(fault, ["server"], ["phone"], chance);
  return [
    rule(0, packet("server", "phone")),
    rule(0, packet("phone", "server")),
    rule(0, packet("server", "phone", "tls")),
  ];
}

test("each fault does what it says to datagrams out and in, and to streams what a stream can suffer", () => {
  deepEqual(fates({ kind: "drop" }), [DROP, DROP, DROP]);
  deepEqual(fates({ kind: "refuse" }), [DROP, DROP, REJECT]);
  const late = { kind: "delay", ms: 70 };
  deepEqual(fates({ kind: "delay", ms: 70 }), [late, PASS, late]);
  deepEqual(fates({ kind: "lose", share: 0.5 }), [DROP, DROP, { kind: "delay", ms: 200 }]);
  const twice = { kind: "copies", delaysMs: [0, 1] };
  deepEqual(fates({ kind: "duplicate", share: 0.5 }), [twice, twice, PASS]);
  deepEqual(fates({ kind: "reorder", share: 0.5, ms: 70 }), [late, late, PASS]);
});

test("chance spares the packets beyond the share, and share 1 spares none", () => {
  for (const kind of ["lose", "duplicate"] as const) {
    deepEqual(fates({ kind, share: 0.99 }, NEVER_HIT), [PASS, PASS, PASS]);
  }
  deepEqual(fates({ kind: "lose", share: 1 }, NEVER_HIT).slice(0, 2), [DROP, DROP]);
});

test("a fault meets the two sides that it names and nobody else; without a second side everybody else", () => {
  const between = ruleBetween({ kind: "drop" }, ["server"], ["phone"], ALWAYS);
  equal(between(0, packet("server", "other")), PASS);
  equal(between(0, packet("other", "phone")), PASS);
  const around = ruleBetween({ kind: "drop" }, ["server"], [], ALWAYS);
  equal(around(0, packet("other", "server")), DROP);
  equal(around(0, packet("server", "server")), PASS);
});

test("the first rule that does not let a packet pass decides; healed ones are forgotten", () => {
  const book = new RuleBook();
  book.fault("one", () => PASS);
  book.fault("two", () => REJECT);
  book.fault("three", () => DROP);
  equal(book.judge(0, packet("a", "b")), REJECT);
  book.heal("two");
  equal(book.judge(0, packet("a", "b")), DROP);
  book.healAll();
  equal(book.judge(0, packet("a", "b")), PASS);
  equal(book.empty, true);
});
