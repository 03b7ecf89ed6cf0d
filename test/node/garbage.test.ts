/** A server under garbage on every transport at once: it goes on serving, and ends in order. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import { startPhone, startServer } from "../api/town.ts";
import { Prng } from "../support/prng.ts";
import { damaged } from "../torture/damage.ts";
import { certificate, fingerprint, key } from "./certificates.ts";

const LOOPBACK = "127.0.0.1";
const CONNECTIONS = 150;
const DATAGRAMS = 3_000;

const UPGRADE = [
  "GET / HTTP/1.1",
  "Host: x",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Protocol: sip",
  "",
  "",
].join("\r\n");

/** Noise, or a damaged message, sometimes in a WebSocket frame. */
function garbage(prng: Prng): Buffer {
  if (prng.below(3) === 0) {
    return Buffer.from(Array.from({ length: 1 + prng.below(600) }, () => prng.below(256)));
  }
  const bytes = Buffer.from(damaged(prng), "latin1");
  const head = [0x81, 0xfe, bytes.length >> 8, bytes.length & 0xff, 0, 0, 0, 0];
  return prng.below(2) === 0 ? bytes : Buffer.concat([Buffer.from(head), bytes]);
}

/** One connection from its beginning to its end, whichever side ends it. */
async function annoy(prng: Prng, transport: string, port: number): Promise<void> {
  const secure = (transport === "tls" || transport === "wss") && prng.below(3) > 0;
  const socket: Socket = secure
    ? connectTls({ port, host: LOOPBACK, rejectUnauthorized: false })
    : connect(port, LOOPBACK);
  const closed = new Promise<void>((resolve) => {
    socket.on("close", () => resolve());
  });
  socket.on("error", () => undefined);
  socket.resume();
  socket.on(secure ? "secureConnect" : "connect", () => {
    if (transport.startsWith("ws") && prng.below(3) > 0) socket.write(UPGRADE);
    for (let pieces = prng.below(5); pieces > 0; pieces -= 1) socket.write(garbage(prng));
    setImmediate(() => {
      if (secure || prng.below(2) === 0) socket.destroySoon();
      else socket.resetAndDestroy();
    });
  });
  await closed;
}

test("garbage on UDP, TCP, TLS, WS and WSS at once ends no service", async (t) => {
  const server = await startServer(t, {
    listen: ["udp", "tcp", "tls", "ws", "wss"].map((transport) => `${transport}:${LOOPBACK}:0`),
    tls: { certificate, key },
  });
  const ports = new Map(
    server.addresses.map((address) => {
      const [transport = "", , port] = address.split(":");
      return [transport, Number(port)];
    }),
  );
  const streams = [...ports].filter(([transport]) => transport !== "udp");
  const all = streams.map(async ([transport, port], index) => {
    const prng = new Prng(index + 1);
    for (let count = 0; count < CONNECTIONS; count += 1) await annoy(prng, transport, port);
  });
  const socket = createSocket("udp4");
  const prng = new Prng(77);
  for (let count = 0; count < DATAGRAMS; count += 1) {
    socket.send(garbage(prng), ports.get("udp") ?? 0, LOOPBACK);
    if (count % 100 === 0) await new Promise(setImmediate);
  }
  await Promise.all(all);
  socket.close();
  await once(socket, "close");
  for (const [transport, port] of ports) {
    const phone = await startPhone(t, [`${transport}:${LOOPBACK}:${port}`], "2001", {
      tls: { pinned: [fingerprint] },
    });
    assert.equal(phone.calls.length, 0);
    await phone.stop();
  }
});
