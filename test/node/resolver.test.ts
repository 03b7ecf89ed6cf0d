import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { decode, encode } from "dns-packet";
import { type DnsAsked, DnsServer } from "../../src/apps/lab/dns-server.ts";
import { readZone } from "../../src/apps/lab/zone-file.ts";
import type { DnsAnswer, DnsQuestion, RecordType } from "../../src/core/vocabulary.ts";
import { Resolver, type ResolverOptions } from "../../src/worlds/node/resolver.ts";
import { Hosts } from "../../src/worlds/node/resolver-hosts.ts";
import { readServers } from "../../src/worlds/node/resolver-servers.ts";
import { findPeer, needs } from "../support/peers.ts";

const HOST = "127.0.0.1";
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

const lookup = (resolver: Resolver, name: string, type: RecordType, withinMs?: number) =>
  new Promise<DnsAnswer>((answered) => {
    const question: DnsQuestion = { kind: "dns", name, type };
    resolver.ask(withinMs === undefined ? question : { ...question, withinMs }, answered);
  });

const addresses = (answer: DnsAnswer): string[] =>
  answer.kind === "records"
    ? answer.records.map((record) => ("address" in record ? record.address : record.type))
    : [answer.kind];

/** A UDP port of the loopback address that nothing listens on. */
async function closedPort(): Promise<number> {
  const socket = createSocket("udp4").bind(0, HOST);
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  return port;
}

describe("the resolver against the lab's name server", () => {
  const asked: DnsAsked[] = [];
  const zone = readZone(ZONE).zone;
  const first = new DnsServer({ zone, asked: (one) => asked.push(one) });
  const second = new DnsServer({ zone });
  let ports: [number, number] = [0, 0];
  let resolver: Resolver | undefined;

  const resolve = (options: ResolverOptions = {}): Resolver => {
    const servers = ports.map((port) => ({ host: HOST, port }));
    resolver = new Resolver({ servers, timeoutMs: 60, retries: 1, ...options });
    return resolver;
  };
  const only = (port: number) => [{ host: HOST, port }];

  before(async () => {
    ports = [(await first.listen(HOST, 0)).port, (await second.listen(HOST, 0)).port];
  });
  afterEach(() => {
    resolver?.close();
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
    const servers = [...only(await closedPort()), ...only(ports[1])];
    const before = performance.now();
    const answer = await lookup(resolve({ servers, timeoutMs: 5000 }), "a.pbx.example.com", "A");
    assert.deepEqual(addresses(answer), ["192.0.2.13"]);
    assert.ok(performance.now() - before < 1000);
  });

  test("a silent server is left for the next one, and asked last from then on", async () => {
    first.setFaults({ mode: "silent" });
    const resolver = resolve();
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
      resolve({ servers: only(ports[0]), retries: 2, timeoutMs: 20 }),
      "a.pbx.example.com",
      "A",
    );
    assert.deepEqual(answer, { kind: "silent", why: "timeout" });
    assert.equal(asked.length, 3);
  });

  test("all refuse: silence at once, with the reason, and nobody is asked twice", async () => {
    first.setFaults({ mode: "refuse" });
    const refused = await lookup(resolve({ servers: only(ports[0]) }), "a.pbx.example.com", "A");
    assert.deepEqual(refused, { kind: "silent", why: "REFUSED" });
    assert.equal(asked.length, 1);
    const closed = await lookup(resolve({ servers: only(await closedPort()) }), "a.x", "A");
    assert.deepEqual(closed, { kind: "silent", why: "ECONNREFUSED" });
  });

  test("an answer that is later than one try still counts", async () => {
    first.setFaults({ delayMs: 90 });
    const slow = resolve({ servers: only(ports[0]), timeoutMs: 60, retries: 1 });
    assert.deepEqual(addresses(await lookup(slow, "a.pbx.example.com", "A")), ["192.0.2.13"]);
  });

  test("withinMs bounds the wait of one who has something else to serve (RFC 8767)", async () => {
    first.setFaults({ mode: "silent" });
    const patient = resolve({ servers: only(ports[0]), timeoutMs: 60_000 });
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
    const resolver = resolve({ servers: only(await closedPort()) });
    assert.deepEqual(await lookup(resolver, `${"x".repeat(64)}.example`, "A"), {
      kind: "none",
      ttl: 0,
    });
    assert.deepEqual(addresses(await lookup(resolver, "localhost", "A")), [HOST]);
    assert.deepEqual(addresses(await lookup(resolver, "pc.localhost", "AAAA")), ["::1"]);
    assert.deepEqual(addresses(await lookup(resolver, "localhost", "SRV")), ["none"]);
  });
});

