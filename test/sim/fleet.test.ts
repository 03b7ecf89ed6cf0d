/** Fleets: figures that add up, equal seeds, configuration files, and what a phone costs. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { figureLines } from "../../src/apps/sim/fleet/figures.ts";
import { FleetAddresses } from "../../src/apps/sim/fleet/phones.ts";
import { describePlan, type FleetPlan, planFleet } from "../../src/apps/sim/fleet/plan.ts";
import { pageOf } from "../../src/apps/sim/fleet/report.ts";
import { runFleet } from "../../src/apps/sim/fleet/run.ts";
import { NO_ORIGIN } from "../../src/apps/sim/phone-config.ts";
import { readConfiguration } from "../../src/core/provisioning/read.ts";
import { sample } from "../core/redundancy/rehearsal.ts";

/** Bytes of one registered phone, everything of the simulated network included: as it is now, a little more. */
const MOST_BYTES = 2150;
/** The same, and all that its servers know of it, secrets of both algorithms computed: as it is now, a little more. */
const MOST_BYTES_IN_ALL = 3450;
const MEMORY_PROGRAM = join(import.meta.dirname, "../../src/apps/bench/memory-program.js");

test("a fleet survives its drawn outages: all are served again, and no more than were", () => {
  for (const seed of [1, 2]) {
    const plan = planFleet({ seed, phones: 40, hours: 0.5, account: undefined });
    const { figures, tally, cost } = runFleet(plan, NO_ORIGIN);
    assert.equal(figures.registeredAtEnd, 40, `seed ${seed}`);
    assert.ok(tally.served.every((count) => count <= 40));
    for (const outage of figures.outages) {
      assert.notEqual(outage.seconds100, undefined, `seed ${seed}: ${outage.kind}`);
      assert.ok((outage.seconds50 ?? 0) <= (outage.seconds99 ?? 0));
    }
    const received = figures.servers.reduce((sum, { registers }) => sum + registers, 0);
    assert.ok(received > 40 * 2, "renewals are counted");
    assert.ok(figures.events > 2 * received, "each is a packet, its answer another");
    assert.ok(cost.eventsPerSecond > 0 && cost.peakBytes > 1e6);
    assert.ok(figures.calls.placed > 0 && figures.calls.answered > 0);
  }
});

test("the same seed draws the same fleet and gives the same figures and trace (I9)", () => {
  const once = (): unknown => {
    const plan = planFleet({ seed: 11, phones: 20, hours: 0.3, account: undefined });
    return [describePlan(plan), runFleet(plan, NO_ORIGIN).figures];
  };
  assert.deepEqual(once(), once());
});

test("a calm fleet draws what the seed says but for its outages, and all register", () => {
  const request = { seed: 2, phones: 30, hours: 0.1, account: undefined };
  const calm = planFleet({ ...request, calm: true });
  assert.deepEqual(calm, { ...planFleet(request), outages: [] });
  assert.equal(runFleet(calm, NO_ORIGIN).figures.registeredAtEnd, 30);
});

test("every sample of the makers runs as a fleet", () => {
  for (const name of [
    "Y1-register-fallback.cfg",
    "Y6-outbound-proxies.cfg",
    "P4-static-dns-ttl.xml",
  ]) {
    const [account] = sample(name);
    assert.ok(account !== undefined);
    const plan = planFleet({ seed: 5, phones: 10, hours: 0.3, account });
    const { figures } = runFleet(plan, NO_ORIGIN);
    assert.equal(figures.registeredAtEnd, 10, `${name}: ${figureLines(figures).join("; ")}`);
  }
});

const BEHIND_PROXIES = `#!version:1.0.0.1
account.1.enable = 1
account.1.user_name = 702
account.1.sip_server.1.address = pbx.old.example
account.1.sip_server.1.transport_type = 1
account.1.outbound_proxy_enable = 1
account.1.outbound_proxy.1.address = edge.old.example
account.1.outbound_proxy.1.port = 5070
`;

