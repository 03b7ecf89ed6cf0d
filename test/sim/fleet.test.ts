/** Fleets: figures that add up, equal seeds, configuration files, and what a phone costs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { figureLines } from "../../src/apps/sim/fleet/figures.ts";
import { describePlan, type FleetPlan, planFleet } from "../../src/apps/sim/fleet/plan.ts";
import { pageOf } from "../../src/apps/sim/fleet/report.ts";
import { fleetAccount, phoneAddress, runFleet } from "../../src/apps/sim/fleet/run.ts";
import { NO_ORIGIN, simulatedPhone } from "../../src/apps/sim/phone-config.ts";
import { Town } from "../../src/apps/sim/town.ts";
import { SipServer } from "../../src/core/server/server.ts";
import { Users } from "../../src/core/server/users.ts";
import { PURE_HASH, purePrimitives } from "../../src/worlds/sim/pure-primitives.ts";
import { SimulatedStore } from "../../src/worlds/sim/simulated-store.ts";
import { sample } from "../core/redundancy/rehearsal.ts";
import { Actor } from "./actor.ts";

/** Bytes of one registered phone, everything of the simulated network included (issue 2.9). */
const MOST_BYTES = 4608;

test("a fleet survives its drawn outages: all are served again, and no more than were", () => {
  for (const seed of [1, 2]) {
    const plan = planFleet({ seed, phones: 40, hours: 0.5, account: undefined });
    const { figures, tally } = runFleet(plan, NO_ORIGIN);
    assert.equal(figures.registeredAtEnd, 40, `seed ${seed}`);
    assert.ok(tally.served.every((count) => count <= 40));
    for (const outage of figures.outages) {
      assert.notEqual(outage.seconds100, undefined, `seed ${seed}: ${outage.kind}`);
      assert.ok((outage.seconds50 ?? 0) <= (outage.seconds99 ?? 0));
    }
    const received = figures.servers.reduce((sum, { registers }) => sum + registers, 0);
    assert.ok(received > 40 * 2, "renewals are counted");
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

/** What so many registered phones add to the heap: digest credentials included, the server left out. */
function heapOfPhones(phones: number, collect: () => void): number {
  const plan = planFleet({ seed: 7, phones, hours: 1, account: undefined });
  const users = usersOf(plan);
  const addresses = Array.from({ length: phones }, (_, number) => phoneAddress(number));
  const before = settledHeap(collect);
  const town = new Town({
    seed: 7,
    domains: plan.domains,
    users,
    renewals: false,
    network: { latencyMs: [1, 5], loss: 0, duplication: 0 },
  });
  town.dns.records = plan.records;
  for (const spec of plan.servers) town.addServer({ ...spec, location: "own" });
  for (const { name } of plan.servers) town.startServer(name);
  const { host, machine } = town.addPhones("fleet", addresses, []);
  for (const [number, address] of addresses.entries()) {
    const place = { address, port: 5060, answer: "auto", number } as const;
    machine.add(simulatedPhone([fleetAccount(plan, number)], place));
  }
  host.run(() => {
    for (const phone of machine.phones) phone.start();
  });
  town.simulation.runUntil(plan.account.redundancy.startSurgeMs + 200_000);
  const registered = machine.phones.filter(
    (phone) => phone.accounts[0]?.registration(1)?.state === "registered",
  );
  assert.equal(registered.length, phones);
  for (const server of town.servers) {
    server.host.restart(new Actor());
    server.machine = new SipServer(server.machine.configuration, purePrimitives(1, 1));
    server.store = new SimulatedStore();
  }
  const grown = settledHeap(collect) - before;
  assert.equal(machine.phones.length, phones);
  return grown;
}

/** With every digest secret computed, as the server will want it. */
function usersOf(plan: FleetPlan): Users {
  const users = new Users(
    Array.from({ length: plan.phones }, (_, number) => {
      const { user, password } = fleetAccount(plan, number);
      return { name: user, password, ha1: {}, voicemail: undefined, groups: [] };
    }),
  );
  for (let number = 0; number < plan.phones; number += 1) {
    const { user } = fleetAccount(plan, number);
    for (const algorithm of ["MD5", "SHA-256"] as const) {
      users.ha1(PURE_HASH, user, plan.domains[0] ?? "", algorithm);
    }
  }
  return users;
}

function settledHeap(collect: () => void): number {
  for (let round = 0; round < 4; round += 1) collect();
  return process.memoryUsage().heapUsed;
}

test("a registered phone costs at most 4.5 kB, its simulated socket and address included", (context) => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  // The first run pays for compiled code; the difference of the next two is what phones cost.
  heapOfPhones(800, collect);
  let each = Number.POSITIVE_INFINITY;
  // Code that is compiled meanwhile counts as well, and only once: the least of three is nearest to the truth.
  for (let round = 0; round < 3 && each > MOST_BYTES; round += 1) {
    const few = heapOfPhones(800, collect);
    each = Math.min(each, (heapOfPhones(3300, collect) - few) / 2500);
  }
  context.diagnostic(`${Math.round(each)} bytes a registered phone`);
  assert.ok(each <= MOST_BYTES, `${Math.round(each)} bytes`);
});

test("a fleet whose servers can do only so much comes back all the same, the longer it takes (R111)", () => {
  const plan = (capacity: number | undefined): FleetPlan =>
    planFleet({ seed: 3, phones: 200, hours: 0.5, capacity, account: undefined });
  assert.match(describePlan(plan(5)).join(), /5 REGISTERs a second/);
  const [free, limited] = [undefined, 5].map((capacity) => {
    const { figures } = runFleet(plan(capacity), NO_ORIGIN);
    assert.equal(figures.registeredAtEnd, 200);
    return figures.outages[0]?.seconds99 ?? Number.POSITIVE_INFINITY;
  }) as [number, number];
  assert.ok(limited >= free && limited < 900, `${limited} s and ${free} s`);
});
