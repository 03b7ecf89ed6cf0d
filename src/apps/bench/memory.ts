/** Bytes that a registered phone takes in the simulator: what decides how large a fleet one process can play. */
import { join } from "node:path";
import type { Crew } from "./crew.ts";
import type { Outcome, Unit } from "./report.ts";

const PROGRAM = join(import.meta.dirname, "memory-program.js");
/** Enough for a million phones. */
const HEAP_MB = 8_000;
const BYTES: Unit = { key: "bytes", words: "bytes of heap each" };

/** @param phones registered at a time. */
export async function* benchMemory(
  crew: Crew,
  runs: number,
  phones: number,
): AsyncGenerator<Outcome> {
  const figures: number[] = [];
  const args = ["--expose-gc", `--max-old-space-size=${HEAP_MB}`, PROGRAM, `${phones}`];
  for (let run = 0; run < runs; run += 1) {
    figures.push(Number(await crew.run(0, { program: process.execPath, args })));
  }
  const what = `${phones} registered phones of the simulator, their sockets and addresses included`;
  const ours = { name: "dialtone", runs: figures };
  yield { bench: "memory", what, unit: BYTES, ours, others: [], notes: [] };
}
