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
import { MUTATIONS_OF_WAYS } from "./mutations-of-ways.ts";

const PROBE = join(import.meta.dirname, "..", "support", "swarm-probe.js");
const LEAST = 25;
const ALL = [...MUTATIONS, ...MUTATIONS_OF_WAYS];

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
  assert.ok(ALL.length >= LEAST);
  assert.equal(new Set(ALL.map(({ breaks }) => breaks)).size, ALL.length);
});

test("with no rule broken their seeds break nothing", () => {
  assert.deepEqual(brokenBy([...new Set(ALL.map(({ seed }) => seed))]), []);
});

for (const mutation of ALL) {
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
