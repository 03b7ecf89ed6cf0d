/** The phone of the public API: options and files in, typed events, requests and errors out. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  AddressError,
  ConfigurationError,
  Phone,
  type PhoneEvent,
  type PhoneOptions,
  RequestError,
  StateError,
} from "../../src/index.ts";
import { MemoryStore } from "../../src/worlds/node/stores/memory-store.ts";
import { atTheEnd, newPhone, patience, startPhone, startServer } from "./town.ts";

/** A port of 127.0.0.1 at which nobody listens. */
async function closedPort(): Promise<number> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  await new Promise<void>((closed) => socket.close(closed));
  return port;
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

test("every fault of the options is told at once, with what to give instead", () => {
  const wrong = {
    user: "a b",
    servers: ["nowhere:99999", { address: "192.0.2.1", registerRetries: "3" }],
    redundancy: { t1Ms: -1, probeInterval: 5, dns: { cache: 1 } },
    messageWaiting: "yes",
    pasword: "secret",
  } as unknown as PhoneOptions;
  assert.throws(
    () => new Phone(wrong),
    (error) => {
      assert(error instanceof ConfigurationError);
      assert.deepEqual(
        error.faults.map(({ key }) => key),
        [
          "accounts.1.user",
          "accounts.1.messageWaiting",
          "accounts.1.pasword",
          "accounts.1.servers.1.port",
          "accounts.1.servers.2.registerRetries",
          "accounts.1.redundancy.t1Ms",
          "accounts.1.redundancy.probeInterval",
          "accounts.1.redundancy.dns.cache",
        ],
      );
      assert.ok(error.faults.every(({ remedy }) => remedy.startsWith("give ")));
      return true;
    },
  );
  const settings = { user: "1", servers: "h", bind: "here", port: 70_000, answer: "maybe" };
  assert.throws(
    () => new Phone(settings as unknown as PhoneOptions),
    (error) => error instanceof ConfigurationError && error.faults.length === 3,
  );
  assert.throws(() => new Phone({ user: "1", servers: "h", dns: "1.2.3.4:x" }), ConfigurationError);
  const misspelt = { accounts: [{ user: "1", servers: "h" }], prot: 5060 };
  assert.throws(() => new Phone(misspelt), /options:1: prot: is not known; give one of accounts, /);
});

