/** Peers that mean no good, on real sockets: what each can hold, how long, and what becomes of it (docs/limits.md). */
import { equal, ok } from "node:assert/strict";
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import type { TransportName } from "../../src/core/machine.ts";
import type { DriverOptions, TimedEvent } from "../../src/worlds/node/driver.ts";
import { drive, echo, open, tlsServer, trusting } from "./driving.ts";
import { bytesOf } from "./recorder.ts";

const LOOPBACK = "127.0.0.1";

/** A connection without any manners; what it hears is thrown away. */
function rude(port: number, address = LOOPBACK, localAddress = LOOPBACK): Socket {
  const socket = connect({ port, host: address, localAddress });
  socket.on("error", () => undefined);
  return socket;
}

/** However it ends: `once` would take a reset for a failure of the test. */
function textUntilClosed(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (bytes) => {
    text += bytes.toString("latin1");
  });
  return new Promise((resolve) => {
    socket.on("close", () => resolve(text));
  });
}

const UPGRADE = [
  "GET / HTTP/1.1",
  "Host: x",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Protocol: sip",
];

/** A WebSocket that is open, spoken by hand. */
async function rawWebSocket(
  port: number,
  more: readonly string[] = [],
): Promise<{ socket: Socket; answer: string }> {
  const socket = rude(port);
  socket.write(`${[...UPGRADE, ...more].join("\r\n")}\r\n\r\n`);
  const [answer] = await once(socket, "data");
  return { socket, answer: String(answer) };
}

/** A frame of a client with the mask 0, so that its bytes stand as they are (RFC 6455 §5.2). */
function frame(head: number, text: string): Buffer {
  return Buffer.concat([
    Buffer.from([head, 0x80 | text.length, 0, 0, 0, 0]),
    Buffer.from(text, "latin1"),
  ]);
}

const FINAL_TEXT = 0x81;
const FIRST_PIECE = 0x01;
const NEXT_PIECE = 0x00;
const PING = 0x89;
const PONG = 0x8a;
const COMPRESSED = 0x40;

for (const [transport, options] of [
  ["tls", tlsServer],
  ["wss", tlsServer],
  ["ws", {}],
  ["tcp", {}],
] as [TransportName, DriverOptions][]) {
  test(`${transport}: a connection that never says a word is ended`, async () => {
    const server = await echo(transport, { ...options, limits: { unansweredMs: 80 } });
    await textUntilClosed(rude(server.target.port));
  });

  test(`${transport}: a connection that says nothing but pings is ended, though each is answered`, async () => {
    const server = await echo(transport, { ...options, limits: { unansweredMs: 1_000 } });
    server.machine.react = (fact, outbox) => {
      if (fact.fact === "received") outbox.send(fact.flow, bytesOf("\r\n"));
    };
    const { machine, driver } = open({ ...server.target, domain: "example.com" }, trusting);
    await machine.until("opened");
    const ping = (): void => driver.run(() => machine.outbox.send(5, bytesOf("\r\n\r\n")));
    const pinging = setInterval(ping, 50);
    const ended = server.machine.until("lost").finally(() => clearInterval(pinging));
    equal((await ended).cause, "idle");
    ok(machine.heard(5).startsWith("\r\n"), "a ping was answered");
  });

  test(`${transport}: half a handshake, or half a message, is ended however slowly it goes on`, async () => {
    const server = await echo(transport, { ...options, limits: { unansweredMs: 80 } });
    server.machine.react = () => undefined;
    const socket = rude(server.target.port);
    const secure = transport === "tls" || transport === "wss";
    const begun = secure ? "\x16\x03\x01\x02\x00\x01" : `${UPGRADE.join("\r\n")}\r\nX: `;
    let at = 0;
    const dribble = setInterval(() => {
      socket.write(at < begun.length ? bytesOf(begun.charAt(at)) : "y");
      at += 1;
    }, 5);
    await textUntilClosed(socket);
    clearInterval(dribble);
    if (transport === "tcp") await server.machine.until("lost");
    equal(server.driver.flows, 1, "the listener alone is left");
  });

  test(`${transport}: one address has a share of the connections, whoever else comes gets in`, async () => {
    const events: TimedEvent[] = [];
    const server = await echo(transport, {
      ...options,
      limits: { mostInboundOfOne: 5 },
      sink: (event) => events.push(event),
    });
    const { port } = server.target;
    const crowd = Array.from({ length: 30 }, () => rude(port));
    await Promise.all(crowd.slice(5).map(textUntilClosed));
    const other = rude(port, LOOPBACK, "127.0.0.2");
    await once(other, "connect");
    if (transport === "tcp") {
      other.write("hello");
      const [answer] = await once(other, "data");
      equal(String(answer), "echo: hello");
    } else ok(!other.destroyed);
    const told = events.filter(({ event }) => event === "connection.declined");
    equal(told.length, 1, "a flood of connections is no flood of events");
    for (const socket of [...crowd, other]) socket.destroy();
  });
}

