/** Datagram flows: shared ports, connected sockets, closed ports heard of at once. */
import { deepEqual, equal } from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import type { Local } from "../../src/core/machine.ts";
import { Driver, type DriverOptions } from "../../src/worlds/node/driver.ts";
import { bytesOf, Recorder } from "./recorder.ts";

const ANY_PORT: Local = { transport: "udp", address: "127.0.0.1", port: 0 };

/** A machine with flow 1 bound on loopback. */
async function bound(
  local: Local = ANY_PORT,
  options: DriverOptions = {},
): Promise<{ machine: Recorder; driver: Driver; port: number }> {
  const machine = new Recorder();
  const driver = new Driver(machine, options);
  driver.run(() => machine.outbox.bind(1, local));
  const { local: found } = await machine.until("bound");
  return { machine, driver, port: found.port };
}

async function plainSocket(address = "127.0.0.1"): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.bind(0, address);
  await once(socket, "listening");
  return socket;
}

async function closedPort(): Promise<number> {
  const socket = await plainSocket();
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}

test("an unknown peer's datagram opens a flow, is told, and can be answered", async () => {
  const { machine, driver, port } = await bound();
  machine.react = (fact, outbox) => {
    if (fact.fact === "received") outbox.send(fact.flow, bytesOf(`you said ${fact.text}`));
  };
  const peer = await plainSocket();
  peer.send("hello", port, "127.0.0.1");
  const [answer] = await once(peer, "message");
  equal(String(answer), "you said hello");
  peer.send("again", port, "127.0.0.1");
  await once(peer, "message");
  deepEqual(machine.facts.map(({ at: _at, ...fact }) => fact).slice(1), [
    {
      fact: "opened",
      flow: -1,
      peer: {
        transport: "udp",
        address: "127.0.0.1",
        port: peer.address().port,
        localAddress: "127.0.0.1",
        localPort: port,
        listener: 1,
      },
    },
    { fact: "received", flow: -1, text: "hello" },
    { fact: "received", flow: -1, text: "again" },
  ]);
  peer.close();
  await driver.stop();
});

test("two peers at one address have two flows", async () => {
  const { machine, driver, port } = await bound();
  const [a, b] = [await plainSocket(), await plainSocket()];
  a.send("a", port, "127.0.0.1");
  b.send("b", port, "127.0.0.1");
  await machine.until("received", ({ text }) => text === "a");
  await machine.until("received", ({ text }) => text === "b");
  equal(machine.heard(-1) + machine.heard(-2), machine.heard(-1) === "a" ? "ab" : "ba");
  a.close();
  b.close();
  await driver.stop();
});

test("a socket bound to every address knows the real local one of each peer", async () => {
  const { machine, driver, port } = await bound({ ...ANY_PORT, address: "0.0.0.0" });
  const peer = await plainSocket();
  peer.send("x", port, "127.0.0.1");
  const { peer: seen } = await machine.until("opened");
  equal(seen.localAddress, "127.0.0.1");
  equal(seen.localPort, port);
  peer.close();
  await driver.stop();
});

test("a port that someone has is in-use, an address that nobody here has is denied", async () => {
  const first = await bound();
  const machine = new Recorder();
  const driver = new Driver(machine);
  driver.run(() => {
    machine.outbox.bind(1, { ...ANY_PORT, port: first.port });
    machine.outbox.bind(2, { ...ANY_PORT, address: "192.0.2.77" });
  });
  equal((await machine.until("lost", ({ flow }) => flow === 1)).cause, "in-use");
  equal((await machine.until("lost", ({ flow }) => flow === 2)).cause, "denied");
  equal(driver.flows, 0);
  await driver.stop();
  await first.driver.stop();
});

