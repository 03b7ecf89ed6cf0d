/** The server of the public API: options in, typed events and bindings out. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  AddressError,
  ConfigurationError,
  SipServer,
  type SipServerOptions,
  StateError,
  type Store,
} from "../../src/index.ts";
import { MemoryStore } from "../../src/worlds/node/stores/memory-store.ts";
import { newPhone, patience, startPhone, startServer } from "./town.ts";

test("every fault of the options is told at once, with what to give instead", () => {
  const wrong = {
    listen: ["udp:127.0.0.1", "tls:127.0.0.1:0", "udp:0.0.0.0:0"],
    domain: "a b",
    users: { "a b": "x", "2001": {} },
    open: true,
    role: "spare",
    name: "a b",
    maxExpires: 0,
    serviceRoute: "nowhere",
    port: 5060,
  } as unknown as SipServerOptions;
  assert.throws(
    () => new SipServer(wrong),
    (error) => {
      assert(error instanceof ConfigurationError);
      const keys = error.faults.map(({ key }) => key);
      assert.deepEqual(keys, [
        ...["port", "listen", "tls", "role", "maxExpires", "name", "domain", "listen", "open"],
        ...["users.2001", "users.a b", "serviceRoute"],
      ]);
      assert.ok(error.faults.every(({ remedy }) => remedy.startsWith("give ")));
      return true;
    },
  );
  const open = { listen: "udp:127.0.0.1:0", domain: "example.com" };
  assert.throws(() => new SipServer(open), ConfigurationError);
  assert.throws(() => new SipServer({ ...open, open: true, dns: "x:y" }), ConfigurationError);
});

const CERTIFICATES = join(import.meta.dirname, "..", "..", "..", "test", "node", "certificates");
const pem = (name: string): string => readFileSync(join(CERTIFICATES, name), "utf8");

/** The faults of a server with these options, as `key: wrong`. */
function faultsOf(options: object): string[] {
  const plain = { listen: "udp:127.0.0.1:0", domain: "example.com", open: true };
  try {
    new SipServer({ ...plain, ...options });
  } catch (error) {
    assert(error instanceof ConfigurationError);
    assert.ok(error.faults.every(({ remedy }) => remedy.startsWith("give ")));
    return error.faults.map(({ key, wrong }) => `${key}: ${wrong}`);
  }
  return [];
}

test("what cannot be of TLS and digest is told before the start, all at once", () => {
  const strange = { certificat: "x", clients: "demandd", pinned: ["ab:cd"], authorities: ["x"] };
  assert.deepEqual(faultsOf({ digest: ["MD5", "sha256"], tls: strange }), [
    "tls.certificat: is not known",
    "tls.authorities.1: cannot be read",
    "tls.pinned.1: cannot be read",
    'tls.clients: "demandd" is not known',
    'digest: "sha256" is no algorithm here',
  ]);
  assert.deepEqual(faultsOf({ digest: [], tls: "server.pem" }), [
    "tls: cannot be server.pem",
    "digest: is empty",
  ]);
  assert.deepEqual(faultsOf({ tls: { key: "", authorities: "x" } }).slice(0, 1), [
    "tls.certificate: is missing beside key",
  ]);
  const broken = faultsOf({ listen: "tls:127.0.0.1:0", tls: { certificate: "x", key: "y" } });
  assert.deepEqual(
    broken.map((fault) => fault.slice(0, fault.indexOf(" cannot be used:"))),
    ["tls.certificate:", "tls.key:"],
  );
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const key = privateKey.export({ type: "pkcs8", format: "pem" });
  const stray = faultsOf({ tls: { certificate: pem("server.pem"), key } });
  assert.match(stray.join(" "), /^tls\.key: cannot be used: .*mismatch/);
});