test("tcp: whoever has left makes room for himself", async () => {
  const server = await echo("tcp", { limits: { mostInboundOfOne: 1 } });
  for (let time = 0; time < 3; time += 1) {
    const socket = rude(server.target.port);
    await once(socket, "connect");
    socket.write("x");
    await once(socket, "data");
    socket.destroy();
    const flow = -1 - time;
    await server.machine.until("lost", (fact) => fact.flow === flow);
  }
});

test("a peer that takes nothing any more is half open: the flow is lost, although little waits", async () => {
  const server = await echo("tcp", { limits: { stalledMs: 100, mostUnsentBytes: 1 << 28 } });
  const deaf = rude(server.target.port);
  await once(deaf, "connect");
  deaf.pause();
  deaf.write("x");
  await server.machine.until("received");
  server.driver.run(() => server.machine.outbox.send(-1, new Uint8Array(1 << 26)));
  equal((await server.machine.until("lost")).cause, "timeout");
  deaf.destroy();
});

test("a slow peer that takes all in time is waited for", async () => {
  const server = await echo("tcp", { limits: { stalledMs: 5_000, mostUnsentBytes: 1 << 28 } });
  const slow = rude(server.target.port);
  await once(slow, "connect");
  slow.write("x");
  await server.machine.until("received");
  const size = 1 << 25;
  server.driver.run(() => server.machine.outbox.send(-1, new Uint8Array(size)));
  let taken = 0;
  for await (const bytes of slow) {
    taken += (bytes as Buffer).length;
    equal(server.driver.flows, 2);
    if (taken >= size) break;
  }
});

test("ws: an upgrade with endless headers is refused with 431", async () => {
  const server = await echo("ws", { limits: { mostUpgradeBytes: 2000 } });
  const socket = rude(server.target.port);
  socket.write(`${UPGRADE.join("\r\n")}\r\nX-Padding: ${"x".repeat(4000)}\r\n\r\n`);
  ok((await textUntilClosed(socket)).startsWith("HTTP/1.1 431 "));
});

test("ws: compression is not taken up when offered, and a compressed message ends the connection (bombs)", async () => {
  const server = await echo("ws");
  const offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits";
  const { socket, answer } = await rawWebSocket(server.target.port, [offer]);
  ok(answer.startsWith("HTTP/1.1 101 ") && !/extensions/i.test(answer), answer);
  socket.write(frame(FINAL_TEXT | COMPRESSED, "x"));
  await server.machine.until("lost");
  equal(server.machine.facts.filter(({ fact }) => fact === "received").length, 0);
});

test("ws: a message in pieces is put together, one in too many ends the connection", async () => {
  const server = await echo("ws", { limits: { mostMessagePieces: 4 } });
  const { socket } = await rawWebSocket(server.target.port);
  socket.write(frame(FIRST_PIECE, "ab"));
  socket.write(frame(NEXT_PIECE, "cd"));
  socket.write(frame(0x80, "ef"));
  equal((await server.machine.until("received")).text, "abcdef");
  socket.write(frame(FIRST_PIECE, "a"));
  for (let piece = 0; piece < 5; piece += 1) socket.write(frame(NEXT_PIECE, "b"));
  await server.machine.until("lost");
  socket.destroy();
});

test("ws: a message begun and not ended ends the connection, though pongs go on coming", async () => {
  const server = await echo("ws", { limits: { pingMs: 50 } });
  const { socket } = await rawWebSocket(server.target.port);
  socket.write(frame(FINAL_TEXT, "x"));
  await server.machine.until("received");
  socket.on("data", () => socket.write(frame(PONG, "")));
  socket.write(frame(FIRST_PIECE, "half"));
  equal((await server.machine.until("lost")).cause, "timeout");
});

