/** What `dialtone explain` foretells of provisioning files, measured with real processes on real sockets. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Blocks } from "../../src/apps/lab/block.ts";
import { type Withheld, withheldText } from "../../src/apps/lab/machine-watch.ts";
import {
  type Comparison,
  type FaultOutcome,
  rehearseFiles,
} from "../../src/apps/lab/rehearse-files.ts";
import type { LabStage } from "../../src/apps/lab/stage.ts";
import { StartGate } from "../../src/apps/lab/start-gate.ts";
import { CASES } from "./lab-files.ts";

const PROGRAM = join(import.meta.dirname, "..", "..", "src", "apps", "cli.js");
/** Away from those that other labs take, and from the households, of which the last is 75. */
const blocks = new Blocks(80);
const gate = new StartGate();

function told({ fault, victim, comparisons }: FaultOutcome): string[] {
  return comparisons
    .filter(({ within }) => !within)
    .map(({ figure, foretold, measured }: Comparison) => {
      const span = `${foretold.least}..${foretold.worst} ms`;
      return `${victim} ${fault}: ${figure} ${measured} ms, foretold ${span}`;
    });
}

describe("outages on real sockets lie within what explain foretells", { concurrency: true }, () => {
  for (const { name, files } of CASES) {
    test(name, async (t) => {
      const stages = new Set<LabStage>();
      const spoilt = (outcome: FaultOutcome, withheld: Withheld): void =>
        t.diagnostic(`${told(outcome).join(", ")}: ${withheldText(withheld)}: tried again`);
      const options = { program: PROGRAM, blocks, gate, stages, spoilt };
      const outcomes = await rehearseFiles(files, options, () => undefined);
      assert.equal(stages.size, 0);
      assert.equal(outcomes.length, files.faults.length);
      assert.deepEqual(outcomes.flatMap(told), []);
      const calls = outcomes.flatMap(({ comparisons }) =>
        comparisons.filter(({ figure, measured }) => figure === "firstCall" && measured! >= 0),
      );
      assert.equal(calls.length, outcomes.length, "each failure was called into");
    });
  }
});
