/**
 * Scenarios on real processes: those whose faults only real sockets and real certificates can show to work, and the one
 * in which all that phones subscribe to and publish moves and returns.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { Blocks } from "../../src/apps/lab/block.ts";
import { loadScenarios } from "../../src/apps/lab/catalogue.ts";
import { playAll } from "../../src/apps/lab/run.ts";

const PROGRAM = join(import.meta.dirname, "..", "..", "src", "apps", "cli.js");

for (const name of [
  "connection-reset",
  "certificate-expired",
  "clock-skew",
  "subscriptions-follow",
]) {
  test(`${name} passes with real processes`, async () => {
    const { scenarios, faults } = loadScenarios(name);
    assert.deepEqual(faults, []);
    const [played] = await playAll(scenarios, {
      program: PROGRAM,
      blocks: new Blocks(),
      jobs: 1,
      keepGoing: false,
      stages: new Set(),
      played: () => undefined,
    });
    assert.deepEqual(played?.verdict.failures, []);
  });
}
