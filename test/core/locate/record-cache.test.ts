/** What is kept of answers, for how long, and what serves when nobody answers (RFC 2308, RFC 8767). */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MAX_STALE_MS } from "../../../src/core/locate/limits.ts";
import { RecordCache } from "../../../src/core/locate/record-cache.ts";
import type { ResourceRecord } from "../../../src/core/vocabulary.ts";
import { a, Names, naptr, shown, srv } from "./asking.ts";

const NAME = "pbx.example.com";
const server = { address: NAME, port: 5060, transport: "udp" } as const;

const answer = (records: ResourceRecord[], additional: ResourceRecord[] = []) =>
  ({ kind: "records", records, additional }) as const;

describe("the record cache", () => {
  test("a positive answer serves until its least TTL is over, then it is asked for again (R79)", () => {
    const names = new Names([a(NAME, "192.0.2.1", 60), a(NAME, "192.0.2.2", 90)]);
    const context = names.context();
    for (const [now, questions] of [
      [0, 1],
      [59_999, 1],
      [60_000, 2],
    ] as const) {
      names.clock.now = now;
      assert.equal(shown(names.server(server, context)).length, 2);
      assert.equal(names.asked.length, questions);
    }
  });

  test("a negative answer serves as long as RFC 2308 lets it, bounded so that a repaired name appears", () => {
    const cache = new RecordCache();
    cache.heard(0, NAME, "A", { kind: "none", ttl: 60 });
    cache.heard(0, NAME, "SRV", { kind: "none", ttl: 86_400 });
    assert.deepEqual(cache.fresh(59_999, NAME, "A")?.records, []);
    assert.equal(cache.fresh(60_000, NAME, "A"), undefined);
    assert.notEqual(cache.fresh(899_999, NAME, "SRV"), undefined);
    assert.equal(cache.fresh(900_000, NAME, "SRV"), undefined);
  });

  test("TTL 0 serves the question that asked and no other", () => {
    const names = new Names([a(NAME, "192.0.2.1", 0)]);
    const context = names.context();
    assert.deepEqual(shown(names.server(server, context)), ["udp 192.0.2.1:5060"]);
    names.server(server, context);
    assert.equal(names.asked.length, 2);
  });

  test("rotated addresses keep the order they had, so the primary stays the primary", () => {
    const cache = new RecordCache();
    const [one, two, three] = [a(NAME, "192.0.2.1"), a(NAME, "192.0.2.2"), a(NAME, "192.0.2.3")];
    cache.heard(0, NAME, "A", answer([one, two, three]));
    const rotated = cache.heard(60_000, NAME, "A", answer([three, one, two]));
    assert.deepEqual(rotated?.records, [one, two, three]);
    const changed = cache.heard(120_000, NAME, "A", answer([three, a(NAME, "192.0.2.9"), one]));
    assert.deepEqual(changed?.records[0], three);
  });

  test("it never holds more answers than its limit: the oldest goes", () => {
    const cache = new RecordCache(3);
    for (let index = 0; index < 10; index += 1) {
      cache.heard(0, `h${index}`, "A", answer([a(`h${index}`, "192.0.2.1")]));
    }
    assert.equal(cache.size, 3);
    assert.equal(cache.fresh(0, "h6", "A"), undefined);
    assert.notEqual(cache.fresh(0, "h9", "A"), undefined);
  });

  test("additional records of names that were not asked about are not believed", () => {
    const cache = new RecordCache();
    const records = [srv("_sip._udp.x", 1, 0, 5060, "a.x")];
    cache.heard(
      0,
      "_sip._udp.x",
      "SRV",
      answer(records, [a("a.x", "192.0.2.1"), a("bank.example", "192.0.2.66")]),
    );
    assert.notEqual(cache.fresh(0, "a.x", "A"), undefined);
    assert.equal(cache.fresh(0, "bank.example", "A"), undefined);
  });

  test("an additional record never displaces what was asked for itself", () => {
    const cache = new RecordCache();
    cache.heard(0, "a.x", "A", answer([a("a.x", "192.0.2.1")]));
    cache.heard(0, "s.x", "SRV", answer([srv("s.x", 1, 0, 1, "a.x")], [a("a.x", "192.0.2.66")]));
    assert.deepEqual(cache.fresh(0, "a.x", "A")?.records, [a("a.x", "192.0.2.1")]);
  });
});

