/** From servers and URIs to targets: RFC 3263, RFC 7984, and the makers' readings of them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Inquiries } from "../../../src/core/inquiry.ts";
import { locateServer, type ServerLocation } from "../../../src/core/locate/locate.ts";
import { NameService } from "../../../src/core/locate/name-service.ts";
import { RecordCache } from "../../../src/core/locate/record-cache.ts";
import { NEVER } from "../../../src/core/machine.ts";
import { Outbox } from "../../../src/core/outbox.ts";
import { a, LIVE_ONLY, Names, naptr, seeded, shown, srv } from "./asking.ts";

const PBX = "pbx.example.com";
/** The zone of the vendors' samples. */
const zone = () => [
  naptr(PBX, 90, 50, "s", "SIP+D2T", `_sip._tcp.${PBX}`),
  naptr(PBX, 100, 50, "s", "SIP+D2U", `_sip._udp.${PBX}`),
  naptr(PBX, 80, 50, "s", "SIPS+D2T", `_sips._tcp.${PBX}`),
  srv(`_sip._udp.${PBX}`, 10, 60, 5060, `a.${PBX}`),
  srv(`_sip._udp.${PBX}`, 20, 40, 5060, `b.${PBX}`),
  srv(`_sip._tcp.${PBX}`, 10, 60, 5060, `a.${PBX}`),
  srv(`_sip._tcp.${PBX}`, 20, 40, 5060, `b.${PBX}`),
  srv(`_sips._tcp.${PBX}`, 10, 60, 5061, `a.${PBX}`),
  a(`a.${PBX}`, "192.0.2.13"),
  a(`b.${PBX}`, "192.0.2.14"),
  a(`dual.${PBX}`, "192.0.2.13"),
  a(`dual.${PBX}`, "192.0.2.14"),
];

const server = (
  address: string,
  port = 0,
  transport: ServerLocation["transport"] = "naptr",
): ServerLocation => ({ address, port, transport });

