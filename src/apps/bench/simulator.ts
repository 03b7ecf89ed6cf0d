/** What the simulator does in a second, and the memory that a whole fleet takes with its servers: `dialtone sim` itself. */
import { join } from "node:path";
import type { FleetCost } from "../sim/fleet/cost.ts";
import type { Crew } from "./crew.ts";
import type { Outcome, Unit } from "./report.ts";

const PROGRAM = join(import.meta.dirname, "..", "cli.js");
const SEED = 7;
const RATE: Unit = { key: "eventsPerSecond", words: "protocol events a second of CPU time" };
const BYTES: Unit = { key: "bytes", words: "bytes at the most" };

/** @param phones of the fleet; @param hours that it lives. */
export async function* benchSimulator(
  crew: Crew,
  runs: number,
  phones: number,
  hours: number,
): AsyncGenerator<Outcome> {
  const costs: FleetCost[] = [];
  const args = ["sim", "--seed", SEED, "--phones", phones, "--hours", hours, "--json"].map(String);
  for (let run = 0; run < runs; run += 1) {
    const said = await crew.run(0, { program: process.execPath, args: [PROGRAM, ...args] });
    const finished = said.trimEnd().split("\n").at(-1) ?? "";
    costs.push((JSON.parse(finished) as { cost: FleetCost }).cost);
  }
  const what = `a fleet of ${phones} phones for ${hours} h, seed ${SEED}`;
  const told = { bench: "simulator", what, others: [], notes: [] };
  const figures = (of: (cost: FleetCost) => number): Outcome["ours"] => {
    return { name: "dialtone", runs: costs.map(of) };
  };
  yield { ...told, unit: RATE, ours: figures((cost) => cost.eventsPerSecond) };
  yield { ...told, unit: BYTES, ours: figures((cost) => cost.peakBytes) };
}
