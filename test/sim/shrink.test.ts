/** A seed that breaks a promise shrinks to a short scenario, which shows the fault and nothing but it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { readScenario } from "../../src/apps/scenario/read-scenario.ts";
import { Mutant } from "../support/mutant.ts";
import { MUTATIONS } from "./mutations.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");

const mutant = new Mutant();
after(() => mutant.remove());

function sim(folder: string, ...flags: string[]): { status: number | null; told: string } {
  const command = [join(folder, "dist", "src", "apps", "cli.js"), "sim", ...flags];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
  return { status, told: stdout + stderr };
}

/** With the number of entries of `play`: starts, marks, what befalls it, the end. */
for (const [breaks, most] of [
  ["a binding is renewed before it runs out", 8],
  ["a stopped phone takes its bindings with it", 8],
  ["below the first server that is probed", 8],
  ["the end of a call reaches a server that wants to be left alone", 12],
] as const) {
  test(`where it is no longer true that ${breaks}, a seed shrinks to a scenario that shows it`, () => {
    const mutation = MUTATIONS.find((one) => one.breaks === breaks);
    assert.ok(mutation);
    const file = join(mutant.folder, "shrunk.yaml");
    const seed = String(mutation.seed);
    mutant.breaking(mutation, () => {
      const { status, told } = sim(mutant.folder, "--shrink", seed, "--write", file);
      assert.equal(status, 1, told);
      assert.match(told, new RegExp(`^${mutation.caughtBy}: `, "m"));
      assert.match(told, /shows the fault$/m);
      assert.equal(sim(mutant.folder, "--scenario", file, "--seed", "1").status, 1);
    });
    const { scenario, faults } = readScenario(file, readFileSync(file, "utf8"));
    assert.deepEqual(faults, []);
    assert.ok(scenario !== undefined && scenario.steps.length <= most);
    const sound = sim(ROOT, "--scenario", file, "--seed", "1");
    assert.equal(sound.status, 0, sound.told);
  });
}

test("a seed that breaks nothing is said to, and nothing is written", () => {
  const { status, told } = sim(ROOT, "--shrink", "1");
  assert.equal(status, 0);
  assert.equal(told, "seed 1 breaks no invariant\n");
});
