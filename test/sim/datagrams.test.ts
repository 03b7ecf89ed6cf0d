/** The simulated world's datagrams: flows, shared ports, ICMP, loss, duplication, idleness. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Target } from "../../src/core/machine.ts";
import { DROP, PASS, REJECT } from "../../src/core/network-rules.ts";
import { Simulation } from "../../src/worlds/sim/simulation.ts";
import { Node } from "./actor.ts";

const SERVER: Target = { transport: "udp", address: "10.0.0.13", port: 5060 };

function pair(): { simulation: Simulation; phone: Node; server: Node } {
  const simulation = new Simulation({
    seed: 1,
    network: { latencyMs: [1, 1], loss: 0, duplication: 0 },
  });
  const phone = new Node(simulation, "phone", "10.0.0.1", "10.0.0.2");
  const server = new Node(simulation, "server", "10.0.0.13");
  server.do((world) => world.bind(1, { transport: "udp", address: "10.0.0.13", port: 5060 }));
  phone.do((world) => world.bind(1, { transport: "udp", address: "10.0.0.2", port: 5070 }));
  simulation.runUntil(0);
  phone.take();
  server.take();
  return { simulation, phone, server };
}

function connect(phone: Node, flow = 2, target = SERVER): void {
  phone.do((world) => world.open(flow, target, { from: 1, connected: true }));
}

test("a connected flow shares the address and port of the bound flow it is opened from", () => {
  const { simulation, phone, server } = pair();
  connect(phone);
  phone.say(2, "hello");
  simulation.runUntil(5);
  assert.deepEqual(phone.take(), ["0 opened 2 10.0.0.2:5070 10.0.0.13:5060 of 1"]);
  assert.deepEqual(server.take(), [
    "1 opened -1 10.0.0.13:5060 10.0.0.2:5070 of 1",
    "1 received -1 hello",
  ]);
});

test("a connected flow hears its peer, the bound flow everybody else", () => {
  const { simulation, phone, server } = pair();
  const other = new Node(simulation, "other", "10.0.0.14");
  connect(phone);
  phone.say(2, "hello");
  simulation.runUntil(5);
  server.say(-1, "answer");
  const place: Target = { transport: "udp", address: "10.0.0.2", port: 5070 };
  other.do((world) => world.open(1, place, { from: 0, connected: false }));
  other.say(1, "stranger");
  simulation.runUntil(10);
  assert.deepEqual(phone.take().slice(1), [
    "6 received 2 answer",
    "6 opened -1 10.0.0.2:5070 10.0.0.14:32769 of 1",
    "6 received -1 stranger",
  ]);
});

test("a datagram reaches who has its pair when it arrives, whoever heard the last one", () => {
  const { simulation, phone, server } = pair();
  const heard = (text: string): string[] => {
    server.say(-1, text);
    simulation.runFor(5);
    return phone.take().filter((line) => line.includes("received"));
  };
  connect(phone);
  phone.say(2, "hello");
  simulation.runUntil(5);
  assert.deepEqual(heard("first"), ["6 received 2 first"]);
  connect(phone, 3);
  assert.deepEqual(heard("newer"), ["11 received 3 newer"]);
  phone.do((world) => world.close(3));
  assert.deepEqual(heard("older"), ["16 received 2 older"]);
  phone.do((world) => world.close(1));
  assert.deepEqual(heard("alone"), ["21 received 2 alone"]);
  phone.do((world) => world.bind(4, { transport: "udp", address: "10.0.0.2", port: 5070 }));
  phone.do((world) => world.open(5, SERVER, { from: 4, connected: true }));
  assert.deepEqual(heard("anew"), ["26 received 5 anew"]);
  phone.host.kill();
  assert.deepEqual(heard("nobody"), []);
  phone.host.restart(phone.actor);
  phone.do((world) => world.bind(1, { transport: "udp", address: "10.0.0.2", port: 5070 }));
  assert.deepEqual(heard("reborn"), ["36 received -1 reborn"]);
});

test("a flow that is opened from no bound flow gets an ephemeral port of its own", () => {
  const { simulation, phone } = pair();
  phone.do((world) => world.open(5, SERVER, { from: 0, connected: true }));
  phone.do((world) => world.open(6, SERVER, { from: 0, connected: true }));
  simulation.runUntil(1);
  assert.deepEqual(phone.take(), [
    "0 opened 5 10.0.0.1:32769 10.0.0.13:5060 of 0",
    "0 opened 6 10.0.0.1:32770 10.0.0.13:5060 of 0",
  ]);
});

test("a port bound on all addresses shows peers the real local address", () => {
  const { simulation, phone, server } = pair();
  phone.do((world) => world.bind(9, { transport: "udp", address: "0.0.0.0", port: 6000 }));
  phone.do((world) => world.open(10, SERVER, { from: 9, connected: true }));
  phone.say(10, "hello");
  simulation.runUntil(5);
  assert.equal(phone.actor.peers.get(10)?.localAddress, "10.0.0.1");
  assert.equal(server.actor.peers.get(-1)?.address, "10.0.0.1");
});

test("a port that is taken is in use, an address of somebody else is denied", () => {
  const { simulation, phone } = pair();
  phone.do((world) => world.bind(3, { transport: "udp", address: "10.0.0.2", port: 5070 }));
  phone.do((world) => world.bind(4, { transport: "udp", address: "0.0.0.0", port: 5070 }));
  phone.do((world) => world.bind(5, { transport: "udp", address: "10.0.0.13", port: 5070 }));
  phone.do((world) => world.bind(6, { transport: "tcp", address: "10.0.0.2", port: 5070 }));
  simulation.runUntil(1);
  assert.deepEqual(phone.take(), [
    "0 lost 3 in-use",
    "0 lost 4 in-use",
    "0 lost 5 denied",
    "0 bound 6 10.0.0.2:5070",
  ]);
});

test("a killed process answers a connected flow with ICMP: it is lost as refused", () => {
  const { simulation, phone, server } = pair();
  connect(phone);
  simulation.runUntil(1);
  server.host.kill();
  phone.say(2, "anybody?");
  simulation.runUntil(10);
  assert.deepEqual(phone.take().slice(1), ["3 lost 2 refused"]);
});

test("an unconnected flow hears nothing of ICMP", () => {
  const { simulation, phone, server } = pair();
  phone.do((world) => world.open(2, SERVER, { from: 1, connected: false }));
  server.host.kill();
  phone.say(2, "anybody?");
  simulation.runUntil(10);
  assert.deepEqual(phone.take(), ["0 opened 2 10.0.0.2:5070 10.0.0.13:5060 of 1"]);
});

test("a rule that rejects is told as refused, one that drops is silence", () => {
  const { simulation, phone, server } = pair();
  connect(phone);
  simulation.network.fault("one", () => DROP);
  phone.say(2, "dropped");
  simulation.runUntil(10);
  simulation.network.fault("one", (_now, packet) => (packet.toPort === 5060 ? REJECT : PASS));
  phone.say(2, "rejected");
  simulation.runUntil(20);
  assert.deepEqual(phone.take().slice(1), ["12 lost 2 refused"]);
  assert.deepEqual(server.take(), []);
});

test("loss and duplication come as often as the network says, and heal at once", () => {
  const { simulation, phone, server } = pair();
  connect(phone);
  simulation.network.options = { latencyMs: [1, 9], loss: 0.2, duplication: 0.1 };
  for (let sent = 0; sent < 1000; sent += 1) phone.say(2, "x");
  simulation.runUntil(100);
  const count = server.take().filter((line) => line.includes("received")).length;
  assert.ok(count > 820 && count < 940, `${count} of 1000 arrived, duplicates included`);
  simulation.network.healAll();
  for (let sent = 0; sent < 100; sent += 1) phone.say(2, "x");
  simulation.runUntil(200);
  assert.equal(server.take().length, 100);
});

test("a partition cuts both ways until it is healed", () => {
  const { simulation, phone, server } = pair();
  connect(phone);
  simulation.network.partition("cut", ["10.0.0.13"]);
  phone.say(2, "lost");
  simulation.runUntil(10);
  assert.deepEqual(server.take(), []);
  simulation.network.heal("cut");
  phone.say(2, "found");
  simulation.runUntil(20);
  server.say(-1, "answer");
  simulation.runUntil(30);
  assert.deepEqual(phone.take().slice(1), ["21 received 2 answer"]);
});

test("closing a bound flow ends what goes through it, and leaves connected flows alone", () => {
  const { simulation, phone, server } = pair();
  connect(phone, 2);
  phone.do((world) => world.open(3, { ...SERVER, port: 5061 }, { from: 1, connected: false }));
  phone.do((world) => world.close(1));
  phone.say(2, "hello");
  simulation.runUntil(5);
  server.say(-1, "answer");
  simulation.runUntil(10);
  assert.deepEqual(phone.take(), [
    "0 opened 2 10.0.0.2:5070 10.0.0.13:5060 of 1",
    "0 opened 3 10.0.0.2:5070 10.0.0.13:5061 of 1",
    "0 lost 3 closed",
    "6 received 2 answer",
  ]);
});

test("an arrived flow that nobody uses for a minute is lost as idle; one in use is not", () => {
  const { simulation, phone, server } = pair();
  connect(phone);
  phone.say(2, "hello");
  simulation.runUntil(50_000);
  phone.say(2, "still here");
  simulation.runUntil(100_000);
  assert.equal(
    server.take().some((line) => line.includes("lost")),
    false,
  );
  simulation.runUntil(130_000);
  assert.deepEqual(server.take(), ["120001 lost -1 idle"]);
});