test("ws: a peer that only answers pings stays", async () => {
  const server = await echo("ws", { limits: { pingMs: 200 } });
  const { socket } = await rawWebSocket(server.target.port);
  socket.write(frame(FINAL_TEXT, "x"));
  await server.machine.until("received");
  let pings = 0;
  for await (const bytes of socket) {
    if ((bytes as Buffer)[0] !== PING) continue;
    socket.write(frame(PONG, ""));
    equal(server.driver.flows, 2);
    pings += 1;
    if (pings === 5) break;
  }
});

test("udp: keep-alives and nothing at all from unknown peers open no flow", async () => {
  const server = await echo("udp");
  const socket = createSocket("udp4");
  for (const text of ["", "\r\n", "\r\n\r\n", "\0", "\0\0\0\0", "a message"]) {
    socket.send(bytesOf(text), server.target.port, LOOPBACK);
  }
  equal((await server.machine.until("received")).text, "a message");
  equal(server.machine.facts.filter(({ fact }) => fact === "opened").length, 1);
  socket.close();
});

test("udp: a flood from very many sources keeps no more than the limit, and forgets them", async () => {
  const server = await echo("udp", { limits: { mostDatagramFlows: 50, datagramIdleMs: 200 } });
  const sockets = Array.from({ length: 200 }, () => createSocket("udp4"));
  for (const socket of sockets) {
    socket.send("noise", server.target.port, LOOPBACK);
    await once(socket, "message");
    ok(server.driver.flows <= 51);
  }
  const last = -sockets.length;
  await server.machine.until("lost", ({ flow }) => flow === last);
  equal(server.driver.flows, 1);
  for (const socket of sockets) socket.close();
});

/** Of file descriptors, for this process and each of its children. */
function mostOpenFiles(): number {
  const report = process.report.getReport() as unknown as {
    readonly userLimits: { readonly open_files: { readonly soft: number | "unlimited" } };
  };
  const { soft } = report.userLimits.open_files;
  return soft === "unlimited" ? Number.POSITIVE_INFINITY : soft;
}

const few = mostOpenFiles() < 10_500 ? { skip: "fewer than 10,500 open files (ulimit -n)" } : {};

test(
  "of 10,000 connections that say nothing those above the share are declined, the rest is held a while and ended",
  few,
  async (context) => {
    const { machine, driver } = drive({ limits: { mostInboundOfOne: 9_000, unansweredMs: 3_000 } });
    driver.run(() => machine.outbox.bind(1, { transport: "tcp", address: LOOPBACK, port: 0 }));
    const { local } = await machine.until("bound");
    const before = process.memoryUsage().rss;
    const open = new Set<number>();
    let most = 0;
    machine.react = (fact, outbox) => {
      if (fact.fact === "opened") open.add(fact.flow);
      if (fact.fact === "lost") open.delete(fact.flow);
      if (fact.fact === "received") outbox.send(fact.flow, bytesOf("here"));
      most = Math.max(most, open.size);
    };
    const program = join(import.meta.dirname, "crowd-program.js");
    const crowd = spawn(process.execPath, [program, String(local.port), "10000"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    context.after(() => crowd.kill());
    const lines = createInterface({ input: crowd.stdout });
    await once(lines, "line");
    const each = (process.memoryUsage().rss - before) / most;
    ok(each < 40_000, `${each} bytes a connection`);
    const other = rude(local.port, LOOPBACK, "127.0.0.2");
    other.write("x");
    equal(String((await once(other, "data"))[0]), "here");
    other.destroy();
    await once(crowd, "close");
    ok(most > 2_000 && most <= 9_001, `${most} held`);
    ok(machine.facts.filter(({ fact }) => fact === "opened").length >= 9_000);
    await machine.until("lost", () => open.size === 0);
  },
);

test("a connection of ours to a peer that floods us with half a message is bounded like any other", async () => {
  const server = await echo("ws", { limits: { mostMessageBytes: 1000 } });
  const { machine, driver } = open(server.target, { limits: { mostMessageBytes: 10 } });
  driver.run(() => machine.outbox.send(5, bytesOf("long enough")));
  equal((await machine.until("lost")).flow, 5);
});
