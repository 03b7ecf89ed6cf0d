/** What strangers leave behind at a real server's sockets, and whom they can make it send to: nothing, and nobody. */
import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { EventEmitter, once } from "node:events";
import { type TestContext, test } from "node:test";
import { DEFAULT_REGISTRAR_LIMITS } from "../../src/core/server/registration.ts";
import { SipServer } from "../../src/core/server/server.ts";
import { readUsers } from "../../src/core/server/users-file.ts";
import { Driver } from "../../src/worlds/node/driver.ts";
import { nodePrimitives } from "../../src/worlds/node/primitives.ts";
import { MemoryStore } from "../../src/worlds/node/stores/memory-store.ts";

const LOOPBACK = "127.0.0.1";

/** A listener and the stranger himself. */
const FLOWS = 2;

async function socketAt(t: TestContext, address: string): Promise<Socket> {
  const socket = createSocket("udp4");
  t.after(() => socket.close());
  socket.bind(0, address);
  await once(socket, "listening");
  return socket;
}

/** A server that asks everybody for a password, and the port it listens at. */
async function guarded(t: TestContext): Promise<{ driver: Driver; port: number }> {
  const store = new MemoryStore();
  const machine = new SipServer(
    {
      name: "one",
      domains: ["example.com"],
      listen: [{ transport: "udp", address: LOOPBACK, port: 0 }],
      advertise: undefined,
      role: "working",
      users: readUsers({ name: "users.yaml", text: "alice: wonder\n" }).users,
      acceptForeign: false,
      limits: DEFAULT_REGISTRAR_LIMITS,
      serviceRoute: "",
      shared: false,
      epochOffset: Date.now(),
      tracing: false,
    },
    nodePrimitives(),
  );
  const events = new EventEmitter();
  const driver = new Driver(machine, {
    sink: (event) => events.emit(event.event, event),
    store: (asked, done) => store.ask(asked, done),
  });
  t.after(() => driver.stop());
  const started = once(events, "server.started");
  driver.run((now) => machine.start(now));
  const [{ listen }] = await started;
  return { port: Number(String(listen).split(":")[2]), driver };
}

function options(via: string, method = "OPTIONS"): string {
  return [
    `${method} sip:alice@example.com SIP/2.0`,
    `Via: SIP/2.0/UDP ${via};branch=z9hG4bK${via.length}x`,
    "From: <sip:a@b>;tag=1",
    "To: <sip:alice@example.com>",
    "Call-ID: 1",
    `CSeq: 1 ${method}`,
    "Max-Forwards: 70\r\n\r\n",
  ].join("\r\n");
}

test("a Via with many ports leaves no flow behind, and is answered where it says (R47)", async (t) => {
  const { driver, port } = await guarded(t);
  const stranger = await socketAt(t, LOOPBACK);
  const other = await socketAt(t, LOOPBACK);
  for (let count = 0; count < 500; count += 1) {
    for (const method of ["OPTIONS", "INVITE", "REGISTER"]) {
      stranger.send(options(`${LOOPBACK}:${20_000 + count}`, method), port, LOOPBACK);
    }
    if (count % 50 === 0) await new Promise(setImmediate);
  }
  stranger.send(options(`${LOOPBACK}:${other.address().port}`), port, LOOPBACK);
  const [answer, from] = await once(other, "message");
  assert.match(String(answer), /^SIP\/2\.0 [24]\d\d /);
  assert.equal(from.port, port);
  assert.ok(driver.flows <= FLOWS, `${driver.flows} flows`);
});

test("no Via makes the server send to a third party", async (t) => {
  const { driver, port } = await guarded(t);
  const stranger = await socketAt(t, LOOPBACK);
  const third = await socketAt(t, "127.0.0.55");
  const heard: string[] = [];
  third.on("message", (bytes) => heard.push(String(bytes)));
  const { port: there } = third.address();
  const own = stranger.address().port;
  for (const via of [
    `${LOOPBACK}:${there};maddr=127.0.0.55`,
    `127.0.0.55:${there};received=127.0.0.55`,
    `127.0.0.55:${there};maddr=127.0.0.55;received=127.0.0.55`,
  ]) {
    stranger.send(options(via), port, LOOPBACK);
    stranger.send(`${options(via).slice(0, -2)}Content-Length: x\r\n\r\n`, port, LOOPBACK);
  }
  stranger.send(options(`${LOOPBACK}:${own};maddr=127.0.0.55`), port, LOOPBACK);
  await once(stranger, "message");
  // What the server sends after this one cannot be heard before it.
  const last = once(third, "message");
  stranger.send("last", there, "127.0.0.55");
  await last;
  assert.deepEqual(heard, ["last"]);
  assert.ok(driver.flows <= FLOWS, `${driver.flows} flows`);
});