describe("the resolver against servers that misbehave", () => {
  /** Answers each datagram with what `reply` makes of the question. */
  async function stub(
    reply: (bytes: Buffer) => Buffer[],
  ): Promise<{ port: number; close(): void }> {
    const socket = createSocket("udp4").bind(0, HOST);
    await once(socket, "listening");
    socket.on("message", (bytes, from) => {
      for (const answer of reply(bytes)) socket.send(answer, from.port, from.address);
    });
    return { port: socket.address().port, close: () => socket.close() };
  }

  const right = (bytes: Buffer, address: string, change: object = {}): Buffer => {
    const { id = 0, questions = [] } = decode(bytes);
    const name = questions[0]?.name ?? "";
    const answers = [{ type: "A" as const, name, ttl: 60, data: address }];
    return encode({ type: "response", id, questions, answers, ...change });
  };

  async function ask(reply: (bytes: Buffer) => Buffer[]): Promise<DnsAnswer> {
    const server = await stub(reply);
    const servers = [{ host: HOST, port: server.port }];
    const resolver = new Resolver({ servers, timeoutMs: 50, retries: 0 });
    const answer = await lookup(resolver, "a.example.com", "A");
    resolver.close();
    server.close();
    return answer;
  }

  test("wrong ids, other questions, queries and noise are not looked at", async () => {
    const answer = await ask((bytes) => {
      const { id = 0 } = decode(bytes);
      return [
        Buffer.from("noise"),
        right(bytes, "203.0.113.1", { id: (id + 1) & 0xffff }),
        right(bytes, "203.0.113.2", { questions: [{ type: "A", name: "b.example.com" }] }),
        right(bytes, "203.0.113.3", { type: "query" }),
        right(bytes, "192.0.2.1"),
      ];
    });
    assert.deepEqual(addresses(answer), ["192.0.2.1"]);
  });

  test("a server that chokes on EDNS is asked again without it (RFC 6891 §6.2.2)", async () => {
    const answer = await ask((bytes) => {
      const edns = (decode(bytes).additionals?.length ?? 0) > 0;
      return [right(bytes, "192.0.2.1", edns ? { flags: 1, answers: [] } : {})];
    });
    assert.deepEqual(addresses(answer), ["192.0.2.1"]);
  });

  test("a CNAME that leads out of the message is asked for, a loop of them ends", async () => {
    const alias = (bytes: Buffer, from: string, to: string): Buffer =>
      right(bytes, "", { answers: [{ type: "CNAME", name: from, ttl: 7, data: to }] });
    const followed = await ask((bytes) =>
      decode(bytes).questions?.[0]?.name === "a.example.com"
        ? [alias(bytes, "a.example.com", "b.example.net")]
        : [right(bytes, "192.0.2.2")],
    );
    assert.ok(followed.kind === "records");
    assert.equal(followed.records[0]?.ttl, 7);
    assert.deepEqual(addresses(followed), ["192.0.2.2"]);
    let hop = 0;
    const endless = await ask((bytes) => {
      hop += 1;
      return [alias(bytes, decode(bytes).questions?.[0]?.name ?? "", `h${hop}.example.net`)];
    });
    assert.deepEqual(endless, { kind: "none", ttl: 0 });
  });

  test("a referral is no answer", async () => {
    const authorities = [{ type: "NS" as const, name: "com", ttl: 60, data: "ns.example.net" }];
    const answer = await ask((bytes) => [right(bytes, "", { answers: [], authorities })]);
    assert.deepEqual(answer, { kind: "silent", why: "referral" });
  });

  test("a TTL with its highest bit set counts as zero (RFC 2181 §8)", async () => {
    const answer = await ask((bytes) => [
      right(bytes, "", {
        answers: [{ type: "A", name: "a.example.com", ttl: 0x8000_0001, data: "192.0.2.1" }],
      }),
    ]);
    assert.ok(answer.kind === "records" && answer.records[0]?.ttl === 0);
  });
});

