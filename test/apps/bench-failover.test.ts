/** `dialtone bench failover`: what is made of what servers saw, and one short cell on real processes. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { test } from "node:test";
import { base64OfText } from "../../src/api/base64.ts";
import { Crew } from "../../src/apps/bench/crew.ts";
import { type CellRun, cellsOf, tablesOf } from "../../src/apps/bench/failover/cell.ts";
import { Play } from "../../src/apps/bench/failover/play.ts";
import { kamailioSighting, ownSighting } from "../../src/apps/bench/failover/servers.ts";
import { Sightings } from "../../src/apps/bench/failover/sightings.ts";
import { printed, records } from "../../src/apps/bench/report.ts";
import { needs } from "../support/peers.ts";
import { Household } from "../support/processes.ts";

const NEVER = Number.POSITIVE_INFINITY;

function ran(phone: CellRun["cell"]["phone"], figures: CellRun["figures"]): CellRun {
  const fault = "silent";
  return { cell: { phone, fault, scenario: "call", expires: 60, maxWait: 90 }, figures };
}

test("each phone meets each failure; calls once, registrations at each lifetime", () => {
  const cells = cellsOf(["dialtone", "baresip"], ["closed", "silent"], [60, 600], 120);
  assert.equal(cells.length, 2 * 2 * (1 + 2));
  const lifetimes = cells.flatMap(({ scenario, expires }) => (scenario === "call" ? expires : []));
  assert.deepEqual([...new Set(lifetimes)], [60]);
});

test("who never answered is told as such, in words and as null, with the ratio of those who did", () => {
  const runs = [
    ran("linphone", { next: NEVER }),
    ran("baresip", { next: 32, again: 32 }),
    ran("dialtone", { next: 0.5, again: 0.25 }),
    ran("dialtone", { next: 0.7, again: 0.25 }),
  ];
  const [next, again, ...more] = tablesOf(runs, []);
  assert.ok(next !== undefined && again !== undefined);
  assert.equal(more.length, 0);
  const lines = printed(next).split("\n");
  assert.match(lines[0] ?? "", /next call.*primary silent, seconds/);
  assert.match(lines.join("\n"), /0\.00 +of linphonec +never in 90 s/);
  assert.match(lines.join("\n"), /dialtone +0\.60 \(0\.50–0\.70\)/);
  const told = JSON.parse(JSON.stringify(records(next))) as Record<string, unknown>[];
  const byName = new Map(told.map((record) => [record.name, record]));
  assert.equal(byName.get("linphonec")?.seconds, null);
  assert.equal(byName.get("dialtone")?.seconds, 0.6);
  // Whoever answered no first call made no second one.
  assert.deepEqual(
    again.others.map(({ name }) => name),
    ["baresip"],
  );
});

test("a table is headed by our own phone, and left out without it", () => {
  assert.deepEqual(tablesOf([ran("baresip", { next: 32 })], []), []);
});

test("what Kamailio says it saw", () => {
  const line = " 1(28648) ALERT: <script>: dialtone-bench registered 2001 1795269656.353000";
  assert.deepEqual(kamailioSighting(line), {
    at: 1795269656353,
    what: "registered",
    user: "2001",
  });
  assert.equal(kamailioSighting(" 0(1) INFO: usrloc: nothing of it"), undefined);
});

test("what our own server says it sent: a 200 with a contact registers, one without removes", () => {
  const sent = (lines: readonly string[], event = "message.sent"): string => {
    const data = base64OfText([...lines, "", ""].join("\r\n"));
    return JSON.stringify({ at: 1, time: "2026-11-21T12:00:00.250Z", node: "a", event, data });
  };
  const at = Date.UTC(2026, 10, 21, 12, 0, 0, 250);
  const from = "From: <sip:2001@failover.test>;tag=1";
  const register = ["SIP/2.0 200 OK", from, "CSeq: 2 REGISTER"];
  const stands = [...register, "Contact: <sip:2001@127.0.0.1:5060>;expires=60"];
  assert.deepEqual(ownSighting(sent(stands)), { at, what: "registered", user: "2001" });
  assert.equal(ownSighting(sent(register)), undefined);
  assert.equal(ownSighting(sent(stands, "message.received")), undefined);
  assert.equal(ownSighting(sent(["SIP/2.0 401 Unauthorized", ...stands.slice(1)])), undefined);
  const answered = ["SIP/2.0 200 OK", from, "CSeq: 1 INVITE"];
  assert.deepEqual(ownSighting(sent(answered)), { at, what: "answered", user: "2001" });
});

test("a wait ends with what is seen first after it began, and not with what was seen before", async () => {
  const sightings = new Sightings();
  const now = Date.now();
  const seen = { server: "primary", what: "registered", user: "2001" } as const;
  sightings.add({ ...seen, at: now - 1 });
  const waited = sightings.secondsUntil(now, () => true, 30);
  sightings.add({ ...seen, user: "9000", at: now + 1000 });
  assert.equal(await waited, 1);
  assert.equal(await sightings.secondsUntil(now, ({ user }) => user === "nobody", 0), NEVER);
});

test(
  "our phone's next call after its primary's port is closed is answered by the other Kamailio, and so is the one after",
  needs("kamailio", "dnsmasq"),
  async () => {
    const household = await Household.open(74);
    const crew = new Crew();
    try {
      const folder = household.path("cell");
      mkdirSync(folder);
      const prefix = household.address(0).replace(/\.0$/, "");
      const cell = { phone: "dialtone", fault: "closed", scenario: "call" } as const;
      const stage = { crew, folder, prefix, isolated: false };
      const figures = await new Play({ ...cell, expires: 60, maxWait: 20 }, stage).run();
      const { next = NEVER, again = NEVER } = figures;
      // Far below what a phone that waits for a time-out takes, however busy the machine is.
      assert.ok(next < 7.5 && again < 7.5, JSON.stringify(figures));
    } finally {
      await crew.dismiss();
      await household.close();
    }
  },
);