describe("a configured server", () => {
  for (const [given, targets] of [
    [server("192.0.2.13", 5060, "udp"), ["udp 192.0.2.13:5060"]],
    [server("192.0.2.13", 0, "tls"), ["tls 192.0.2.13:5061"]],
    [server("192.0.2.13", 5070, "naptr"), ["udp 192.0.2.13:5070"]],
    [server("192.0.2.13", 0, "naptr"), ["udp 192.0.2.13:5060"]],
    [server("[2001:DB8::13]", 0, "tcp"), ["tcp 2001:db8::13:5060"]],
    [server("192.0.2.13", 5080, "tcp-preferred"), ["tcp 192.0.2.13:5080", "udp 192.0.2.13:5080"]],
  ] as const) {
    test(`${given.address}:${given.port} by ${given.transport} asks nothing (R68, D5)`, () => {
      const names = new Names([]);
      const located = names.server(given);
      assert.deepEqual(shown(located), targets);
      assert.deepEqual(names.asked, []);
      assert.ok(located.kind === "located" && located.targets[0]?.expiresAt === NEVER);
    });
  }

  for (const [transport, first] of [
    ["naptr", "udp"],
    ["udp", "udp"],
    ["tls", "tls"],
  ] as const) {
    test(`a name with a port asks for addresses only, by ${transport} (R68, D4)`, () => {
      const names = new Names(zone());
      const located = names.server(server(`dual.${PBX}`, 5060, transport));
      assert.deepEqual(shown(located), [`${first} 192.0.2.13:5060`, `${first} 192.0.2.14:5060`]);
      assert.deepEqual(names.asked, [`A dual.${PBX}`]);
    });
  }

  test("without a port NAPTR goes first by order, then SRV, then all addresses (R66, R74)", () => {
    const names = new Names(zone());
    assert.deepEqual(shown(names.server(server(PBX))), [
      "tls 192.0.2.13:5061",
      "tcp 192.0.2.13:5060",
      "tcp 192.0.2.14:5060",
      "udp 192.0.2.13:5060",
      "udp 192.0.2.14:5060",
    ]);
  });

  test("NAPTR services of unsupported transports are dropped (R66)", () => {
    const names = new Names([
      ...zone(),
      naptr(PBX, 1, 1, "s", "SIP+D2S", `_sip._sctp.${PBX}`),
      naptr(PBX, 2, 1, "s", "SIP+D2W", `_sip._ws.${PBX}`),
    ]);
    const located = names.server(server(PBX), names.context({ supported: ["udp"] }));
    assert.deepEqual(shown(located), ["udp 192.0.2.13:5060", "udp 192.0.2.14:5060"]);
    assert.ok(!names.asked.some((asked) => asked.includes("_tcp") || asked.includes("_sctp")));
  });

  test("NAPTR services that are all unsupported are a failure, not a reason to guess", () => {
    const names = new Names([
      naptr(PBX, 1, 1, "s", "SIPS+D2T", `_sips._tcp.${PBX}`),
      ...zone().slice(3),
    ]);
    const located = names.server(server(PBX), names.context({ supported: ["udp"] }));
    assert.deepEqual(shown(located), ["unsupported"]);
  });

  test("NAPTR records of other applications count as none (R67)", () => {
    const names = new Names([naptr(PBX, 1, 1, "u", "E2U+sip", ""), ...zone().slice(3)]);
    assert.deepEqual(shown(names.server(server(PBX)))[0], "udp 192.0.2.13:5060");
  });

  test("an empty NAPTR flag leads to further NAPTR records, flag a to addresses", () => {
    const names = new Names([
      naptr(PBX, 1, 1, "", "", "more.example.net"),
      naptr("more.example.net", 1, 1, "A", "sip+d2u", "host.example.net"),
      a("host.example.net", "192.0.2.77"),
    ]);
    assert.deepEqual(shown(names.server(server(PBX))), ["udp 192.0.2.77:5060"]);
    assert.deepEqual(names.asked, [`NAPTR ${PBX}`, "NAPTR more.example.net", "A host.example.net"]);
  });

  test("a NAPTR loop ends", () => {
    const names = new Names([naptr(PBX, 1, 1, "", "", PBX)]);
    assert.deepEqual(shown(names.server(server(PBX))), ["no-records"]);
    assert.ok(names.asked.length < 10);
  });

  test("without NAPTR, srvTransports decides which SRV are asked for (naptr_build, R67)", () => {
    for (const [srvTransports, expected] of [
      ["udp", ["SRV _sip._udp.pbx.example.com"]],
      [
        "all",
        [
          "SRV _sip._udp.pbx.example.com",
          "SRV _sip._tcp.pbx.example.com",
          "SRV _sips._tcp.pbx.example.com",
        ],
      ],
    ] as const) {
      const names = new Names(zone().slice(3));
      names.server(server(PBX), names.context({ srvTransports }));
      const asked = names.asked.filter((question) => question.startsWith("SRV"));
      assert.deepEqual(asked, expected);
    }
  });

  test("without NAPTR and SRV the addresses of the name serve over UDP at 5060 (R67, R68)", () => {
    const names = new Names([a(PBX, "192.0.2.1")]);
    assert.deepEqual(shown(names.server(server(PBX))), ["udp 192.0.2.1:5060"]);
  });

  for (const [transport, target] of [
    ["udp", "udp 192.0.2.13:5060"],
    ["tcp", "tcp 192.0.2.13:5060"],
    ["tls", "tls 192.0.2.13:5061"],
  ] as const) {
    test(`${transport} without a port asks SRV of that transport, not NAPTR (R68)`, () => {
      const names = new Names([...zone(), a(PBX, "192.0.2.99")]);
      assert.equal(shown(names.server(server(PBX, 0, transport)))[0], target);
      assert.ok(!names.asked.some((asked) => asked.startsWith("NAPTR")));
      assert.ok(!names.asked.includes(`A ${PBX}`), "an A record must not hide or follow SRV (C18)");
    });

    test(`${transport} without a port and without SRV: addresses, default port (R68)`, () => {
      const names = new Names([a(PBX, "192.0.2.13")]);
      assert.deepEqual(shown(names.server(server(PBX, 0, transport))), [target]);
    });
  }

  test("tcp-preferred: TCP targets, then UDP's own SRV", () => {
    const names = new Names([...zone(), srv(`_sip._udp.${PBX}`, 1, 0, 5070, `b.${PBX}`)]);
    assert.deepEqual(shown(names.server(server(PBX, 0, "tcp-preferred"))), [
      "tcp 192.0.2.13:5060",
      "tcp 192.0.2.14:5060",
      "udp 192.0.2.14:5070",
      "udp 192.0.2.13:5060",
      "udp 192.0.2.14:5060",
    ]);
  });

  test("tcp-preferred: the TCP targets over UDP where UDP has no SRV", () => {
    const names = new Names([
      srv(`_sip._tcp.${PBX}`, 1, 0, 5070, `dual.${PBX}`),
      ...zone().slice(8),
    ]);
    assert.deepEqual(shown(names.server(server(PBX, 0, "tcp-preferred"))), [
      "tcp 192.0.2.13:5070",
      "tcp 192.0.2.14:5070",
      "udp 192.0.2.13:5070",
      "udp 192.0.2.14:5070",
    ]);
  });

  test("SRV whose targets have no address never falls through to the name's own (C18)", () => {
    const names = new Names([
      srv(`_sip._udp.${PBX}`, 1, 0, 5060, "gone.example.com"),
      a(PBX, "192.0.2.1"),
    ]);
    assert.deepEqual(shown(names.server(server(PBX, 0, "udp"))), ["no-records"]);
    assert.deepEqual(shown(names.server(server(PBX))), ["no-records"]);
  });

  test('the SRV target "." refuses the service, with no fall-through (R76)', () => {
    const names = new Names([srv(`_sip._udp.${PBX}`, 0, 0, 0, "."), a(PBX, "192.0.2.1")]);
    assert.deepEqual(shown(names.server(server(PBX, 0, "udp"))), ["refused-by-dot"]);
    assert.deepEqual(shown(names.server(server(PBX))), ["refused-by-dot"]);
    names.records.push(
      srv(`_sip._tcp.${PBX}`, 0, 0, 5060, `a.${PBX}`),
      a(`a.${PBX}`, "192.0.2.13"),
    );
    names.clock.now += 3_600_000;
    assert.deepEqual(shown(names.server(server(PBX))), ["tcp 192.0.2.13:5060"]);
  });

  test("all addresses of one target come before the next target, without duplicates (R71, C44)", () => {
    const names = new Names([
      srv(`_sip._udp.${PBX}`, 1, 0, 5060, `dual.${PBX}`),
      srv(`_sip._udp.${PBX}`, 2, 0, 5060, `a.${PBX}`),
      srv(`_sip._udp.${PBX}`, 3, 0, 5080, `a.${PBX}`),
      ...zone().slice(8),
    ]);
    assert.deepEqual(shown(names.server(server(PBX, 0, "udp"))), [
      "udp 192.0.2.13:5060",
      "udp 192.0.2.14:5060",
      "udp 192.0.2.13:5080",
    ]);
  });

  test("both families are asked, kept, and ordered by RFC 6724 within a target (R78)", () => {
    const names = new Names([a(PBX, "192.0.2.1"), a(PBX, "fd00::1"), a(PBX, "2001:db8::1")]);
    const both = names.context({ families: ["ipv4", "ipv6"] });
    assert.deepEqual(shown(names.server(server(PBX, 5060, "udp"), both)), [
      "udp 2001:db8::1:5060",
      "udp 192.0.2.1:5060",
      "udp fd00::1:5060",
    ]);
  });

  test("the configured domain, not the SRV target, is the identity of each target", () => {
    const names = new Names(zone());
    const located = names.server(server(`${PBX.toUpperCase()}.`));
    assert.ok(located.kind === "located");
    assert.ok(located.targets.every(({ target }) => target.domain === PBX));
    assert.equal(located.targets[0]?.host, `a.${PBX}`);
  });

  test("each target knows when its address records expire, the whole when its first record does", () => {
    const names = new Names(zone());
    names.clock.now = 1000;
    const located = names.server(server(PBX));
    assert.ok(located.kind === "located");
    assert.equal(located.targets[0]?.expiresAt, 61_000);
    assert.equal(located.expiresAt, 61_000);
  });

  test("what is no name fails without a question", () => {
    const names = new Names([]);
    for (const bad of [
      "",
      "a..b",
      "exa mple.com",
      "x".repeat(64),
      `${"abc.".repeat(70)}de`,
      "1::2::3",
    ]) {
      assert.deepEqual(shown(names.server(server(bad))), ["bad-name"]);
    }
    assert.deepEqual(names.asked, []);
  });

  test("a zone of a thousand targets is cut", () => {
    const names = new Names([]);
    for (let index = 0; index < 1000; index += 1) {
      names.records.push(srv(`_sip._udp.${PBX}`, index, 0, 5060, `h${index}.${PBX}`));
      names.records.push(
        a(`h${index}.${PBX}`, `192.0.2.${index % 250}`),
        a(`h${index}.${PBX}`, `198.51.100.${index % 250}`),
      );
    }
    assert.equal(shown(names.server(server(PBX, 0, "udp"))).length, 64);
    assert.ok(names.asked.length <= 150);
  });

  test("the steps tell how it was decided", () => {
    const names = new Names([
      srv(`_sip._udp.${PBX}`, 10, 2, 5060, `a.${PBX}`),
      srv(`_sip._udp.${PBX}`, 10, 1, 5060, `b.${PBX}`),
      ...zone().slice(8),
    ]);
    const { steps } = names.server(server(PBX, 0, "udp"), names.context({ entropy: seeded(7) }));
    assert.equal(steps[0], `SRV _sip._udp.${PBX}: 2, live`);
    assert.match(
      steps[1] as string,
      /^SRV 10 [12] 5060 [ab]\.pbx\.example\.com, drew [0-3] of 0\.\.3$/,
    );
    assert.match(steps[2] as string, /^A [ab]\.pbx\.example\.com: 192\.0\.2\.1[34], live$/);
  });
});

