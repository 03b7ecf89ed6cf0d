/**
 * The swarm: small towns drawn from seeds, a storm of faults, then health. The invariants I1 to I10 hold throughout,
 * and each run is the same when it is played again (I9).
 */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { runSwarm, type SwarmOutcome } from "../../src/apps/sim/swarm/run.ts";
import { FAILED_SEEDS, FIXED_SEEDS } from "./seeds.ts";

const FRESH = 6;

function played(seed: number): SwarmOutcome {
  const outcome = runSwarm(seed);
  assert.deepEqual(outcome.violations, [], `seed ${seed}: dialtone sim --swarm ${seed} shows it`);
  return outcome;
}

test("fixed seeds: no invariant is broken, and every run is the same again (I9)", () => {
  for (const seed of FIXED_SEEDS) {
    const outcome = played(seed);
    assert.equal(runSwarm(seed).traceHash, outcome.traceHash, `seed ${seed} gives two traces`);
  }
});

test("seeds that failed once do so no more", () => {
  for (const seed of FAILED_SEEDS) played(seed);
});

test("fresh seeds: no invariant is broken, and every run is the same again (I9)", (context) => {
  const most = 2 ** 32;
  const seeds = Array.from({ length: FRESH }, (_, at) => randomInt(((at % 4) * most) / 4, most));
  context.diagnostic(`fresh seeds: ${seeds.join(" ")}`);
  for (const seed of seeds) {
    const outcome = played(seed);
    assert.equal(runSwarm(seed).traceHash, outcome.traceHash, `seed ${seed} gives two traces`);
  }
});