for (const from of [1, 0]) {
  const sharing = from === 1 ? "sharing the bound port" : "on a port of its own";
  test(`a closed port is told by the system, after one datagram, to a connected flow ${sharing}`, async () => {
    const { machine, driver } = await bound();
    const port = await closedPort();
    driver.run(() => {
      const target = { transport: "udp", address: "127.0.0.1", port } as const;
      machine.outbox.open(2, target, { from, connected: true });
      machine.outbox.send(2, bytesOf("REGISTER"));
    });
    // Nothing rings in the driver: only the ICMP of that one datagram can end the flow.
    equal((await machine.until("lost")).cause, "refused");
    equal(driver.flows, 1);
    await driver.stop();
  });
}

test("a connected flow hears its peer, and the bound socket everybody else, on one port", async () => {
  const { machine, driver, port } = await bound();
  const [server, other] = [await plainSocket(), await plainSocket()];
  driver.run(() => {
    const target = { transport: "udp", address: "127.0.0.1", port: server.address().port } as const;
    machine.outbox.open(2, target, { from: 1, connected: true });
    machine.outbox.send(2, bytesOf("before opened"));
    machine.outbox.send(2, bytesOf("in order"));
  });
  const sender = await new Promise<number>((resolve) => {
    const heard: string[] = [];
    server.on("message", (bytes, from) => {
      heard.push(String(bytes));
      if (heard.length === 2) {
        deepEqual(heard, ["before opened", "in order"]);
        resolve(from.port);
      }
    });
  });
  equal(sender, port);
  const { peer } = await machine.until("opened");
  deepEqual([peer.localAddress, peer.localPort, peer.listener], ["127.0.0.1", port, 1]);
  server.send("from the server", port, "127.0.0.1");
  other.send("from another", port, "127.0.0.1");
  equal((await machine.until("received", ({ flow }) => flow === 2)).text, "from the server");
  equal((await machine.until("received", ({ flow }) => flow === -1)).text, "from another");
  driver.run(() => machine.outbox.close(2));
  server.send("after the close", port, "127.0.0.1");
  equal((await machine.until("received", ({ flow }) => flow === -2)).text, "after the close");
  server.close();
  other.close();
  await driver.stop();
});

test("datagrams of other peers are not lost while flows are being connected", async () => {
  const { machine, driver, port } = await bound();
  const [server, other] = [await plainSocket(), await plainSocket()];
  const target = { transport: "udp", address: "127.0.0.1", port: server.address().port } as const;
  for (let round = 0; round < 50; round += 1) {
    driver.run(() => machine.outbox.open(round + 2, target, { from: 1, connected: true }));
    other.send(`${round} `, port, "127.0.0.1");
    await machine.until("received", ({ flow, text }) => flow === -1 && text === `${round} `);
    driver.run(() => machine.outbox.close(round + 2));
  }
  equal(machine.heard(-1).split(" ").length, 51);
  server.close();
  other.close();
  await driver.stop();
});

test("a flow opened through the bound socket shares its port and hears the peer from then on", async () => {
  const { machine, driver, port } = await bound();
  const peer = await plainSocket();
  peer.send("first", port, "127.0.0.1");
  await machine.until("received", ({ flow }) => flow === -1);
  driver.run(() => {
    const target = { transport: "udp", address: "127.0.0.1", port: peer.address().port } as const;
    machine.outbox.open(2, target, { from: 1, connected: false });
    machine.outbox.send(2, bytesOf("INVITE"));
  });
  const [, from] = await once(peer, "message");
  equal(from.port, port);
  peer.send("200", port, "127.0.0.1");
  equal((await machine.until("received", ({ text }) => text === "200")).flow, 2);
  driver.run(() => machine.outbox.close(2));
  peer.send("more", port, "127.0.0.1");
  equal((await machine.until("received", ({ text }) => text === "more")).flow, -2);
  peer.close();
  await driver.stop();
});

test("IPv6 is one address however it is spelled", async () => {
  const { machine, driver, port } = await bound({ ...ANY_PORT, address: "::1" });
  const peer = createSocket("udp6");
  peer.bind(0, "::1");
  await once(peer, "listening");
  driver.run(() => {
    const target = { transport: "udp", address: "0:0::0:1", port: peer.address().port } as const;
    machine.outbox.open(2, target, { from: 1, connected: true });
    machine.outbox.open(3, { ...target, port: 9 }, { from: 1, connected: false });
  });
  equal((await machine.until("opened", ({ flow }) => flow === 2)).peer.address, "::1");
  peer.send("six", port, "::1");
  equal((await machine.until("received")).flow, 2);
  peer.close();
  await driver.stop();
});