describe("what names a resolver", () => {
  test("HOST, HOST:PORT, IPv6 with and without brackets, and lists of them", () => {
    assert.deepEqual(
      readServers(["192.0.2.1", "192.0.2.2:5353, [2001:db8::1]:53,2001:db8::2", "ns.local:54"]),
      {
        servers: [
          { host: "192.0.2.1", port: 53 },
          { host: "192.0.2.2", port: 5353 },
          { host: "2001:db8::1", port: 53 },
          { host: "2001:db8::2", port: 53 },
          { host: "ns.local", port: 54 },
        ],
        wrong: [],
      },
    );
  });

  test("what cannot be read is told", () => {
    const { servers, wrong } = readServers([
      "192.0.2.1:0",
      "a:b",
      "[nonsense]:53",
      "192.0.2.1:70000",
      "",
    ]);
    assert.deepEqual(servers, []);
    assert.deepEqual(wrong, ["192.0.2.1:0", "a:b", "[nonsense]:53", "192.0.2.1:70000"]);
  });

  test("a hosts file gives addresses and leaves other types to the DNS", () => {
    const hosts = new Hosts(
      "# comment\n192.0.2.5 PBX pbx.example.com # main\n2001:db8::5 pbx\nbad line\n",
    );
    assert.deepEqual(addresses(hosts.answer("pbx", "A") as DnsAnswer), ["192.0.2.5"]);
    assert.deepEqual(addresses(hosts.answer("pbx", "AAAA") as DnsAnswer), ["2001:db8::5"]);
    assert.equal(hosts.answer("pbx", "SRV"), undefined);
    assert.equal(hosts.answer("line", "A"), undefined);
  });
});

describe("the resolver against dnsmasq", needs("dnsmasq"), () => {
  let dnsmasq: ChildProcess | undefined;
  let folder = "";
  let resolver: Resolver | undefined;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "dialtone-dnsmasq-"));
    const port = await closedPort();
    const file = join(folder, "dnsmasq.conf");
    writeFileSync(
      file,
      [
        `port=${port}`,
        `listen-address=${HOST}`,
        "bind-interfaces",
        "no-resolv",
        "no-hosts",
        "keep-in-foreground",
        `pid-file=${join(folder, "pid")}`,
        "local=/example.com/",
        "local-ttl=77",
        "naptr-record=pbx.example.com,100,50,s,SIP+D2U,,_sip._udp.pbx.example.com",
        "srv-host=_sip._udp.pbx.example.com,a.pbx.example.com,5060,10,60",
        "srv-host=_sip._udp.pbx.example.com,b.pbx.example.com,5060,20,40",
        "host-record=a.pbx.example.com,192.0.2.13,2001:db8::13",
        "host-record=b.pbx.example.com,192.0.2.14",
        "cname=alias.example.com,a.pbx.example.com",
      ].join("\n"),
    );
    const child = spawn(findPeer("dnsmasq") as string, [`--conf-file=${file}`, "--user="], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    dnsmasq = child;
    child.stderr?.resume();
    const servers = [{ host: HOST, port }];
    resolver = new Resolver({ servers, timeoutMs: 500, retries: 1 });
    // It has no sign of being ready but to answer.
    for (let tries = 0; tries < 200 && child.exitCode === null; tries += 1) {
      const answer = await lookup(resolver, "a.pbx.example.com", "A");
      if (answer.kind === "records") return;
      await new Promise((done) => setTimeout(done, 20));
    }
    assert.fail(`dnsmasq does not answer, exit ${child.exitCode}`);
  });

  after(async () => {
    resolver?.close();
    if (dnsmasq !== undefined && dnsmasq.exitCode === null) {
      const exited = once(dnsmasq, "exit");
      dnsmasq.kill("SIGTERM");
      await exited;
    }
    rmSync(folder, { recursive: true, force: true });
  });

  const ask = (name: string, type: RecordType): Promise<DnsAnswer> =>
    lookup(resolver as Resolver, name, type);

  test("NAPTR, SRV and both address families", async () => {
    const naptr = await ask("pbx.example.com", "NAPTR");
    assert.ok(naptr.kind === "records" && naptr.records[0]?.type === "NAPTR");
    assert.equal(naptr.records[0].service, "SIP+D2U");
    assert.equal(naptr.records[0].replacement, "_sip._udp.pbx.example.com");
    const srv = await ask("_sip._udp.pbx.example.com", "SRV");
    assert.ok(srv.kind === "records");
    const targets = srv.records.map((record) => (record.type === "SRV" ? record.target : ""));
    assert.deepEqual(targets.sort(), ["a.pbx.example.com", "b.pbx.example.com"]);
    assert.deepEqual(addresses(await ask("a.pbx.example.com", "A")), ["192.0.2.13"]);
    assert.deepEqual(addresses(await ask("a.pbx.example.com", "AAAA")), ["2001:db8::13"]);
  });

  test("TTLs, aliases, and what does not exist", async () => {
    const alias = await ask("alias.example.com", "A");
    assert.ok(alias.kind === "records");
    assert.equal(alias.records[0]?.ttl, 77);
    assert.equal((await ask("gone.example.com", "A")).kind, "none");
    assert.equal((await ask("b.pbx.example.com", "AAAA")).kind, "none");
  });

  test("what it may not answer it refuses, which is silence at once", async () => {
    const answer = await ask("www.example.org", "A");
    assert.deepEqual(answer, { kind: "silent", why: "REFUSED" });
  });
});