test("without options there is a ConfigurationError that says so, and TLS is checked, too", () => {
  for (const nothing of [undefined, null] as unknown as PhoneOptions[]) {
    assert.throws(() => new Phone(nothing), /options:1: options: are missing; give \{ user/);
  }
  const tls = { pinned: ["ab:cd"] };
  assert.throws(() => new Phone({ user: "1", servers: "h", tls }), /options:1: tls\.pinned\.1: /);
});

test("it registers with digest, tells what it knows, and leaves no binding when it stops", async (t) => {
  const server = await startServer(t);
  const phone = newPhone(t, server, "2001", { userAgent: "Bot/1" });
  const before = phone.address;
  assert.equal(before, undefined);
  const accepted = once(phone, "registration.accepted", patience());
  await phone.start();
  assert.equal(phone.address?.address, "127.0.0.1");
  const registered = await phone.registered(patience());
  assert.equal((await accepted)[0], registered);
  assert.equal(registered.target, server.addresses[0]);
  assert.equal(registered.expires, 600);
  assert.deepEqual(phone.registrations, [registered]);
  const users = await all(server.bindings());
  assert.deepEqual(
    users.map(({ aor, bindings }) => [aor, bindings[0]?.userAgent, bindings.length]),
    [["2001@example.com", "Bot/1", 1]],
  );
  const removed = once(server, "binding.removed", patience());
  await phone.stop();
  await removed;
  assert.deepEqual(await all(server.bindings()), []);
  await assert.rejects(phone.start(), StateError);
});

test("a listener may act on the phone at once: no event comes in the midst of a turn", async (t) => {
  const server = await startServer(t);
  const callee = await startPhone(t, server, "2002", { answer: "auto" });
  const phone = newPhone(t, server, "2001");
  const ended = new Promise<void>((resolve, reject) => {
    phone.once("registration.accepted", () => {
      const call = phone.call("2002");
      call.on("answered", () => void call.hangup().then(() => resolve(), reject));
    });
  });
  await phone.start();
  await ended;
  assert.deepEqual(callee.registrations.length, 1);
});

test("events can be looped over, and the loop ends when the phone has stopped", async (t) => {
  const server = await startServer(t);
  const phone = newPhone(t, server, "2001");
  const names: PhoneEvent["event"][] = [];
  const loop = (async () => {
    for await (const event of phone.events()) {
      names.push(event.event);
      // Narrowed by its name: `expires` is a field of this event only.
      if (event.event === "registration.accepted") assert.equal(event.expires, 600);
    }
  })();
  await phone.start();
  await phone.registered(patience());
  await phone.stop();
  await loop;
  assert.deepEqual(names, [
    "phone.started",
    "server.resolved",
    "registration.accepted",
    "registration.removed",
  ]);
  await assert.rejects(
    async () => {
      for await (const _ of newPhone(t, server, "2002").events({ signal: AbortSignal.abort() }));
    },
    { name: "AbortError" },
  );
});

test("a port that is taken is an AddressError, and the phone is over", async (t) => {
  const server = await startServer(t);
  const first = await startPhone(t, server, "2001");
  const port = first.address?.port ?? 0;
  const second = newPhone(t, server, "2002", { port });
  await assert.rejects(second.start(), (error) => {
    assert(error instanceof AddressError);
    assert.equal(error.address, `udp:127.0.0.1:${port}`);
    assert.equal(error.why, "in-use");
    return true;
  });
  assert.throws(() => second.call("2001"), StateError);
});

test("waiting for a registration ends with its signal, or with the phone", async (t) => {
  const port = await closedPort();
  const phone = newPhone(t, [`udp:127.0.0.1:${port}`], "2001");
  await phone.start();
  await assert.rejects(phone.registered({ signal: AbortSignal.timeout(50) }), {
    name: "TimeoutError",
  });
  const waiting = assert.rejects(phone.registered(), StateError);
  await phone.stop();
  await waiting;
});

test("when its first server dies, the next call goes by the second, and events tell it", async (t) => {
  const store = new MemoryStore();
  t.after(() => store.close());
  const first = await startServer(t, { store, name: "first" });
  const second = await startServer(t, { store, name: "second" });
  const places = [first, second].map(({ addresses }) => addresses[0] as string);
  await startPhone(t, second, "2002", { answer: "auto" });
  const phone = newPhone(t, places, "2001");
  const both = new Promise<void>((resolve) => {
    phone.on("registration.accepted", () => {
      if (phone.registrations.length === 2) resolve();
    });
  });
  await phone.start();
  await both;
  await first.close();
  const fellBack = once(phone, "server.fell-back", patience());
  const suspected = once(phone, "server.suspected", patience());
  const call = phone.call("2002");
  await call.answered;
  assert.equal((await suspected)[0].target, places[0]);
  const [{ from, to }] = await fellBack;
  assert.deepEqual([from, to], [1, 2]);
  await call.hangup();
});

test("a request is answered by the next server where the first is dead, and a refusal is an answer", async (t) => {
  const server = await startServer(t);
  const dead = `udp:127.0.0.1:${await closedPort()}`;
  const callee = await startPhone(t, server, "2002");
  callee.handle("MESSAGE", async ({ body, headers }) => {
    assert.equal(headers.get("content-type"), "text/plain;charset=utf-8");
    return { status: 202, reason: "Taken", headers: { "X-Length": String(body.length) }, body };
  });
  const phone = newPhone(t, [dead, server.addresses[0] as string], "2001", { register: false });
  await phone.start();
  const message = {
    method: "MESSAGE",
    to: "2002@example.com",
    headers: { "Content-Type": "text/plain;charset=utf-8" },
    body: "Grüße",
  };
  const response = await phone.request({ ...message, ...patience() });
  assert.deepEqual([response.status, response.reason, response.ok], [202, "Taken", true]);
  assert.equal(response.headers.get("X-LENGTH"), "5");
  assert.deepEqual(response.headers.all("x-length"), ["5"]);
  assert.deepEqual([response.headers.has("Via"), response.headers.has("Contact")], [true, false]);
  assert.ok([...response.headers].some(([name, value]) => name === "x-length" && value === "5"));
  assert.equal(response.body, "Grüße");

  callee.handle("MESSAGE", undefined);
  const refusal = await phone.request({ ...message, ...patience() });
  assert.deepEqual([refusal.status, refusal.ok], [405, false]);
  assert.deepEqual(phone.registrations, []);
});

test("a request that nobody answers is a RequestError; what cannot be sent is a TypeError", async (t) => {
  const phone = newPhone(t, [`udp:127.0.0.1:${await closedPort()}`], "2001", { register: false });
  await assert.rejects(phone.request({ method: "OPTIONS" }), StateError);
  await phone.start();
  await assert.rejects(phone.request({ method: "OPTIONS" }), (error) => {
    assert(error instanceof RequestError);
    assert.equal(error.why, "transport");
    return true;
  });
  await assert.rejects(phone.request({ method: "INVITE" }), TypeError);
  await assert.rejects(phone.request({ method: "MESSAGE", headers: { Via: "x" } }), TypeError);
  await assert.rejects(phone.request({ method: "MESSAGE", to: "a b" }), TypeError);
  assert.throws(() => phone.handle("BYE", () => 200), TypeError);
  await assert.rejects(phone.request({ method: "OPTIONS", signal: AbortSignal.abort() }), {
    name: "AbortError",
  });
});

test("a request ends with its signal, and with the phone", async (t) => {
  const silent = createSocket("udp4").bind(0, "127.0.0.1");
  await once(silent, "listening");
  t.after(() => silent.close());
  const place = `udp:127.0.0.1:${silent.address().port}`;
  const phone = newPhone(t, [place], "2001", { register: false });
  await phone.start();
  const abort = new AbortController();
  const aborted = phone.request({ method: "OPTIONS", signal: abort.signal });
  abort.abort(new Error("enough"));
  await assert.rejects(aborted, /enough/);
  const stopped = assert.rejects(
    phone.request({ method: "OPTIONS" }),
    (error) => error instanceof RequestError && error.why === "stopped",
  );
  await phone.stop();
  await stopped;
});

test("provisioning files make the same phone; their faults are told with file and line", async (t) => {
  const server = await startServer(t);
  const folder = mkdtempSync(join(tmpdir(), "dialtone-api-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "phone.yaml");
  const [, address, port] = (server.addresses[0] as string).split(":");
  const lines = [
    "accounts:",
    '  - user: "2001"',
    "    password: desk-2001",
    "    domain: example.com",
    `    servers: [{ address: ${address}, port: ${port}, transport: udp }]`,
  ];
  writeFileSync(file, lines.join("\n"));
  const phone = await Phone.fromFiles(file, { bind: "127.0.0.1", trace: true });
  t.after(() => phone.stop());
  const sent = once(phone, "message.sent", patience());
  await phone.start();
  await phone.registered(patience());
  const [message] = await sent;
  assert.match(Buffer.from(message.data, "base64").toString(), /^REGISTER sip:example.com SIP/);

  writeFileSync(file, lines.join("\n").replace("password:", "pasword:"));
  await assert.rejects(Phone.fromFiles([file]), (error) => {
    assert(error instanceof ConfigurationError);
    assert.match(error.message, /phone\.yaml:3: .*pasword/);
    return true;
  });
  await assert.rejects(Phone.fromFiles(join(folder, "absent.cfg")), /absent\.cfg:1: file: /);
});

test("a password of a file counts as its UTF-8 bytes, as at the server", async (t) => {
  const server = await startServer(t, { users: { "2001": "pässwörd" } });
  const folder = mkdtempSync(join(tmpdir(), "dialtone-api-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "phone.yaml");
  const port = server.addresses[0]?.split(":").at(-1);
  const lines = [
    "accounts:",
    '  - user: "2001"',
    "    password: pässwörd",
    "    domain: example.com",
    `    servers: [{ address: 127.0.0.1, port: ${port}, transport: udp }]`,
  ];
  writeFileSync(file, lines.join("\n"));
  const phone = await Phone.fromFiles(file, { bind: "127.0.0.1" });
  atTheEnd(t, () => phone.stop());
  await phone.start();
  assert.equal((await phone.registered(patience())).target, server.addresses[0]);
});

test("a phone is disposed of by `await using`", async (t) => {
  const server = await startServer(t);
  const removed = once(server, "binding.removed", patience());
  const phone = await startPhone(t, server, "2001");
  await phone[Symbol.asyncDispose]();
  await removed;
});

test("a file says where the phone stands, who it is and what becomes of calls; settings stand above it", async (t) => {
  const server = await startServer(t);
  const folder = mkdtempSync(join(tmpdir(), "dialtone-api-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "phone.yaml");
  const lines = [
    "bind: 127.0.0.1",
    "answer: busy",
    "user-agent: Ward 3",
    "instance: urn:example:ward-3",
    "accounts:",
    '  - user: "2001"',
    "    password: desk-2001",
    "    domain: example.com",
    `    servers: [{ address: 127.0.0.1, port: ${server.addresses[0]?.split(":").at(-1)}, transport: udp }]`,
  ];
  writeFileSync(file, lines.join("\n"));
  const phone = await Phone.fromFiles(file, { userAgent: "Ward 4", trace: true });
  atTheEnd(t, () => phone.stop());
  const sent = once(phone, "message.sent", patience());
  await phone.start();
  await phone.registered(patience());
  assert.equal(phone.address?.address, "127.0.0.1");
  const [message] = await sent;
  const text = Buffer.from(message.data, "base64").toString();
  assert.match(text, /^User-Agent: Ward 4\r$/m);
  assert.match(text, /\+sip\.instance="<urn:example:ward-3>"/);
  const caller = await startPhone(t, server, "2002");
  await assert.rejects(caller.call("sip:2001@example.com").answered, { status: 486 });
});
