/** Scenarios with programs of others in them, on real processes. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { Blocks } from "../../src/apps/lab/block.ts";
import { loadScenarios } from "../../src/apps/lab/catalogue.ts";
import { playAll } from "../../src/apps/lab/run.ts";
import { needs, type PeerName } from "../support/peers.ts";

const PROGRAM = join(import.meta.dirname, "..", "..", "src", "apps", "cli.js");

const PLAYED: Readonly<Record<string, readonly PeerName[]>> = {
  "kamailio-pair": ["kamailio"],
};

for (const [name, peers] of Object.entries(PLAYED)) {
  test(`${name} passes with real processes`, needs(...peers), async () => {
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
    const ended = played?.records.filter(({ event }) => event === "process.ended") ?? [];
    assert.ok(ended.length > 0);
  });
}

test("the simulator refuses what has programs of others in it, and says why", () => {
  const args = ["sim", "--scenario", "kamailio-pair"];
  const { status, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { encoding: "utf8" });
  assert.equal(status, 2);
  assert.match(stderr, /kamailio-pair\.yaml:1: the scenario has kamailio.*dialtone lab plays it/);
});