test("a peer that nobody speaks with is forgotten, one in use is kept", async () => {
  const { machine, driver, port } = await bound(ANY_PORT, { limits: { datagramIdleMs: 40 } });
  const [quiet, busy] = [await plainSocket(), await plainSocket()];
  quiet.send("once", port, "127.0.0.1");
  const { flow } = await machine.until("received");
  busy.send("ping", port, "127.0.0.1");
  machine.react = (fact, outbox) => {
    if (fact.fact === "received" && fact.text === "ping") outbox.send(fact.flow, bytesOf("pong"));
  };
  busy.on("message", () => busy.send("ping", port, "127.0.0.1"));
  equal((await machine.until("lost")).flow, flow);
  equal(machine.facts.filter((fact) => fact.fact === "lost").length, 1);
  busy.close();
  await machine.until("lost", ({ flow: other }) => other !== flow);
  quiet.close();
  equal(driver.flows, 1);
  await driver.stop();
});

test("the longest unused of too many peers makes room for the newest", async () => {
  const { machine, driver, port } = await bound(ANY_PORT, { limits: { mostDatagramFlows: 2 } });
  const peers = [await plainSocket(), await plainSocket(), await plainSocket()];
  for (const [index, peer] of peers.entries()) {
    peer.send(String(index), port, "127.0.0.1");
    await machine.until("received", ({ text }) => text === String(index));
  }
  const { flow, cause } = await machine.until("lost");
  deepEqual([flow, cause], [-1, "idle"]);
  equal(driver.flows, 3);
  for (const peer of peers) peer.close();
  await driver.stop();
});

test("closing a bound socket ends the flows that came through it", async () => {
  const { machine, driver, port } = await bound();
  const peer = await plainSocket();
  peer.send("x", port, "127.0.0.1");
  await machine.until("received");
  driver.run(() => machine.outbox.close(1));
  deepEqual((await machine.until("lost")).cause, "closed");
  equal(driver.flows, 0);
  peer.close();
  await driver.stop();
});

test("a datagram too large to send loses a flow that the machine opened, and only that", async () => {
  const { machine, driver } = await bound();
  const target = { transport: "udp", address: "127.0.0.1", port: 9 } as const;
  driver.run(() => {
    machine.outbox.open(2, target, { from: 1, connected: false });
    machine.outbox.open(3, target, { from: 0, connected: true });
    machine.outbox.send(2, new Uint8Array(70_000));
    machine.outbox.send(3, new Uint8Array(70_000));
  });
  equal((await machine.until("lost", ({ flow }) => flow === 2)).cause, "failed");
  equal((await machine.until("lost", ({ flow }) => flow === 3)).cause, "failed");
  equal(driver.flows, 1);
  await driver.stop();
});

test("a target that is no address is lost, not thrown", async () => {
  const { machine, driver } = await bound();
  driver.run(() => {
    machine.outbox.open(
      2,
      { transport: "udp", address: "example.com", port: 5060 },
      { from: 1, connected: true },
    );
    machine.outbox.open(
      3,
      { transport: "udp", address: "127.0.0.1", port: 0 },
      { from: 1, connected: false },
    );
  });
  equal((await machine.until("lost", ({ flow }) => flow === 2)).cause, "failed");
  equal((await machine.until("lost", ({ flow }) => flow === 3)).cause, "failed");
  await driver.stop();
});

test("sending on a flow that is gone is ignored", async () => {
  const { machine, driver } = await bound();
  driver.run(() => {
    machine.outbox.send(99, bytesOf("x"));
    machine.outbox.send(1, bytesOf("x"));
    machine.outbox.close(98);
  });
  equal(machine.facts.length, 1);
  await driver.stop();
});