test("what plain JavaScript lets through is told as a fault, too: wrong kinds, users, bounds", () => {
  const kinds = { open: undefined, users: null, store: 7, dns: 5, trace: 1, acceptForeign: "yes" };
  assert.deepEqual(faultsOf({ ...kinds, advertise: "host name", domain: 5, listen: 5 }), [
    "listen: 5 is no address",
    'acceptForeign: cannot be "yes"',
    "trace: cannot be 1",
    "store: cannot be 7",
    "dns: 5 is no resolver",
    'advertise: "host name" is no host',
    "users: cannot be null",
  ]);
  const users = {
    1: 5,
    2: { password: 5, groops: [] },
    3: { password: "x", groups: "sales", voicemailAfter: 3 },
  };
  assert.deepEqual(faultsOf({ open: undefined, users }), [
    "users.1: cannot be 5",
    "users.2.groops: is not known",
    "users.2.password: cannot be 5",
    "users.3.voicemailAfter: cannot be 3",
    'users.3.groups: cannot be "sales"',
  ]);
  const map = new Map([["1", "x"]]);
  assert.deepEqual(faultsOf({ open: undefined, users: map }), ["users: cannot be [object Map]"]);
  assert.deepEqual(faultsOf({ minExpires: 100, maxExpires: 50 }), [
    "minExpires: 100 is above maxExpires, 50",
  ]);
});

test("clients can be asked for certificates only if it is told whom to believe", () => {
  const own = { certificate: pem("server.pem"), key: pem("server.key") };
  for (const clients of ["asked", "demanded"]) {
    assert.deepEqual(faultsOf({ tls: { ...own, clients } }), [
      `tls.clients: ${clients} needs to know whose certificates to believe`,
    ]);
    assert.deepEqual(
      faultsOf({ tls: { ...own, clients, authorities: [pem("authority.pem")] } }),
      [],
    );
  }
});

