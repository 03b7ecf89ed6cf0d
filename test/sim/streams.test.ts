/** The simulated world's connections: order, refusal, silence, partitions, deaths. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Target } from "../../src/core/machine.ts";
import { DROP, PASS, REJECT, UNREACHABLE } from "../../src/core/network-rules.ts";
import { Simulation } from "../../src/worlds/sim/simulation.ts";
import { Actor, Node } from "./actor.ts";

const SERVER: Target = { transport: "tcp", address: "10.0.0.13", port: 5060 };
const LISTEN = { transport: "tcp", address: "10.0.0.13", port: 5060 } as const;

function pair(latencyMs: readonly [number, number] = [1, 1]): {
  simulation: Simulation;
  phone: Node;
  server: Node;
} {
  const simulation = new Simulation({
    seed: 1,
    network: { latencyMs, loss: 0, duplication: 0 },
  });
  const phone = new Node(simulation, "phone", "10.0.0.1");
  const server = new Node(simulation, "server", "10.0.0.13");
  server.do((world) => world.bind(1, LISTEN));
  simulation.runUntil(0);
  server.take();
  return { simulation, phone, server };
}

function connect(phone: Node): void {
  phone.do((world) => world.open(2, SERVER, { from: 0, connected: false }));
}

test("a connection takes a round trip; what was sent before arrives in order after it", () => {
  const { simulation, phone, server } = pair();
  connect(phone);
  phone.say(2, "one");
  phone.say(2, "two");
  simulation.runUntil(10);
  assert.deepEqual(phone.take(), ["2 opened 2 10.0.0.1:32769 10.0.0.13:5060 of 0"]);
  assert.deepEqual(server.take(), [
    "1 opened -1 10.0.0.13:5060 10.0.0.1:32769 of 1",
    "3 received -1 one",
    "3 received -1 two",
  ]);
});

test("bytes keep their order over a network that is uneven", () => {
  const { simulation, phone, server } = pair([1, 50]);
  connect(phone);
  server.actor.echoes = true;
  for (let index = 0; index < 50; index += 1) phone.say(2, `${index} `);
  simulation.runUntil(1000);
  const said = phone.take().map((line) => line.replace(/.*received 2 /, ""));
  assert.equal(said.slice(1).join(""), Array.from({ length: 50 }, (_, i) => `${i} `).join(""));
});

test("a port where nobody listens refuses, and so does a rule that rejects", () => {
  const { simulation, phone, server } = pair();
  server.host.kill();
  connect(phone);
  simulation.runUntil(10);
  simulation.network.fault("wall", () => REJECT);
  phone.do((world) => world.open(3, SERVER, { from: 0, connected: false }));
  simulation.runUntil(20);
  assert.deepEqual(phone.take(), ["2 lost 2 refused", "12 lost 3 refused"]);
});

test("a connection into silence times out after five seconds", () => {
  const { simulation, phone } = pair();
  simulation.network.fault("hole", () => DROP);
  connect(phone);
  simulation.runUntil(10_000);
  assert.deepEqual(phone.take(), ["5000 lost 2 timeout"]);
});

test("a connection that the machine gives up before it stands is no connection for the peer either", () => {
  const { simulation, phone, server } = pair();
  connect(phone);
  phone.do((world) => world.close(2));
  simulation.runUntil(10);
  assert.deepEqual([...phone.take(), ...server.take()], []);
  connect(phone);
  simulation.runUntil(11.5);
  phone.do((world) => world.close(2));
  simulation.runUntil(20);
  assert.deepEqual(
    server.take().map((line) => line.replace(/ 10\..*/, "")),
    ["11 opened -1", "12 lost -1 closed"],
  );
});

test("a close comes after all that was sent before it", () => {
  const { simulation, phone, server } = pair();
  connect(phone);
  simulation.runUntil(5);
  phone.say(2, "goodbye");
  phone.do((world) => world.close(2));
  simulation.runUntil(10);
  assert.deepEqual(server.take().slice(1), ["6 received -1 goodbye", "6 lost -1 closed"]);
  assert.equal(server.host.holdings, 1);
});

test("the peers of a killed process are reset", () => {
  const { simulation, phone, server } = pair();
  connect(phone);
  simulation.runUntil(5);
  server.host.kill();
  simulation.runUntil(10);
  assert.deepEqual(phone.take().slice(1), ["6 lost 2 reset"]);
});

test("what a partition held up arrives when it heals, in order and once", () => {
  const { simulation, phone, server } = pair();
  connect(phone);
  simulation.runUntil(5);
  simulation.network.partition("cut", ["10.0.0.13"]);
  phone.say(2, "one");
  simulation.runUntil(700);
  phone.say(2, "two");
  simulation.runUntil(800);
  simulation.network.heal("cut");
  phone.say(2, "three");
  simulation.runUntil(2000);
  assert.deepEqual(server.take().slice(1), [
    "1006 received -1 one",
    "1006 received -1 two",
    "1006 received -1 three",
  ]);
});

