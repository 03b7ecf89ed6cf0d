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
  const figures: [phone: number, all: number][] = [];
  const args = ["--expose-gc", `--max-old-space-size=${HEAP_MB}`, PROGRAM, `${phones}`];
  for (let run = 0; run < runs; run += 1) {
    const said = await crew.run(0, { program: process.execPath, args });
    const [phone = Number.NaN, all = Number.NaN] = said.split(" ").map(Number);
    figures.push([phone, all]);
  }
  const what = `${phones} registered phones of the simulator, their sockets and addresses included`;
  const told = { bench: "memory", unit: BYTES, others: [], notes: [] };
  yield { ...told, what, ours: { name: "dialtone", runs: figures.map(([phone]) => phone) } };
  const known = `${what}, and what their servers know of them`;
  yield { ...told, what: known, ours: { name: "dialtone", runs: figures.map(([, all]) => all) } };
}