test("a fleet over TCP behind a proxy's name with two addresses calls itself, before the outage and after", () => {
  const [account] = readConfiguration([{ name: "proxies.cfg", text: BEHIND_PROXIES }]).accounts;
  assert.ok(account !== undefined);
  const plan = planFleet({ seed: 7, phones: 10, hours: 0.3, account });
  assert.deepEqual(
    plan.servers.map(({ name, port }) => `${name} ${port}`),
    ["proxy-1 5070", "proxy-1-2 5070"],
  );
  const { figures } = runFleet(plan, NO_ORIGIN);
  assert.equal(figures.registeredAtEnd, 10);
  assert.ok(figures.calls.placed > 10 && figures.calls.answered === figures.calls.placed);
});

test("no phone of a fleet has the address of a server", () => {
  const addresses = new FleetAddresses(300, ["10.64.1.9"]);
  assert.equal(addresses.at(0), "100.64.0.1");
  assert.ok(addresses.has(addresses.at(299)) && !addresses.has("10.64.1.9"));
  assert.equal(
    new FleetAddresses(300, ["10.64.2.9"]).at(0),
    "10.64.0.1",
    "further on there is none",
  );
});

test("the page names every server and draws every outage, with no script and no foreign markup", () => {
  const [account] = sample("Y1-register-fallback.cfg");
  assert.ok(account !== undefined);
  const plan = planFleet({ seed: 6, phones: 5, hours: 0.2, account });
  const servers = plan.servers.map(({ name }) => ({
    name: `<${name}>`,
    values: new Uint32Array(3),
  }));
  const page = pageOf(plan, runFleet(plan, NO_ORIGIN), servers);
  for (const { name } of plan.servers) assert.ok(page.includes(`&lt;${name}&gt;`));
  assert.equal(page.match(/class="outage"/g)?.length, 2 * plan.outages.length);
  assert.doesNotMatch(page, /<script/);
});

test("a registered phone costs at most 2.15 kB, its simulated socket and address included", async (context) => {
  // Without the optimising compiler, whose code would be counted as well: objects are what is bounded.
  const args = ["--expose-gc", "--no-opt", MEMORY_PROGRAM, "4000"];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const [each = 0, all = 0] = stdout.split(" ").map(Number);
  context.diagnostic(
    `${Math.round(each)} bytes a registered phone, ${Math.round(all)} with its servers'`,
  );
  assert.ok(each > 1000 && each <= MOST_BYTES, `${stdout.trim()} bytes`);
  assert.ok(all > each && all <= MOST_BYTES_IN_ALL, `${stdout.trim()} bytes`);
});

test("a fleet whose servers can do only so much comes back all the same, the longer it takes (R111)", () => {
  const plan = (capacity: number | undefined): FleetPlan =>
    planFleet({ seed: 4, phones: 200, hours: 0.5, capacity, account: undefined });
  assert.match(describePlan(plan(5)).join(), /5 REGISTERs a second/);
  const [free, limited] = [undefined, 5].map((capacity) => {
    const { figures } = runFleet(plan(capacity), NO_ORIGIN);
    assert.equal(figures.registeredAtEnd, 200);
    return figures.outages[0]?.seconds99 ?? Number.POSITIVE_INFINITY;
  }) as [number, number];
  assert.ok(limited >= free && limited < 900, `${limited} s and ${free} s`);
});

test("phones call each other as often as asked, or never", () => {
  const placed = [0, 30, 120].map((calls) => {
    const plan = planFleet({
      seed: 4,
      phones: 200,
      hours: 0.1,
      calls,
      calm: true,
      account: undefined,
    });
    assert.match(describePlan(plan).join(), new RegExp(` ${calls} calls a minute`));
    return runFleet(plan, NO_ORIGIN).figures.calls.placed;
  });
  const [none = 0, some = 0, many = 0] = placed;
  assert.equal(none, 0);
  assert.ok(some > 120 && some < 240 && many > 3 * some && many < 5 * some, `${placed}`);
});
