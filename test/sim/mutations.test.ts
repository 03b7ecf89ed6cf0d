/**
 * The invariants are not blind: an engine with any one of its rules broken is caught by the swarm. Each mutation is
 * made in a copy of the emitted files and played in a process of its own.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Violation } from "../../src/worlds/sim/invariants/invariant.ts";
import { Mutant } from "../support/mutant.ts";
import { MUTATIONS } from "./mutations.ts";

const PROBE = join(import.meta.dirname, "..", "support", "swarm-probe.js");
const LEAST = 25;

const mutant = new Mutant();
after(() => mutant.remove());

/** What the first of these seeds that breaks anything breaks; nothing if none does. */
function brokenBy(seeds: readonly number[]): readonly Violation[] {
  const command = [PROBE, mutant.dist, ...seeds.map(String)];
  const told = execFileSync(process.execPath, command, { encoding: "utf8" });
  if (told === "") return [];
  const { violations }: { violations: readonly Violation[] } = JSON.parse(told);
  return violations;
}

test(`at least ${LEAST} rules are broken on purpose, each once`, () => {
  assert.ok(MUTATIONS.length >= LEAST);
  assert.equal(new Set(MUTATIONS.map(({ breaks }) => breaks)).size, MUTATIONS.length);
});

test("with no rule broken their seeds break nothing", () => {
  assert.deepEqual(brokenBy([...new Set(MUTATIONS.map(({ seed }) => seed))]), []);
});

for (const mutation of MUTATIONS) {
  const { breaks, caughtBy, seed } = mutation;
  test(`${caughtBy} notices when it is no longer true that ${breaks}`, () => {
    mutant.breaking(mutation, () => {
      const noticed = brokenBy([seed]).map(({ invariant }) => invariant);
      assert.ok(
        noticed.includes(caughtBy),
        `seed ${seed} breaks ${noticed.join(" ") || "nothing"}`,
      );
    });
  });
}