describe("what a policy makes of the cache", () => {
  const zone = [
    naptr(NAME, 1, 1, "s", "SIP+D2U", `_sip._udp.${NAME}`),
    srv(`_sip._udp.${NAME}`, 1, 0, 5060, `a.${NAME}`),
    a(`a.${NAME}`, "192.0.2.13"),
  ];
  const byNaptr = { address: NAME, port: 0, transport: "naptr" } as const;

  for (const [useAdditional, asked] of [
    [true, 1],
    [false, 3],
  ] as const) {
    test(`useAdditional ${useAdditional}: ${asked} questions for NAPTR, SRV and A (dns_cache_type, R77)`, () => {
      const names = new Names(zone);
      names.additional = zone.slice(1);
      const located = names.server(byNaptr, names.context({}, { useAdditional }));
      assert.deepEqual(shown(located), ["udp 192.0.2.13:5060"]);
      assert.equal(names.asked.length, asked);
    });
  }

  test("cache false asks each time (dns_cache_type 0)", () => {
    const names = new Names(zone);
    const context = names.context({}, { cache: false });
    names.server(byNaptr, context);
    names.server(byNaptr, context);
    assert.equal(names.asked.length, 6);
  });

  test("two accounts share one cache", () => {
    const names = new Names(zone);
    names.server(byNaptr, names.context());
    names.server(byNaptr, names.context());
    assert.equal(names.asked.length, 3);
  });
});

