/** Servers and phones under a peer that sends anything (docs/limits.md); `scripts/fuzz.mjs` has the long run. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type SubjectName, tryMachine } from "./subjects.ts";

const STEPS = 1_500;

for (const name of ["guarded server", "open server", "phone"] as SubjectName[]) {
  for (const seed of [1, 2, 3, 4]) {
    test(`${name}, seed ${seed}: ${STEPS} happenings raise nothing, leave nothing and give no secret away`, () => {
      const [heard, said] = tryMachine(name, seed, STEPS);
      assert.ok(heard > 100_000 && said > 0, `${heard} bytes heard, ${said} said`);
    });
  }
}
