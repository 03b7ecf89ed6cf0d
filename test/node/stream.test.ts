/** TCP, TLS and WebSocket flows: any cut of bytes, refusals, identities, limits. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { once } from "node:events";
import { createServer as createWebServer } from "node:http";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { test } from "node:test";
import { WebSocketServer } from "ws";
import type { TransportName } from "../../src/core/machine.ts";
import type { DriverOptions, TimedEvent } from "../../src/worlds/node/driver.ts";
import { drive, echo, open, tlsServer, trusting } from "./driving.ts";
import { bytesOf } from "./recorder.ts";

const pairs: [TransportName, DriverOptions, DriverOptions][] = [
  ["tcp", {}, {}],
  ["tls", tlsServer, trusting],
  ["ws", {}, {}],
  ["wss", tlsServer, trusting],
];

for (const [transport, here, there] of pairs) {
  test(`${transport}: bytes go both ways, those sent before opened first, and both ends are known`, async () => {
    const server = await echo(transport, here);
    const { machine, driver } = drive(there);
    driver.run(() => {
      machine.outbox.open(
        5,
        { ...server.target, domain: "example.com" },
        { from: 0, connected: true },
      );
      machine.outbox.send(5, bytesOf("a\xff\r\n"));
      machine.outbox.send(5, bytesOf("b"));
    });
    const { peer } = await machine.until("opened");
    await machine.until("received", () => machine.heard(5).endsWith("b"));
    equal(server.machine.heard(-1), "a\xff\r\nb");
    const { peer: seen } = await server.machine.until("opened");
    deepEqual(
      [seen.address, seen.port, seen.localPort, seen.listener, seen.transport],
      [peer.localAddress, peer.localPort, peer.port, 1, transport],
    );
    driver.run(() => {
      machine.outbox.send(5, bytesOf("last words"));
      machine.outbox.close(5);
    });
    equal((await server.machine.until("lost")).cause, "closed");
    ok(server.machine.heard(-1).endsWith("last words"));
    equal(machine.facts.filter(({ fact }) => fact === "lost").length, 0);
  });

  test(`${transport}: a closed port is refused at once`, async () => {
    const server = await echo(transport, here);
    await server.driver.stop();
    const { machine } = open(server.target, there);
    equal((await machine.until("lost")).cause, "refused");
  });

  test(`${transport}: a peer that accepts and says nothing is timed out, or is simply mute over TCP`, async () => {
    const mute = createServer((socket) => socket.on("error", () => socket.destroy()));
    mute.listen(0, "127.0.0.1");
    await once(mute, "listening");
    const { port } = mute.address() as AddressInfo;
    const { machine, driver } = open(
      { transport, address: "127.0.0.1", port },
      { ...there, limits: { connectMs: 400 } },
    );
    if (transport === "tcp") await machine.until("opened");
    else equal((await machine.until("lost")).cause, "timeout");
    await driver.stop();
    mute.close();
  });

  test(`${transport}: an inbound connection that brings no message worth an answer is ended`, async () => {
    const server = await echo(transport, { ...here, limits: { unansweredMs: 500 } });
    server.machine.react = () => undefined;
    const { machine, driver } = open({ ...server.target, domain: "example.com" }, there);
    await machine.until("opened");
    driver.run(() => machine.outbox.send(5, bytesOf("REGISTER sip:")));
    equal((await server.machine.until("lost")).cause, "idle");
    ok(["closed", "reset"].includes((await machine.until("lost")).cause));
  });

  test(`${transport}: a port that someone has is in-use`, async () => {
    const first = await echo(transport, here);
    const { machine, driver } = drive(here);
    driver.run(() =>
      machine.outbox.bind(1, { transport, address: "127.0.0.1", port: first.target.port }),
    );
    equal((await machine.until("lost")).cause, "in-use");
    equal(driver.flows, 0);
  });
}

for (const [transport, here, there] of pairs.slice(0, 2)) {
  test(`${transport}: an inbound connection is ended once nothing moves on it, and no sooner`, async () => {
    const server = await echo(transport, { ...here, limits: { inboundIdleMs: 400 } });
    const target = { ...server.target, domain: "example.com" };
    const [busy, mute] = [open(target, there), open(target, there)];
    for (const { machine, driver } of [busy, mute]) {
      await machine.until("opened");
      driver.run(() => machine.outbox.send(5, bytesOf("hello")));
      await machine.until("received");
    }
    // From now on the one goes on as long as it is answered.
    busy.machine.react = (fact, outbox) => {
      if (fact.fact === "received") outbox.send(5, bytesOf("more"));
    };
    busy.driver.run(() => busy.machine.outbox.send(5, bytesOf("more")));
    const idle = await server.machine.until("lost");
    deepEqual([idle.cause, server.machine.heard(idle.flow)], ["idle", "hello"]);
    busy.machine.react = () => undefined;
    const next = await server.machine.until("lost", ({ flow }) => flow !== idle.flow);
    deepEqual([next.cause, next.at > idle.at], ["idle", true]);
  });
}

test("a connection from a bound flow shares its address", async () => {
  const server = await echo("tcp");
  const { machine, driver } = drive();
  driver.run(() => machine.outbox.bind(1, { transport: "udp", address: "127.0.0.31", port: 0 }));
  await machine.until("bound");
  driver.run(() => machine.outbox.open(5, server.target, { from: 1, connected: true }));
  equal((await machine.until("opened")).peer.localAddress, "127.0.0.31");
});

test("a peer that resets is told as reset, one that ends in order as closed", async () => {
  const servers: Server[] = [];
  for (const [act, cause] of [
    ["reset", "reset"],
    ["end", "closed"],
  ] as const) {
    const server = createServer((socket) => {
      if (act === "reset") socket.resetAndDestroy();
      else socket.end();
    });
    servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const { machine } = open({ transport: "tcp", address: "127.0.0.1", port });
    equal((await machine.until("lost")).cause, cause);
  }
  for (const server of servers) server.close();
});

test("ws: a peer that resets is told as reset, one that ends in order as closed", async () => {
  for (const [act, cause] of [
    ["reset", "reset"],
    ["end", "closed"],
  ] as const) {
    const server = createWebServer();
    const upgrades = new WebSocketServer({ server });
    upgrades.on("connection", (web, { socket }) => {
      web.on("message", () => (act === "reset" ? socket.resetAndDestroy() : web.close()));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const { machine, driver } = open({ transport: "ws", address: "127.0.0.1", port });
    driver.run(() => machine.outbox.send(5, bytesOf("OPTIONS")));
    equal((await machine.until("lost")).cause, cause);
    server.close();
  }
});

test("a peer that takes nothing costs at most the limit, then the flow fails", async () => {
  const slow = createServer((socket) => {
    socket.pause();
    socket.on("error", () => socket.destroy());
  });
  slow.listen(0, "127.0.0.1");
  await once(slow, "listening");
  const { port } = slow.address() as AddressInfo;
  const { machine, driver } = open(
    { transport: "tcp", address: "127.0.0.1", port },
    { limits: { mostUnsentBytes: 100_000 } },
  );
  await machine.until("opened");
  const chunk = new Uint8Array(50_000);
  for (let sent = 0; sent < 1000 && driver.flows > 0; sent += 1) {
    driver.run(() => machine.outbox.send(5, chunk));
  }
  equal((await machine.until("lost")).cause, "failed");
  slow.close();
});

test("more inbound connections than the limit are declined and reported", async () => {
  const events: TimedEvent[] = [];
  const server = await echo("tcp", {
    limits: { mostInbound: 1 },
    sink: (event) => events.push(event),
  });
  const first = open(server.target);
  first.driver.run(() => first.machine.outbox.send(5, bytesOf("x")));
  await first.machine.until("received");
  const second = open(server.target);
  ok(["closed", "reset"].includes((await second.machine.until("lost")).cause));
  equal(events[0]?.event, "connection.declined");
});

test("a rule can hide a TCP server: no connection is even tried", async () => {
  const server = await echo("tcp");
  const hidden = open(server.target, { rule: () => "drop", limits: { connectMs: 30 } });
  equal((await hidden.machine.until("lost")).cause, "timeout");
  const closed = open(server.target, { rule: () => "refuse" });
  equal((await closed.machine.until("lost")).cause, "refused");
  equal(server.machine.facts.length, 1);
});

test("a WebSocket that does not offer sip is refused (RFC 7118 §4)", async () => {
  const server = await echo("ws");
  for (const [protocol, status] of [
    ["Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: chat\r\n", "400"],
    ["", "426"],
  ] as const) {
    const socket = connect(server.target.port, "127.0.0.1");
    socket.write(
      `GET / HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${protocol}\r\n`,
    );
    const [bytes] = await once(socket, "data");
    equal(String(bytes).split(" ")[1], status);
    socket.destroy();
  }
  equal(server.machine.facts.length, 1);
});

test("a WebSocket message above the limit ends the connection, not the server", async () => {
  const server = await echo("ws", { limits: { mostMessageBytes: 1000 } });
  const { machine, driver } = open(server.target);
  driver.run(() => machine.outbox.send(5, new Uint8Array(2000)));
  equal((await server.machine.until("lost")).flow, -1);
  equal(server.machine.facts.filter(({ fact }) => fact === "received").length, 0);
});

test("a WebSocket peer that answers no ping is timed out", async () => {
  const server = await echo("ws", { limits: { pingMs: 40 } });
  const socket = connect(server.target.port, "127.0.0.1");
  socket.write(
    "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n\r\n",
  );
  equal((await server.machine.until("lost")).cause, "timeout");
  socket.destroy();
});
