/** TCP, TLS and WebSocket flows: any cut of bytes, refusals, identities, limits. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { after, test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import type { Target, TransportName } from "../../src/core/machine.ts";
import { Driver, type DriverOptions, type TimedEvent } from "../../src/worlds/node/driver.ts";
import { speaksFor } from "../../src/worlds/node/tls.ts";
import { authority, certificate, fingerprint, key } from "./certificates.ts";
import { bytesOf, Recorder } from "./recorder.ts";

const drivers: Driver[] = [];
after(async () => {
  for (const driver of drivers) await driver.stop();
});

function drive(options: DriverOptions = {}): { machine: Recorder; driver: Driver } {
  const machine = new Recorder();
  const driver = new Driver(machine, options);
  drivers.push(driver);
  return { machine, driver };
}

/** A machine that listens, and answers whatever comes with "echo: …". */
async function echo(
  transport: TransportName,
  options: DriverOptions = {},
): Promise<{ machine: Recorder; driver: Driver; target: Target }> {
  const { machine, driver } = drive(options);
  machine.react = (fact, outbox) => {
    if (fact.fact === "received") outbox.send(fact.flow, bytesOf(`echo: ${fact.text}`));
  };
  driver.run(() => machine.outbox.bind(1, { transport, address: "127.0.0.1", port: 0 }));
  const { local } = await machine.until("bound");
  return { machine, driver, target: { transport, address: "127.0.0.1", port: local.port } };
}

function open(
  target: Target,
  options: DriverOptions = {},
  from = 0,
): { machine: Recorder; driver: Driver } {
  const driven = drive(options);
  driven.driver.run(() => driven.machine.outbox.open(5, target, { from, connected: true }));
  return driven;
}

const tlsServer: DriverOptions = { tls: { certificate, key } };

const pairs: [TransportName, DriverOptions, DriverOptions][] = [
  ["tcp", {}, {}],
  ["tls", tlsServer, { tls: { authorities: [authority] } }],
  ["ws", {}, {}],
  ["wss", tlsServer, { tls: { authorities: [authority] } }],
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
      { ...there, limits: { connectMs: 60 } },
    );
    if (transport === "tcp") await machine.until("opened");
    else equal((await machine.until("lost")).cause, "timeout");
    await driver.stop();
    mute.close();
  });

  test(`${transport}: an inbound connection that brings no message worth an answer is ended`, async () => {
    const server = await echo(transport, { ...here, limits: { unansweredMs: 60 } });
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

test("a certificate that does not speak for the configured domain is a TLS loss (RFC 5922)", async () => {
  const server = await echo("tls", tlsServer);
  const trusting: DriverOptions = { tls: { authorities: [authority] } };
  for (const domain of ["other.example", "host.wild.example", "127.0.0.2"]) {
    const { machine } = open({ ...server.target, domain }, trusting);
    equal((await machine.until("lost")).cause, "tls", domain);
  }
  for (const domain of ["EXAMPLE.com", "sip-only.example", "127.0.0.1"]) {
    const { machine } = open({ ...server.target, domain }, trusting);
    await machine.until("opened");
  }
});

test("an unknown authority is a TLS loss, unless the very certificate is pinned", async () => {
  const server = await echo("tls", tlsServer);
  const target: Target = { ...server.target, domain: "anything.example" };
  equal((await open(target).machine.until("lost")).cause, "tls");
  const wrong = open(target, { tls: { pinned: ["00:11"] } });
  equal((await wrong.machine.until("lost")).cause, "tls");
  ok(wrong.machine.facts.every(({ fact }) => fact !== "opened"));
  await open(target, { tls: { pinned: [fingerprint] } }).machine.until("opened");
  await open(
    { ...target, transport: "tls" },
    { tls: { pinned: ["00:11", fingerprint] } },
  ).machine.until("opened");
});

test("a WSS peer with the wrong certificate is a TLS loss", async () => {
  const server = await echo("wss", tlsServer);
  const { machine } = open(
    { ...server.target, domain: "other.example" },
    { tls: { authorities: [authority] } },
  );
  equal((await machine.until("lost")).cause, "tls");
});

test("TLS 1.1 is refused", async () => {
  const old = createTlsServer({
    cert: certificate,
    key,
    minVersion: "TLSv1",
    maxVersion: "TLSv1.1",
    ciphers: "DEFAULT:@SECLEVEL=0",
  });
  old.listen(0, "127.0.0.1");
  await once(old, "listening");
  const { port } = old.address() as AddressInfo;
  const { machine } = open(
    { transport: "tls", address: "127.0.0.1", port, domain: "example.com" },
    { tls: { authorities: [authority] } },
  );
  equal((await machine.until("lost")).cause, "tls");
  old.close();
});

test("a second connection to the same domain resumes the session", async () => {
  let resumed = 0;
  const server = createTlsServer({ cert: certificate, key, maxVersion: "TLSv1.2" }, (socket) => {
    if (socket.isSessionReused()) resumed += 1;
    socket.on("error", () => socket.destroy());
    socket.write("hello");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const { machine, driver } = drive({ tls: { authorities: [authority] } });
  const target: Target = { transport: "tls", address: "127.0.0.1", port, domain: "example.com" };
  for (const flow of [1, 2]) {
    driver.run(() => machine.outbox.open(flow, target, { from: 0, connected: true }));
    await machine.until("received", (fact) => fact.flow === flow);
    driver.run(() => machine.outbox.close(flow));
  }
  driver.run(() =>
    machine.outbox.open(3, { ...target, domain: "other.example" }, { from: 0, connected: true }),
  );
  equal((await machine.until("lost")).cause, "tls");
  equal(resumed, 1);
  server.close();
});

test("a TLS listener without a certificate cannot be had, and says why", async () => {
  const events: TimedEvent[] = [];
  const { machine, driver } = drive({ sink: (event) => events.push(event) });
  driver.run(() => {
    machine.outbox.bind(1, { transport: "tls", address: "127.0.0.1", port: 0 });
    machine.outbox.bind(2, { transport: "wss", address: "127.0.0.1", port: 0 });
  });
  deepEqual(
    machine.facts.map((fact) => fact.fact === "lost" && fact.cause),
    ["tls", "tls"],
  );
  ok(JSON.stringify(events[0]).includes("certificate"));
});

test("a certificate's names are read as RFC 5922 §7.1 and §7.2 say", () => {
  const speaks = (
    subjectaltname: string | undefined,
    identity: string,
    CN = "cn.example",
  ): boolean =>
    speaksFor(
      {
        subject: { CN } as never,
        ...(subjectaltname === undefined ? {} : { subjectaltname }),
      } as never,
      identity,
    );
  equal(speaks("DNS:a.example", "a.example"), true);
  equal(speaks("DNS:A.Example.", "a.example"), true);
  equal(speaks("DNS:*.example", "a.example"), false);
  equal(speaks("URI:sip:a.example", "a.example"), true);
  equal(speaks("URI:sips:a.example", "a.example"), false);
  equal(speaks("URI:sip:alice@a.example", "a.example"), false);
  equal(speaks('DNS:"b.example, DNS:a.example"', "a.example"), false);
  equal(speaks("DNS:b.example, IP Address:127.0.0.1", "127.0.0.1"), true);
  equal(speaks("IP Address:2001:DB8:0:0:0:0:0:1", "2001:db8::1"), true);
  equal(speaks("DNS:127.0.0.1", "127.0.0.1"), false);
  equal(speaks(undefined, "cn.example"), true);
  equal(speaks("DNS:b.example", "cn.example"), false);
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