describe("a SIP URI", () => {
  for (const [uri, expected] of [
    [{ host: "192.0.2.1" }, ["udp 192.0.2.1:5060"]],
    [{ host: "192.0.2.1", secure: true }, ["tls 192.0.2.1:5061"]],
    [{ host: "[2001:db8::1]", port: 5070 }, ["udp 2001:db8::1:5070"]],
    [{ host: `a.${PBX}`, port: 5070 }, ["udp 192.0.2.13:5070"]],
    [{ host: `a.${PBX}`, port: 5070, secure: true }, ["tls 192.0.2.13:5070"]],
    [{ host: `a.${PBX}`, port: 5070, transport: "TCP" }, ["tcp 192.0.2.13:5070"]],
    [{ host: `a.${PBX}`, transport: "tcp", secure: true }, ["tls 192.0.2.13:5061"]],
    [{ host: PBX, transport: "tcp" }, ["tcp 192.0.2.13:5060", "tcp 192.0.2.14:5060"]],
    [{ host: PBX, secure: true }, ["tls 192.0.2.13:5061"]],
    [{ host: `a.${PBX}`, transport: "sctp" }, ["unsupported"]],
    [{ host: `a.${PBX}`, transport: "udp", secure: true }, ["unsupported"]],
    [{ host: `a.${PBX}`, transport: "ws" }, ["unsupported"]],
  ] as const) {
    test(`${JSON.stringify(uri)} leads to ${expected.join(", ")} (R64, R65, R68)`, () => {
      const names = new Names(zone());
      assert.deepEqual(shown(names.uri(uri)), expected);
    });
  }

  test("sips without NAPTR asks for _sips._tcp only (R67)", () => {
    const names = new Names(zone().slice(3));
    assert.deepEqual(shown(names.uri({ host: PBX, secure: true })), ["tls 192.0.2.13:5061"]);
    assert.ok(!names.asked.some((asked) => asked.includes("_sip.")));
  });

  test("ws and wss have SRV names and ports of their own (RFC 7118)", () => {
    const names = new Names([a("w.example.com", "192.0.2.5")]);
    const context = names.context({ supported: ["ws", "wss"] });
    assert.deepEqual(shown(names.uri({ host: "w.example.com", transport: "ws" }, context)), [
      "ws 192.0.2.5:80",
    ]);
    assert.deepEqual(
      shown(names.uri({ host: "w.example.com", transport: "ws", secure: true }, context)),
      ["wss 192.0.2.5:443"],
    );
    assert.equal(names.asked[0], "SRV _sip._ws.w.example.com");
  });
});

describe("location run by Inquiries", () => {
  test("TTLs count from the instant of the answer, not of the question", () => {
    const names = new Names([]);
    const inquiries = new Inquiries(new Outbox());
    const context = {
      ...names.context(),
      clock: inquiries,
      names: new NameService(inquiries, new RecordCache(), LIVE_ONLY),
    };
    const told: [number, string[]][] = [];
    const located = locateServer(server(PBX, 5060, "udp"), context);
    inquiries.start(1000, located, (now, result) => {
      told.push([now, shown(result)]);
      assert.ok(result.kind === "located" && result.targets[0]?.expiresAt === 64_000);
    });
    assert.equal(inquiries.size, 1);
    inquiries.answered(4000, 1, {
      kind: "records",
      records: [a(PBX, "192.0.2.1")],
      additional: [],
    });
    assert.deepEqual(told, [[4000, ["udp 192.0.2.1:5060"]]]);
    assert.equal(inquiries.now, 4000);
  });
});
