/** Every scenario of the project, in virtual time: the files that the lab plays with real processes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadScenarios } from "../../src/apps/lab/catalogue.ts";
import { playInSimulator } from "../../src/apps/sim/scenarios.ts";

const SEEDS = [1, 2, 3];

const { scenarios, faults } = loadScenarios("all");

test("the scenario files have no fault", () => {
  assert.deepEqual(faults, []);
  assert.ok(scenarios.length > 0);
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
