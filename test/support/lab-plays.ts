/** Scenarios played on real processes by the emitted program, several at a time in a block of addresses each. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Blocks } from "../../src/apps/lab/block.ts";
import { loadScenarios } from "../../src/apps/lab/catalogue.ts";
import { type Played, playAll } from "../../src/apps/lab/run.ts";
import { StartGate } from "../../src/apps/lab/start-gate.ts";

export const PROGRAM: string = join(import.meta.dirname, "..", "..", "src", "apps", "cli.js");

/** Resolves with how one scenario, by its name or its file, has gone. */
export type Play = (wanted: string) => Promise<Played | undefined>;

/** Plays stand side by side, and start their processes in turn. @param blocks from which each has its addresses. */
export function player(blocks: Blocks = new Blocks()): Play {
  const gate = new StartGate();
  return async (wanted) => {
    const { scenarios, faults } = loadScenarios(wanted);
    assert.deepEqual(faults, []);
    const [played] = await playAll(scenarios, {
      program: PROGRAM,
      blocks,
      gate,
      jobs: 1,
      keepGoing: false,
      stages: new Set(),
      played: () => undefined,
    });
    return played;
  };
}
