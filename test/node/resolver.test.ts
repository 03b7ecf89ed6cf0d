/** The resolver against the lab's name server: RFC 1035, RFC 2308, RFC 8767, with faults. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type DnsAsked, DnsServer } from "../../src/apps/lab/dns-server.ts";
import { readZone } from "../../src/apps/lab/zone-file.ts";
import type { DnsAnswer } from "../../src/core/vocabulary.ts";
import { Resolver, type ResolverOptions } from "../../src/worlds/node/resolver.ts";
import { addresses, closedPort, HOST, lookup } from "./resolver-asking.ts";

const ZONE = `
$ORIGIN pbx.example.com.
@ 3600 IN SOA ns hostmaster 1 3600 600 604800 45
@ 300 IN NAPTR 100 50 "s" "SIP+D2U" "" _sip._udp.pbx.example.com.
_sip._udp 120 IN SRV 10 60 5060 a
a 60 IN A 192.0.2.13
a 60 IN AAAA 2001:db8::13
alias 30 IN CNAME a
none 0 IN SRV 0 0 0 .
`;

describe("the resolver against the lab's name server", () => {
  const asked: DnsAsked[] = [];
  const zone = readZone(ZONE).zone;
  const first = new DnsServer({ zone, asked: (one) => asked.push(one) });
  const second = new DnsServer({ zone });
  let ports: [number, number] = [0, 0];
  let resolver: Resolver | undefined;

  /** Waits so long for an answer that nobody is asked twice because this machine stood still. */
  const resolve = (options: ResolverOptions = {}): Resolver => {
    const servers = ports.map((port) => ({ host: HOST, port }));
    resolver = new Resolver({ servers, timeoutMs: 10_000, retries: 3, ...options });
    return resolver;
  };
  const alone = (port: number) => [{ host: HOST, port }];

  before(async () => {
    ports = [(await first.listen(HOST, 0)).port, (await second.listen(HOST, 0)).port];
  });
  afterEach(async () => {
    resolver?.close();
    // What was asked last, and given up, is still to be heard: in this test, not in the next.
    await nextTurn();
    await nextTurn();
    first.heal();
    second.heal();
    first.setZone(zone);
    asked.length = 0;
  });
  after(() => Promise.all([first.close(), second.close()]));

  test("NAPTR, SRV, A and AAAA come with their TTLs, which node:dns hides", async () => {
    const answer = await lookup(resolve(), "PBX.example.com.", "NAPTR");
    assert.ok(answer.kind === "records");
    assert.deepEqual(answer.records, [
      {
        type: "NAPTR",
        name: "pbx.example.com",
        ttl: 300,
        order: 100,
        preference: 50,
        flags: "s",
        service: "SIP+D2U",
        regexp: "",
        replacement: "_sip._udp.pbx.example.com",
      },
    ]);
    assert.deepEqual(
      answer.additional.map(({ type, ttl }) => `${type} ${ttl}`),
      ["SRV 120", "A 60", "AAAA 60"],
    );
    const srv = await lookup(resolve(), "_sip._udp.pbx.example.com", "SRV");
    assert.ok(srv.kind === "records" && srv.records[0]?.ttl === 120);
    assert.deepEqual(addresses(await lookup(resolve(), "a.pbx.example.com", "AAAA")), [
      "2001:db8::13",
    ]);
  });

  test('the SRV target "." stays a dot (R76)', async () => {
    const answer = await lookup(resolve(), "none.pbx.example.com", "SRV");
    assert.ok(answer.kind === "records");
    assert.equal((answer.records[0] as { target: string }).target, ".");
  });

  test("no such name and no such type are believed for the SOA's minimum (RFC 2308)", async () => {
    for (const name of ["gone.pbx.example.com", "pbx.example.com"]) {
      assert.deepEqual(await lookup(resolve(), name, "A"), { kind: "none", ttl: 45 });
    }
  });

  test("a CNAME is followed and bounds the TTL; the answer bears the name asked for", async () => {
    const answer = await lookup(resolve(), "alias.pbx.example.com", "A");
    assert.ok(answer.kind === "records");
    assert.deepEqual(answer.records, [
      { type: "A", name: "alias.pbx.example.com", ttl: 30, address: "192.0.2.13" },
    ]);
  });

  test("a truncated answer is fetched over TCP; policy tcp asks over TCP at once", async () => {
    first.setFaults({ truncate: true });
    assert.deepEqual(addresses(await lookup(resolve(), "a.pbx.example.com", "A")), ["192.0.2.13"]);
    assert.deepEqual(
      asked.map(({ over }) => over),
      ["udp", "tcp"],
    );
    asked.length = 0;
    resolver?.close();
    await lookup(resolve({ transport: "tcp" }), "a.pbx.example.com", "A");
    assert.deepEqual(
      asked.map(({ over }) => over),
      ["tcp"],
    );
  });

  for (const mode of ["refuse", "servfail"] as const) {
    test(`after ${mode} the next server is asked at once (freeswitch#870, sofia-sip#103)`, async () => {
      first.setFaults({ mode });
      const before = performance.now();
      const answer = await lookup(resolve({ timeoutMs: 5000 }), "a.pbx.example.com", "A");
      assert.deepEqual(addresses(answer), ["192.0.2.13"]);
      assert.ok(performance.now() - before < 1000);
    });
  }

  test("a closed port is noticed at once", async () => {
    const servers = [...alone(await closedPort()), ...alone(ports[1])];
    const before = performance.now();
    const answer = await lookup(resolve({ servers, timeoutMs: 5000 }), "a.pbx.example.com", "A");
    assert.deepEqual(addresses(answer), ["192.0.2.13"]);
    assert.ok(performance.now() - before < 1000);
  });

  test("a silent server is left for the next one, and asked last from then on", async () => {
    first.setFaults({ mode: "silent" });
    const resolver = resolve({ timeoutMs: 1000 });
    assert.deepEqual(addresses(await lookup(resolver, "a.pbx.example.com", "A")), ["192.0.2.13"]);
    assert.equal(asked.length, 1);
    assert.deepEqual(addresses(await lookup(resolver, "a.pbx.example.com", "AAAA")), [
      "2001:db8::13",
    ]);
    assert.equal(asked.length, 1, "the dead server costs the second question nothing");
  });

  test("all silent: each is asked once and once more per retry, then silence is the answer", async () => {
    first.setFaults({ mode: "silent" });
    const answer = await lookup(
      resolve({ servers: alone(ports[0]), retries: 2, timeoutMs: 200 }),
      "a.pbx.example.com",
      "A",
    );
    assert.deepEqual(answer, { kind: "silent", why: "timeout" });
    // The last question may have been given up before the server, in this process, had its turn.
    await nextTurn();
    assert.equal(asked.length, 3);
  });

  test("all refuse: silence at once, with the reason, and nobody is asked twice", async () => {
    first.setFaults({ mode: "refuse" });
    const refused = await lookup(resolve({ servers: alone(ports[0]) }), "a.pbx.example.com", "A");
    assert.deepEqual(refused, { kind: "silent", why: "REFUSED" });
    assert.equal(asked.length, 1);
    const closed = await lookup(resolve({ servers: alone(await closedPort()) }), "a.x", "A");
    assert.deepEqual(closed, { kind: "silent", why: "ECONNREFUSED" });
  });

  test("an answer that is later than one try still counts", async () => {
    first.setFaults({ delayMs: 90 });
    const slow = resolve({ servers: alone(ports[0]), timeoutMs: 60, retries: 50 });
    assert.deepEqual(addresses(await lookup(slow, "a.pbx.example.com", "A")), ["192.0.2.13"]);
  });

  test("withinMs bounds the wait of one who has something else to serve (RFC 8767)", async () => {
    first.setFaults({ mode: "silent" });
    const patient = resolve({ servers: alone(ports[0]), timeoutMs: 60_000 });
    const before = performance.now();
    const answer = await lookup(patient, "a.pbx.example.com", "A", 30);
    assert.deepEqual(answer, { kind: "silent", why: "timeout" });
    assert.ok(performance.now() - before < 5000);
  });

  test("the same question at the same time goes out once", async () => {
    const resolver = resolve();
    const answers = await Promise.all(
      [1, 2, 3].map(() => lookup(resolver, "a.pbx.example.com", "A")),
    );
    assert.equal(asked.length, 1);
    for (const answer of answers) assert.deepEqual(addresses(answer), ["192.0.2.13"]);
    assert.equal(resolver.size, 0);
  });

  test("close leaves no socket and tells nobody", async () => {
    first.setFaults({ mode: "silent" });
    const resolver = resolve({ timeoutMs: 60_000 });
    const heard: DnsAnswer[] = [];
    const tell = (answer: DnsAnswer): unknown => heard.push(answer);
    resolver.ask({ kind: "dns", name: "a.pbx.example.com", type: "A" }, tell);
    resolver.ask({ kind: "dns", name: "localhost", type: "A" }, tell);
    while (asked.length === 0) await new Promise((done) => setImmediate(done));
    heard.length = 0;
    resolver.close();
    resolver.ask({ kind: "dns", name: "b.pbx.example.com", type: "A" }, tell);
    assert.equal(resolver.size, 0);
    await new Promise((done) => setImmediate(done));
    assert.deepEqual(heard, []);
  });

  test("no servers: silence, but never before ask returns", async () => {
    const answers: DnsAnswer[] = [];
    const resolver = resolve({ servers: [] });
    const told = new Promise((done) =>
      resolver.ask({ kind: "dns", name: "a.x", type: "A" }, (answer) => done(answers.push(answer))),
    );
    assert.deepEqual(answers, []);
    await told;
    assert.deepEqual(answers, [{ kind: "silent", why: "no resolver" }]);
  });

  test("names that cannot be in the DNS are none, localhost is the loopback address (RFC 6761)", async () => {
    const resolver = resolve({ servers: alone(await closedPort()) });
    assert.deepEqual(await lookup(resolver, `${"x".repeat(64)}.example`, "A"), {
      kind: "none",
      ttl: 0,
    });
    assert.deepEqual(addresses(await lookup(resolver, "localhost", "A")), [HOST]);
    assert.deepEqual(addresses(await lookup(resolver, "pc.localhost", "AAAA")), ["::1"]);
    assert.deepEqual(addresses(await lookup(resolver, "localhost", "SRV")), ["none"]);
  });
});
