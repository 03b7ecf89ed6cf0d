/**
 * Plays seeds with the engine of a folder of emitted files until one breaks an invariant, and prints what it broke:
 * `swarm-probe FOLDER SEED …`. A process of its own, since a module is loaded but once.
 */
import { pathToFileURL } from "node:url";
import type * as swarm from "../../src/apps/sim/swarm/run.ts";

const [folder = "", ...seeds] = process.argv.slice(2);
const run = pathToFileURL(`${folder}/src/apps/sim/swarm/run.js`).href;
const { runSwarm }: typeof swarm = await import(run);

for (const seed of seeds.map(Number)) {
  const { violations } = runSwarm(seed, { strict: true });
  if (violations.length === 0) continue;
  process.stdout.write(`${JSON.stringify({ seed, violations })}\n`);
  break;
}
