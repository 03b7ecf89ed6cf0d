/** Every scenario of the project, in virtual time: the files that the lab plays with real processes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadScenarios } from "../../src/apps/lab/catalogue.ts";
import { lacksInSimulator, sortOut } from "../../src/apps/scenario/left-out.ts";
import type { Scenario } from "../../src/apps/scenario/scenario.ts";
import { playInSimulator } from "../../src/apps/sim/scenarios.ts";

const SEEDS = [1, 2, 3];

const { scenarios: all, faults } = loadScenarios("all");
const { playable: scenarios, leftOut } = sortOut(all, lacksInSimulator);

test("the scenario files have no fault", () => {
  assert.deepEqual(faults, []);
  assert.ok(scenarios.length > 0);
});

test("only what has programs of others in it is left to real processes, and refused aloud", async () => {
  for (const { scenario, why } of leftOut) {
    assert.match(why, /^has (kamailio|baresip|linphone|sipp)\b.*dialtone lab plays it$/);
    const file = all.find(({ name }) => name === scenario) as Scenario;
    await assert.rejects(playInSimulator(file, 1), new RegExp(`^StageFault: ${scenario} has `));
  }
  assert.ok(leftOut.some(({ scenario }) => scenario === "kamailio-pair"));
});

for (const scenario of scenarios) {
  test(`${scenario.name} passes in the simulator, whatever the seed`, async () => {
    for (const seed of SEEDS) {
      const { verdict } = await playInSimulator(scenario, seed);
      assert.deepEqual(verdict.failures, [], `seed ${seed}`);
    }
  });
}

test("the same scenario with the same seed gives the same records, byte for byte (I9)", async () => {
  for (const scenario of scenarios) {
    const one = await playInSimulator(scenario, 7);
    const other = await playInSimulator(scenario, 7);
    assert.equal(JSON.stringify(one.records), JSON.stringify(other.records), scenario.name);
    assert.equal(one.traceHash, other.traceHash, scenario.name);
  }
});
