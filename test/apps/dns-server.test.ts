/** Zone files, and the lab's name server over UDP and TCP. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { type Answer, type DecodedPacket, decode, encode, streamEncode } from "dns-packet";
import { type DnsAsked, DnsServer } from "../../src/apps/lab/dns-server.ts";
import { readZone } from "../../src/apps/lab/zone-file.ts";

/** The common zone of the vendors' samples (vendors.md §5). */
const SAMPLE = `
$ORIGIN pbx.example.com.
@                 300 IN NAPTR 90  50 "s" "SIP+D2T"  "" _sip._tcp.pbx.example.com.
@                 300 IN NAPTR 100 50 "s" "SIP+D2U"  "" _sip._udp.pbx.example.com.
@                 300 IN NAPTR 80  50 "s" "SIPS+D2T" "" _sips._tcp.pbx.example.com.
_sip._udp         120 IN SRV 10 60 5060 a
_sip._udp         120 IN SRV 20 40 5060 b
_sip._tcp         120 IN SRV 10 60 5060 a
_sip._tcp         120 IN SRV 20 40 5060 b
_sips._tcp        120 IN SRV 10 60 5061 a
a                 60  IN A   192.0.2.13
b                 60  IN A   192.0.2.14
dual              60  IN A   192.0.2.13
dual              60  IN A   192.0.2.14
gw.branch         600 IN A   192.0.2.15
`;

describe("a zone file", () => {
  test("the sample zone loads whole", () => {
    const { zone, faults } = readZone(SAMPLE);
    assert.deepEqual(faults, []);
    assert.equal(zone.origin, "pbx.example.com");
    assert.equal(zone.records.length, 13);
    assert.deepEqual(zone.records[1], {
      type: "NAPTR",
      name: "pbx.example.com",
      ttl: 300,
      order: 100,
      preference: 50,
      flags: "s",
      service: "SIP+D2U",
      regexp: "",
      replacement: "_sip._udp.pbx.example.com",
    });
    assert.deepEqual(zone.records[4], {
      type: "SRV",
      name: "_sip._udp.pbx.example.com",
      ttl: 120,
      priority: 20,
      weight: 40,
      port: 5060,
      target: "b.pbx.example.com",
    });
  });

  test("parentheses, comments, inherited owners, either order of TTL and class, units, a lone dot", () => {
    const { zone, faults } = readZone(`$TTL 1h ; an hour
$ORIGIN example.net.
@ SOA ns hostmaster ( 1 ; serial
      3600 600 604800
      90 )
  NS ns
www IN 5m A 192.0.2.1
    AAAA 2001:db8::1
_sip._tls SRV 0 0 0 .
Alias 1m30s CNAME WWW
q NAPTR 1 2 "s" "a ; (b) \\"c\\"" "" .`);
    assert.deepEqual(faults, []);
    assert.equal(zone.negativeTtl, 90);
    assert.deepEqual(
      zone.records.map(({ name, ttl, type }) => `${name} ${ttl} ${type}`),
      [
        "www.example.net 300 A",
        "www.example.net 3600 AAAA",
        "_sip._tls.example.net 3600 SRV",
        "alias.example.net 90 CNAME",
        "q.example.net 3600 NAPTR",
      ],
    );
    assert.equal((zone.records[2] as { target: string }).target, ".");
    assert.equal((zone.records[3] as { target: string }).target, "www.example.net");
    assert.equal((zone.records[4] as { service: string }).service, 'a ; (b) "c"');
  });

  test("every fault is told with its line and what to write instead; the rest is read", () => {
    const { zone, faults } = readZone(`a A 192.0.2.300
b A 192.0.2.1
c SRV 1 2 x y
d NAPTR 1 2 s
e WKS 1
$INCLUDE other
f 300`);
    assert.deepEqual(
      faults.map(({ line }) => line),
      [1, 3, 4, 5, 6, 7],
    );
    assert.ok(faults.every(({ wrong, remedy }) => wrong !== "" && remedy !== ""));
    assert.equal(zone.records.length, 1);
  });
});