describe("when the resolver is silent", () => {
  test("expired answers serve, after one short wait for all of them together (C39, R79)", () => {
    const zone = [
      srv(`_sip._udp.${NAME}`, 1, 0, 5060, `a.${NAME}`),
      srv(`_sip._udp.${NAME}`, 2, 0, 5060, `b.${NAME}`),
      a(`a.${NAME}`, "192.0.2.13"),
      a(`b.${NAME}`, "192.0.2.14"),
    ];
    const names = new Names(zone);
    const context = names.context();
    const byNaptr = { address: NAME, port: 0, transport: "naptr" } as const;
    const before = shown(names.server(byNaptr, context));
    const questions = names.asked.length;
    names.silent = true;
    names.clock.now = 3_600_000;
    const located = names.server(byNaptr, context);
    assert.deepEqual(shown(located), before);
    assert.equal(names.clock.now, 3_601_800, "RFC 8767: 1.8 s, not the resolver's own patience");
    assert.equal(names.asked.length, questions + 1, "one silence tells of all");
    assert.ok(located.kind === "located" && located.expiresAt === 3_631_800);
    assert.match(located.steps.join("\n"), /stale/);
  });

  test("it is asked again after 30 s without keeping anybody waiting; its first answer ends the staleness", () => {
    const names = new Names([a(NAME, "192.0.2.1")]);
    const context = names.context();
    names.server(server, context);
    names.silent = true;
    names.clock.now = 100_000;
    names.server(server, context);
    assert.equal(names.asked.length, 2);
    names.clock.now += 29_999;
    names.server(server, context);
    assert.equal(names.asked.length, 2);
    names.clock.now += 1;
    names.silent = false;
    names.records = [a(NAME, "192.0.2.9")];
    assert.deepEqual(shown(names.server(server, context)), ["udp 192.0.2.1:5060"]);
    assert.equal(names.asked.length, 3);
    assert.deepEqual(shown(names.server(server, context)), ["udp 192.0.2.9:5060"]);
    assert.equal(names.asked.length, 3);
  });

  test("hours of silence cost the first look-up 1.8 s and no other anything (RFC 8767 §5)", () => {
    const names = new Names([a(NAME, "192.0.2.1"), a("other.example.com", "192.0.2.2")]);
    const context = names.context();
    const other = { ...server, address: "other.example.com" };
    names.server(server, context);
    names.server(other, context);
    names.silent = true;
    names.clock.now = 100_000;
    for (let look = 0; look < 100; look += 1) {
      const began = names.clock.now;
      names.server(look % 2 === 0 ? server : other, context);
      assert.equal(names.clock.now - began, look === 0 ? 1800 : 0);
      names.clock.now += 60_000;
    }
    assert.equal(names.asked.length, 2 + 100, "it is looked for each time the 30 s are over");
  });

  test("a resolver that chokes on one type costs the first look-up only", () => {
    const zone = [srv(`_sip._udp.${NAME}`, 1, 0, 5060, `a.${NAME}`), a(`a.${NAME}`, "192.0.2.13")];
    const names = new Names([...zone, naptr(NAME, 1, 1, "s", "SIP+D2U", `_sip._udp.${NAME}`)]);
    const context = names.context();
    const byNaptr = { address: NAME, port: 0, transport: "naptr" } as const;
    names.server(byNaptr, context);
    names.mute.add("NAPTR");
    for (const waited of [1800, 0, 0]) {
      names.clock.now += 600_000;
      const began = names.clock.now;
      assert.deepEqual(shown(names.server(byNaptr, context)), ["udp 192.0.2.13:5060"]);
      assert.equal(names.clock.now - began, waited);
    }
  });

  test("… and once it has answered others since, these are asked for as soon as they run out", () => {
    const names = new Names([a(NAME, "192.0.2.13", 5)]);
    const context = { ...names.context(), families: ["ipv4", "ipv6"] as const };
    names.mute.add("AAAA");
    names.server(server, context);
    names.clock.now += 40_000;
    names.server(server, context);
    for (const address of ["192.0.2.14", "192.0.2.15", "192.0.2.16"]) {
      names.clock.now += 6_000;
      names.records = [a(NAME, address, 5)];
      assert.deepEqual(shown(names.server(server, context)), [`udp ${address}:5060`]);
    }
  });

  test("… also where it never answered that type: it has its own patience once, and short ones from then on", () => {
    const names = new Names([a(NAME, "192.0.2.13")]);
    names.mute.add("NAPTR");
    const context = names.context();
    for (let look = 0; look < 4; look += 1) {
      names.server({ address: NAME, port: 0, transport: "naptr" }, context);
      names.clock.now += 600_000;
    }
    const waits = names.asked.map((question, at) => [question, names.patience[at]] as const);
    const naptrs = waits.filter(([question]) => question.startsWith("NAPTR"));
    assert.deepEqual(
      naptrs.map(([, patience]) => patience),
      [undefined, 1800, 1800, 1800],
    );
  });

  test("an answer stale for longer than the bound is not served (RFC 8767 §5)", () => {
    const names = new Names([a(NAME, "192.0.2.1", 60)]);
    const context = names.context();
    names.server(server, context);
    names.silent = true;
    names.clock.now = 60_000 + MAX_STALE_MS;
    assert.deepEqual(shown(names.server(server, context)), ["silent"]);
  });

  test("no failure changes what the DNS said (kamailio#4911)", () => {
    const names = new Names([a(NAME, "192.0.2.1"), a(NAME, "192.0.2.2")]);
    const context = names.context();
    const before = names.server(server, context);
    names.cache.heard(1, NAME, "A", { kind: "silent", why: "timeout" });
    assert.deepEqual(shown(names.server(server, context)), shown(before));
  });

  test("nothing known: the first wait is the resolver's own, later ones short, and SRV is not hidden by A", () => {
    const names = new Names([]);
    names.silent = true;
    const located = names.server({ address: NAME, port: 0, transport: "naptr" });
    assert.deepEqual(shown(located), ["silent"]);
    assert.deepEqual(names.asked, [`NAPTR ${NAME}`, `SRV _sip._udp.${NAME}`]);
    assert.deepEqual(names.patience, [undefined, 1800]);
  });

  test("a resolver that chokes on NAPTR only still gives SRV", () => {
    const names = new Names([
      srv(`_sip._udp.${NAME}`, 1, 0, 5060, `a.${NAME}`),
      a(`a.${NAME}`, "192.0.2.13"),
    ]);
    names.mute.add("NAPTR");
    assert.deepEqual(shown(names.server({ address: NAME, port: 0, transport: "naptr" })), [
      "udp 192.0.2.13:5060",
    ]);
  });

  test("one family silent, the other answered: the answered one serves (R78)", () => {
    const names = new Names([a(NAME, "192.0.2.1")]);
    names.mute.add("AAAA");
    const both = names.context({ families: ["ipv6", "ipv4"] });
    assert.deepEqual(shown(names.server(server, both)), ["udp 192.0.2.1:5060"]);
  });
});