test("without options there is a ConfigurationError that says so", () => {
  for (const nothing of [undefined, null] as unknown as SipServerOptions[]) {
    assert.throws(() => new SipServer(nothing), /options:1: options: are missing; give \{ listen/);
  }
});

test("it listens on free ports over UDP and TCP, and phones find it at either", async (t) => {
  const server = await startServer(t);
  assert.match(server.addresses.join(" "), /^udp:127\.0\.0\.1:\d+ tcp:127\.0\.0\.1:\d+$/);
  for (const [user, address] of [
    ["2001", server.addresses[0]],
    ["2002", server.addresses[1]],
  ] as const) {
    const added = once(server, "binding.added", patience());
    const phone = await startPhone(t, [address as string], user);
    assert.equal(phone.registrations[0]?.target, address);
    assert.equal((await added)[0].aor, `${user}@example.com`);
  }
});

test("over TLS the certificate must speak for the domain, whoever signed it", async (t) => {
  const server = await startServer(t, {
    listen: "tls:127.0.0.1:0",
    tls: { certificate: pem("server.pem"), key: pem("server.key") },
  });
  const authorities = [pem("authority.pem")];
  const phone = await startPhone(t, server, "2001", { tls: { authorities } });
  assert.equal(phone.registrations[0]?.target, server.addresses[0]);
  const wary = newPhone(t, server, "2002");
  await wary.start();
  const [failed] = await once(wary, "attempt.failed", patience());
  assert.equal(failed.why, "tls");
});

test("bindings can be read and removed", async (t) => {
  const server = await startServer(t);
  await startPhone(t, server, "2001");
  const found: string[] = [];
  for await (const { aor, bindings } of server.bindings()) {
    found.push(`${aor} ${bindings.length}`);
  }
  assert.deepEqual(found, ["2001@example.com 1"]);
  assert.equal(await server.removeBindings("2001"), true);
  assert.equal(await server.removeBindings("2001"), false);
});

test("bindings that a broken store keeps from being removed are not said to be none", async (t) => {
  class Broken extends MemoryStore {
    broken = false;
    override atOnce(question: Parameters<Store["ask"]>[0]): ReturnType<MemoryStore["atOnce"]> {
      return this.broken ? { kind: "unavailable", why: "out of order" } : super.atOnce(question);
    }
  }
  const store = new Broken();
  t.after(() => store.close());
  const server = await startServer(t, { store });
  await startPhone(t, server, "2001");
  store.broken = true;
  await assert.rejects(
    server.removeBindings("2001"),
    /the bindings of 2001 stand: the store cannot/,
  );
  store.broken = false;
  assert.equal(await server.removeBindings("2001"), true);
});

test("two servers with one store are one system, and a store of one's own is not closed", async (t) => {
  const store = new MemoryStore();
  t.after(() => store.close());
  const one = await startServer(t, { store, name: "one" });
  const two = await startServer(t, { store, name: "two" });
  await startPhone(t, one, "2001", { answer: "auto" });
  const caller = await startPhone(t, two, "2002");
  const call = caller.call("2001");
  await call.answered;
  await call.hangup();
  await one.close();
  assert.equal((await all(two.bindings())).length, 2);
});

test("a folder keeps the bindings over a restart", async (t) => {
  const store = mkdtempSync(join(tmpdir(), "dialtone-api-"));
  t.after(() => rmSync(store, { recursive: true }));
  const first = await startServer(t, { store });
  await startPhone(t, first, "2001");
  await first.close();
  const second = await startServer(t, { store });
  assert.equal((await all(second.bindings())).length, 1);
});

test("an address that is taken is an AddressError, and nothing stays open", async (t) => {
  const server = await startServer(t);
  const taken = server.addresses[0] as string;
  const other = new SipServer({ listen: taken, domain: "example.com", open: true });
  await assert.rejects(other.start(), (error) => {
    assert(error instanceof AddressError);
    assert.deepEqual([error.address, error.why], [taken, "in-use"]);
    return true;
  });
  await assert.rejects(other.start(), StateError);
});

test("a store that cannot be is a ConfigurationError", async (t) => {
  const options = { listen: "udp:127.0.0.1:0", domain: "example.com", open: true };
  const server = new SipServer({ ...options, store: "redis" });
  t.after(() => server.close());
  await assert.rejects(server.start(), /options:1: store: .*redis.*; give memory, a folder, /);
});

test("a store that throws is heard of at the start, and the server can be closed", async (t) => {
  class Broken extends MemoryStore {
    override ask(): never {
      throw new Error("out of order");
    }
    override atOnce(): never {
      throw new Error("out of order");
    }
  }
  const store = new Broken();
  t.after(() => store.close());
  const plain = { listen: "udp:127.0.0.1:0", domain: "example.com", open: true };
  const server = new SipServer({ ...plain, store });
  t.after(() => server.close());
  await assert.rejects(server.start(), /^Error: out of order$/);
  await server.close();
});

test("events can be looped over, and the loop ends when the server is closed", async (t) => {
  const server = new SipServer({ listen: "udp:127.0.0.1:0", domain: "example.com", open: true });
  t.after(() => server.close());
  const names: string[] = [];
  const loop = (async () => {
    for await (const { event } of server.events()) names.push(event);
  })();
  await server.start();
  await Promise.all([server.close(), server.close()]);
  await loop;
  assert.deepEqual(names, ["server.opened", "server.started", "server.stopped"]);
});

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

test("a program says how many messages wait, and the lamp follows", async (t) => {
  const server = await startServer(t);
  const phone = await startPhone(t, server, "2001", { messageWaiting: true });
  const lit = new Promise<boolean>((resolve) => {
    phone.on("message-waiting.changed", (told) => {
      if (told.new === 2 && told.old === 1) resolve(told.waiting);
    });
  });
  await server.setMessages("2001", { new: 2, old: 1 });
  assert.equal(await lit, true);
  for (const wrong of [-1, 0.5, 1_000_000, Number.NaN]) {
    await assert.rejects(server.setMessages("2001", { new: wrong, old: 0 }), RangeError);
  }
  await server.close();
  await assert.rejects(server.setMessages("2001", { new: 0, old: 0 }), StateError);
});

test("a fallback server keeps no messages, and says so", async (t) => {
  const server = await startServer(t, { role: "fallback" });
  await assert.rejects(server.setMessages("2001", { new: 1, old: 0 }), /cannot be kept/);
});