describe("the lab's name server", () => {
  const asked: DnsAsked[] = [];
  const server = new DnsServer({ zone: readZone(SAMPLE).zone, asked: (one) => asked.push(one) });
  let port = 0;

  before(async () => {
    port = (await server.listen("127.0.0.1", 0)).port;
  });
  after(() => server.close());

  /** The answer over UDP; `edns`: the payload size offered. */
  async function udp(
    name: string,
    type: "A" | "SRV" | "NAPTR" | "AAAA",
    edns?: number,
  ): Promise<DecodedPacket> {
    const socket = createSocket("udp4");
    const opt = {
      type: "OPT" as const,
      name: ".",
      udpPayloadSize: edns ?? 0,
      extendedRcode: 0,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options: [],
    } satisfies Answer;
    const additionals = edns === undefined ? [] : [opt];
    socket.send(
      encode({ type: "query", id: 7, questions: [{ name, type }], additionals }),
      port,
      "127.0.0.1",
    );
    const [bytes] = (await once(socket, "message")) as [Buffer];
    socket.close();
    return decode(bytes);
  }

  async function tcp(name: string, type: "A" | "SRV"): Promise<DecodedPacket> {
    const socket = connect(port, "127.0.0.1");
    socket.write(streamEncode({ type: "query", id: 8, questions: [{ name, type }] }));
    const [bytes] = (await once(socket, "data")) as [Buffer];
    socket.destroy();
    return decode(bytes.subarray(2));
  }

  const dataOf = (packet: DecodedPacket): unknown[] =>
    (packet.answers ?? []).map((record) => ("data" in record ? record.data : undefined));
  const rcode = (packet: DecodedPacket): number => (packet.flags ?? 0) & 15;

  test("NAPTR comes with the SRV records and addresses it leads to", async () => {
    const packet = await udp("PBX.example.com", "NAPTR", 1232);
    assert.equal(packet.answers?.length, 3);
    assert.ok(packet.flag_aa);
    const beside = packet.additionals?.map(({ type }) => type) ?? [];
    assert.equal(beside.filter((type) => type === "SRV").length, 5);
    assert.equal(beside.filter((type) => type === "A").length, 2);
    assert.ok(beside.includes("OPT"), "EDNS is answered with EDNS");
  });

  test("an unknown name is NXDOMAIN, a known name without that type is not; both carry SOA (RFC 2308)", async () => {
    for (const [name, code] of [
      ["no.pbx.example.com", 3],
      ["a.pbx.example.com", 0],
      ["branch.pbx.example.com", 0],
    ] as const) {
      const packet = await udp(name, "AAAA");
      assert.equal(rcode(packet), code, name);
      assert.equal(packet.answers?.length, 0);
      assert.equal(packet.authorities?.[0]?.type, "SOA");
    }
  });

  test("names outside the zone are refused", async () => {
    assert.equal(rcode(await udp("example.org", "A")), 5);
  });

  test("what does not fit the datagram is truncated, and whole over TCP", async () => {
    const name = "many.pbx.example.com";
    const records = Array.from({ length: 60 }, (_, index) => ({
      type: "A" as const,
      name,
      ttl: 1,
      address: `198.51.100.${index}`,
    }));
    server.replace(name, "A", records);
    const cut = await udp(name, "A");
    assert.ok(cut.flag_tc);
    assert.equal(cut.answers?.length, 0);
    assert.equal((await tcp(name, "A")).answers?.length, 60);
  });

  test("live changes: replaced records, then a whole new zone", async () => {
    const name = "a.pbx.example.com";
    server.replace(name, "A", [{ type: "A", name, ttl: 5, address: "192.0.2.99" }]);
    const packet = await udp(name, "A");
    assert.deepEqual(dataOf(packet), ["192.0.2.99"]);
    server.setZone(readZone(SAMPLE).zone);
    const again = await udp(name, "A");
    assert.deepEqual(dataOf(again), ["192.0.2.13"]);
  });

  test("faults: refuse, servfail, truncate, lie; heal ends them", async () => {
    server.setFaults({ mode: "refuse" });
    assert.equal(rcode(await udp("a.pbx.example.com", "A")), 5);
    server.setFaults({ mode: "servfail" });
    assert.equal(rcode(await udp("a.pbx.example.com", "A")), 2);
    server.setFaults({ mode: "answer", truncate: true });
    assert.ok((await udp("a.pbx.example.com", "A")).flag_tc);
    server.setFaults({ truncate: false, lie: ["203.0.113.1"] });
    const lied = await udp("a.pbx.example.com", "A");
    assert.deepEqual(dataOf(lied), ["203.0.113.1"]);
    server.heal();
    const healed = await udp("a.pbx.example.com", "A");
    assert.deepEqual(dataOf(healed), ["192.0.2.13"]);
  });

  test("silent: the question is seen and not answered; a delay holds the answer back", async () => {
    asked.length = 0;
    server.setFaults({ mode: "silent" });
    const socket = createSocket("udp4");
    const question = {
      type: "query" as const,
      id: 9,
      questions: [{ name: "a.pbx.example.com", type: "A" as const }],
    };
    socket.on("message", () => assert.fail("answered"));
    socket.send(encode(question), port, "127.0.0.1");
    while (asked.length < 1) await new Promise((done) => setImmediate(done));
    socket.close();
    server.setFaults({ mode: "answer", delayMs: 30 });
    const before = performance.now();
    await udp("b.pbx.example.com", "A");
    assert.ok(performance.now() - before >= 25);
    server.heal();
  });

  test("noise and broken questions end nothing", async () => {
    const socket = createSocket("udp4");
    const noise = [
      Buffer.alloc(0),
      Buffer.from("hello"),
      Buffer.alloc(12),
      Buffer.alloc(600, 0xff),
    ];
    for (const bytes of noise) socket.send(bytes, port, "127.0.0.1");
    assert.equal(rcode(await udp("a.pbx.example.com", "A")), 0);
    socket.close();
  });
});