test("a death behind a partition is learnt when the next bytes come to nobody", () => {
  const { simulation, phone, server } = pair();
  connect(phone);
  simulation.runUntil(5);
  simulation.network.fault("deaf", (_now, packet) =>
    packet.from === SERVER.address ? DROP : PASS,
  );
  server.host.kill();
  simulation.runUntil(1000);
  assert.equal(phone.take().length, 1);
  phone.say(2, "still there?");
  simulation.runUntil(1010);
  assert.deepEqual(phone.take(), ["1002 lost 2 reset"]);
});

test("a path that stays cut ends the connection as timed out, after fifteen minutes", () => {
  const { simulation, phone } = pair();
  connect(phone);
  simulation.runUntil(5);
  simulation.network.partition("cut", ["10.0.0.13"]);
  phone.say(2, "hello?");
  simulation.runUntil(900_000);
  assert.equal(phone.take().length, 1);
  simulation.runUntil(1_000_000);
  assert.deepEqual(phone.take(), ["925005 lost 2 timeout"]);
});

test("a new process on the same host knows nothing of the connections of the old one", () => {
  const { simulation, phone, server } = pair();
  connect(phone);
  simulation.runUntil(5);
  simulation.network.fault("deaf", (_now, packet) =>
    packet.from === SERVER.address ? DROP : PASS,
  );
  const reborn = new Actor();
  server.host.restart(reborn);
  server.host.run(() => reborn.intend((world) => world.bind(1, LISTEN)));
  phone.do((world) => world.open(3, SERVER, { from: 0, connected: false }));
  phone.say(2, "old");
  phone.say(3, "new");
  simulation.runUntil(1000);
  assert.deepEqual(
    reborn.log.map((line) => line.replace(/^\S+ /, "").replace(/ 10\..*/, "")),
    ["bound 1", "opened -1", "received -1 new"],
  );
});

for (const [transport, trips] of [
  ["tcp", 1],
  ["tls", 2],
  ["ws", 2],
  ["wss", 3],
] as const) {
  test(`${transport}: a connection takes ${trips} round trips, and the peer hears of it when its handshakes are done`, () => {
    const { simulation, phone, server } = pair([10, 10]);
    server.do((world) => world.bind(2, { ...LISTEN, transport, port: 5070 }));
    simulation.runUntil(0);
    server.take();
    phone.do((world) =>
      world.open(2, { ...SERVER, transport, port: 5070 }, { from: 0, connected: false }),
    );
    phone.say(2, "hello");
    simulation.runUntil(100);
    assert.match(phone.take().join(), new RegExp(`^${20 * trips} opened 2 `));
    const [opened, received] = server.take();
    assert.match(opened ?? "", /opened -1/);
    assert.equal(received, `${20 * trips + 10} received -1 hello`);
  });
}

/** A connection over TLS for a domain, and what became of it at both ends after ten seconds. */
function secured(prepare: (server: Node, simulation: Simulation) => void): [string[], Node] {
  const { simulation, phone, server } = pair();
  server.do((world) => world.bind(2, { ...LISTEN, transport: "tls", port: 5061 }));
  simulation.runUntil(0);
  prepare(server, simulation);
  const target: Target = { ...SERVER, transport: "tls", port: 5061, domain: "pbx.example.com" };
  phone.do((world) => world.open(2, target, { from: 0, connected: false }));
  simulation.runUntil(10_000);
  return [phone.take(), server];
}

test("a certificate for another domain ends a TLS connection, and the server never hears of it (R104)", () => {
  const [lines, server] = secured(({ host }) => {
    host.identities = ["elsewhere.example"];
  });
  assert.deepEqual(lines, ["4 lost 2 tls"]);
  assert.deepEqual(server.take().slice(2), []);
  assert.equal(server.host.holdings, 2);
});

test("a process that hangs leaves a TLS handshake half done, until the time for connecting is over", () => {
  const [lines] = secured(({ host }) => host.freeze());
  assert.deepEqual(lines, ["5000 lost 2 timeout"]);
});

test("a handshake whose packets are lost for a while goes on when they get through", () => {
  const [lines] = secured((_server, simulation) => {
    simulation.after(1.5, () => simulation.network.fault("hole", () => DROP));
    simulation.after(1700, () => simulation.network.heal("hole"));
  });
  assert.match(lines.join(), /^2004 opened 2 /);
});

test("a process that dies in the middle of a handshake resets it", () => {
  const [lines] = secured(({ host }, simulation) => simulation.after(1.5, () => host.kill()));
  assert.deepEqual(lines, ["2.5 lost 2 reset"]);
});

test("ICMP host unreachable ends the making of a connection, and is loss to one that stands (R49)", () => {
  const { simulation, phone } = pair();
  connect(phone);
  simulation.runUntil(5);
  simulation.network.fault("no way", () => UNREACHABLE);
  phone.say(2, "hello?");
  phone.do((world) => world.open(3, SERVER, { from: 0, connected: false }));
  simulation.runUntil(20_000);
  assert.deepEqual(phone.take().slice(1), ["7 lost 3 unreachable"]);
});
