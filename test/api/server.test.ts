/** The server of the public API: options in, typed events and bindings out. */
import assert from "node:assert/strict";
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
  const certificates = join(import.meta.dirname, "..", "..", "..", "test", "node", "certificates");
  const pem = (name: string): string => readFileSync(join(certificates, name), "utf8");
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
