/** Simulated processes: frozen ones, new lives, alarms, questions; and that the same seed is the same run. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Target } from "../../src/core/machine.ts";
import { Prng } from "../../src/worlds/sim/prng.ts";
import { PURE_BYTES } from "../../src/worlds/sim/pure-bytes.ts";
import { SimulatedDns } from "../../src/worlds/sim/simulated-dns.ts";
import { Simulation } from "../../src/worlds/sim/simulation.ts";
import { Actor, Node } from "./actor.ts";

const SERVER: Target = { transport: "udp", address: "10.0.0.13", port: 5060 };

function pair(): { simulation: Simulation; phone: Node; server: Node } {
  const simulation = new Simulation({
    seed: 1,
    network: { latencyMs: [1, 1], loss: 0, duplication: 0 },
  });
  const phone = new Node(simulation, "phone", "10.0.0.1");
  const server = new Node(simulation, "server", "10.0.0.13");
  server.do((world) => world.bind(1, { ...SERVER }));
  phone.do((world) => world.open(2, SERVER, { from: 0, connected: true }));
  simulation.runUntil(0);
  phone.take();
  server.take();
  return { simulation, phone, server };
}

test("packets wait for a frozen process and are read, once and in order, when it thaws", () => {
  const { simulation, phone, server } = pair();
  server.host.freeze();
  phone.say(2, "one");
  phone.say(2, "two");
  simulation.runUntil(5000);
  assert.deepEqual(server.take(), []);
  server.host.thaw();
  assert.deepEqual(server.take(), [
    "5000 opened -1 10.0.0.13:5060 10.0.0.1:32769 of 1",
    "5000 received -1 one",
    "5000 received -1 two",
  ]);
});

test("the buffers of a frozen process are finite, and what does not fit is silence", () => {
  const { simulation, phone, server } = pair();
  server.host.freeze();
  for (let sent = 0; sent < 3000; sent += 1) phone.say(2, "x");
  simulation.runUntil(100);
  server.host.thaw();
  assert.equal(server.take().length, 2001);
  assert.deepEqual(phone.take(), []);
});

test("a frozen process takes connections and says nothing on them", () => {
  const { simulation, phone, server } = pair();
  server.do((world) => world.bind(3, { ...SERVER, transport: "tcp" }));
  server.actor.echoes = true;
  server.host.freeze();
  phone.do((world) =>
    world.open(4, { ...SERVER, transport: "tcp" }, { from: 0, connected: false }),
  );
  phone.say(4, "hello");
  simulation.runUntil(9000);
  assert.deepEqual(
    phone.take().map((line) => line.slice(0, 10)),
    ["2 opened 4"],
  );
  server.host.thaw();
  simulation.runUntil(9010);
  assert.deepEqual(phone.take(), ["9001 received 4 hello"]);
});

test("an alarm rings at its instant; one that a freeze made late rings after what has arrived", () => {
  const { simulation, phone, server } = pair();
  server.do(() => {
    server.actor.deadline = 20;
  });
  simulation.runUntil(30);
  assert.deepEqual(server.take(), ["20 elapsed"]);
  server.do(() => {
    server.actor.deadline = 40;
  });
  server.host.freeze();
  simulation.runUntil(50);
  phone.say(2, "late");
  simulation.runUntil(60);
  server.host.thaw();
  simulation.runUntil(60);
  assert.deepEqual(server.take().slice(1), ["60 received -1 late", "60 elapsed"]);
});

test("an alarm put off is not rung at the old instant", () => {
  const { simulation, server } = pair();
  server.do(() => {
    server.actor.deadline = 20;
  });
  server.do(() => {
    server.actor.deadline = 50;
  });
  simulation.runUntil(100);
  assert.deepEqual(server.take(), ["50 elapsed"]);
});

test("nothing of an earlier life reaches the next one: alarms, answers, held packets", () => {
  const { simulation, phone, server } = pair();
  server.do((world) => {
    server.actor.deadline = 20;
    world.ask(1, { kind: "dns", name: "example.com", type: "A" });
  });
  server.host.freeze();
  phone.say(2, "held");
  simulation.runUntil(10);
  const reborn = new Actor();
  server.host.restart(reborn);
  simulation.runUntil(100);
  assert.deepEqual(reborn.log, []);
  assert.equal(server.host.holdings, 0);
});

test("a silent resolver is waited for as long as the question says, and nine seconds otherwise", () => {
  const dns = new SimulatedDns([]);
  dns.state = "silent";
  const simulation = new Simulation({
    seed: 1,
    answer: (_now, _node, question) =>
      question.kind === "dns" ? dns.ask(question) : { afterMs: 0, answer: { kind: "conflict" } },
  });
  const phone = new Node(simulation, "phone", "10.0.0.1");
  phone.do((world) => {
    world.ask(1, { kind: "dns", name: "example.com", type: "A", withinMs: 1800 });
    world.ask(2, { kind: "dns", name: "example.com", type: "A" });
  });
  simulation.runUntil(20_000);
  assert.deepEqual(phone.take(), ["1800 answered 1 silent", "9000 answered 2 silent"]);
});

test("aliases are followed, bound the TTL, and loops of them end", () => {
  const dns = new SimulatedDns([
    { type: "CNAME", name: "pbx.test", ttl: 30, target: "real.test" },
    { type: "A", name: "real.test", ttl: 300, address: "10.0.0.13" },
    { type: "CNAME", name: "a.test", ttl: 30, target: "b.test" },
    { type: "CNAME", name: "b.test", ttl: 30, target: "a.test" },
  ]);
  assert.deepEqual(dns.ask({ kind: "dns", name: "pbx.test", type: "A" }).answer, {
    kind: "records",
    records: [{ type: "A", name: "pbx.test", ttl: 30, address: "10.0.0.13" }],
    additional: [],
  });
  assert.equal(dns.ask({ kind: "dns", name: "a.test", type: "A" }).answer.kind, "none");
  assert.equal(dns.ask({ kind: "dns", name: "pbx.test", type: "SRV" }).answer.kind, "none");
});

test("addresses of SRV targets come beside the SRV, and beside NAPTR the SRV too", () => {
  const srv = {
    type: "SRV",
    name: "_sip._udp.test",
    ttl: 60,
    priority: 1,
    weight: 1,
    port: 5060,
  } as const;
  const dns = new SimulatedDns([
    {
      type: "NAPTR",
      name: "test",
      ttl: 60,
      order: 1,
      preference: 1,
      flags: "s",
      service: "SIP+D2U",
      regexp: "",
      replacement: "_sip._udp.test",
    },
    { ...srv, target: "a.test" },
    { type: "A", name: "a.test", ttl: 60, address: "10.0.0.13" },
  ]);
  const { answer } = dns.ask({ kind: "dns", name: "test", type: "NAPTR" });
  assert.deepEqual(answer.kind === "records" ? answer.additional.map((one) => one.type) : [], [
    "SRV",
    "A",
  ]);
});

function hashOf(seed: number): number {
  const simulation = new Simulation({
    seed,
    network: { latencyMs: [1, 20], loss: 0.1, duplication: 0.1 },
  });
  const phone = new Node(simulation, "phone", "10.0.0.1");
  const server = new Node(simulation, "server", "10.0.0.13");
  server.actor.echoes = true;
  server.do((world) => world.bind(1, { ...SERVER }));
  phone.do((world) => world.open(2, SERVER, { from: 0, connected: true }));
  for (let sent = 0; sent < 200; sent += 1) {
    phone.say(2, `message ${sent}`);
    simulation.runFor(3);
  }
  simulation.runFor(1000);
  return simulation.trace.value;
}

test("the same seed gives the same trace, another seed another (I9)", () => {
  assert.equal(hashOf(7), hashOf(7));
  assert.notEqual(hashOf(7), hashOf(8));
});

test("pure bytes are latin1, however long", () => {
  const bytes = Uint8Array.from({ length: 10_000 }, (_, index) => index & 255);
  const text = PURE_BYTES.toText(bytes);
  assert.equal(text, Buffer.from(bytes).toString("latin1"));
  assert.deepEqual(PURE_BYTES.fromText(text), bytes);
});

test("chance is even: each face of a die comes about as often", () => {
  const prng = new Prng(42);
  const faces = [0, 0, 0, 0, 0, 0];
  for (let throws = 0; throws < 60_000; throws += 1) faces[prng.between(0, 5)]! += 1;
  for (const count of faces) assert.ok(Math.abs(count - 10_000) < 400, String(faces));
});
