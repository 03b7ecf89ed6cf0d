/** Static records of provisioning files and their clocks. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { a, Names, naptr, shown, srv } from "./asking.ts";

const NAME = "pbx.example.com";
/** The static records of the vendors' samples Y4 and P4; a phone file may write names in any case. */
const records = [
  naptr(NAME, 90, 50, "S", "SIP+D2U", `_sip._udp.${NAME}`, 300),
  srv(`_sip._udp.${NAME}`, 10, 60, 5060, `A.${NAME}.`, 300),
  srv(`_sip._udp.${NAME}`, 20, 40, 5060, `b.${NAME}`, 300),
  a(`a.${NAME}`, "192.0.2.13", 300),
  a(`B.${NAME}`, "192.0.2.14", 300),
];
const server = { address: NAME, port: 0, transport: "naptr" } as const;
const STATIC = ["udp 192.0.2.13:5060", "udp 192.0.2.14:5060"];

describe("static records (vendors.md §1.7, §2.5)", () => {
  test("without a resolver they always serve (Y4, P4)", () => {
    const names = new Names([]);
    names.silent = true;
    const context = names.context({}, { records });
    for (const now of [0, 100_000, 301_000, 10_000_000]) {
      names.clock.now = now;
      assert.deepEqual(shown(names.server(server, context)), STATIC);
    }
  });

  test("when the DNS gives nothing they serve, and until their clock is over it is not asked", () => {
    const names = new Names([]);
    const context = names.context({}, { records });
    assert.deepEqual(shown(names.server(server, context)), STATIC);
    const asked = names.asked.length;
    names.clock.now = 299_999;
    names.server(server, context);
    assert.equal(names.asked.length, asked);
    names.clock.now = 300_000;
    names.server(server, context);
    assert.ok(names.asked.length > asked);
  });

  test("the clock starts at the first use, not before (PCX p.261)", () => {
    const names = new Names([]);
    const context = names.context({}, { records });
    names.clock.now = 1_000_000;
    const located = names.server(server, context);
    assert.ok(located.kind === "located");
    assert.equal(located.targets[0]?.expiresAt, 1_300_000);
    names.clock.now = 1_200_000;
    const again = names.server(server, context);
    assert.ok(again.kind === "located" && again.targets[0]?.expiresAt === 1_300_000);
  });

  test("when the clock is over a live answer beats them", () => {
    const names = new Names([]);
    const context = names.context({}, { records });
    names.server(server, context);
    names.records = [
      srv(`_sip._udp.${NAME}`, 1, 0, 5070, `live.${NAME}`),
      a(`live.${NAME}`, "192.0.2.99"),
    ];
    names.clock.now = 1_000_000;
    assert.equal(shown(names.server(server, context))[0], "udp 192.0.2.99:5070");
  });

  test("live targets come first, static ones after them for when none can be reached", () => {
    const names = new Names([
      naptr(NAME, 1, 1, "s", "SIP+D2U", `_sip._udp.${NAME}`),
      srv(`_sip._udp.${NAME}`, 1, 0, 5060, `live.${NAME}`),
      srv(`_sip._udp.${NAME}`, 2, 0, 5060, `a.${NAME}`),
      a(`live.${NAME}`, "192.0.2.99"),
      a(`a.${NAME}`, "192.0.2.13"),
    ]);
    const located = names.server(server, names.context({}, { records }));
    assert.deepEqual(shown(located), [
      "udp 192.0.2.99:5060",
      "udp 192.0.2.13:5060",
      "udp 192.0.2.14:5060",
    ]);
  });

  test("staticFirst asks nothing that the file says (static_cache_pri 1)", () => {
    const names = new Names([a(`a.${NAME}`, "192.0.2.99")]);
    const context = names.context({}, { records, staticFirst: true });
    assert.deepEqual(shown(names.server(server, context)), STATIC);
    assert.deepEqual(names.asked, []);
  });

  test("staticFirst asks the DNS for what the file does not say", () => {
    const names = new Names([a(`c.${NAME}`, "192.0.2.15")]);
    const some = [srv(`_sip._udp.${NAME}`, 1, 0, 5060, `c.${NAME}`)];
    const context = names.context({}, { records: some, staticFirst: true });
    const udp = { address: NAME, port: 0, transport: "udp" } as const;
    assert.deepEqual(shown(names.server(udp, context)), ["udp 192.0.2.15:5060"]);
    assert.deepEqual(names.asked, [`A c.${NAME}`]);
  });

  test("a file with addresses only is a whole zone when nobody answers: no SRV there means none", () => {
    const names = new Names([]);
    names.silent = true;
    const context = names.context({}, { records: [a(NAME, "192.0.2.1", 300)] });
    assert.deepEqual(shown(names.server(server, context)), ["udp 192.0.2.1:5060"]);
    assert.ok(names.clock.now <= 1800, "one short wait in all");
  });

  test("static records of one name say nothing of another", () => {
    const names = new Names([]);
    names.silent = true;
    const context = names.context({}, { records });
    const other = { address: "voip.example.net", port: 5060, transport: "udp" } as const;
    assert.deepEqual(shown(names.server(other, context)), ["silent"]);
  });
});
