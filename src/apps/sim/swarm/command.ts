/** `dialtone sim --swarm N` and `--seeds FROM..TO`: small towns from seeds, each held to the invariants. */
import { EXIT } from "../../exit.ts";
import { runSwarm, type SwarmOutcome } from "./run.ts";

/** Both included. */
export interface SeedRange {
  readonly from: number;
  readonly to: number;
}

export interface SwarmFlags extends SeedRange {
  readonly json: boolean;
  /** Tells of runs that broke something, and now and then how far it has come: for long ranges. */
  readonly brief: boolean;
  /** See SwarmWatch. */
  readonly strict: boolean;
}

/** Runs between two words about how far it has come. */
const STRETCH = 1000;

export function simulateSwarm({ from, to, json, brief, strict }: SwarmFlags): void {
  const say = (line: string): unknown => process.stdout.write(`${line}\n`);
  if (!json) say(`seeds ${from} to ${to}`);
  let broken = 0;
  for (let seed = from; seed <= to; seed += 1) {
    const outcome = runSwarm(seed, { strict });
    const held = outcome.violations.length === 0;
    if (!held) broken += 1;
    if (!brief || !held) {
      if (json) say(JSON.stringify(recordOf(outcome)));
      else for (const line of linesOf(outcome)) say(line);
    }
    const done = seed - from + 1;
    if (brief && !json && done % STRETCH === 0) say(`${done} runs, ${broken} broken`);
  }
  const runs = to - from + 1;
  if (!json) say(`${runs - broken} of ${runs} runs broke no invariant`);
  process.exitCode = broken === 0 ? EXIT.ok : EXIT.failed;
}

function recordOf({ plan, violations, traceHash, steps, lastedMs }: SwarmOutcome): object {
  const { seed, dialect } = plan;
  const event = violations.length === 0 ? "swarm.held" : "swarm.broken";
  const time = new Date(lastedMs).toISOString();
  return { at: lastedMs, time, node: "sim", event, seed, dialect, steps, traceHash, violations };
}

function linesOf({ plan, violations, steps, lastedMs }: SwarmOutcome): string[] {
  const { seed, dialect, servers, accounts, phones, faults, calls, sharedLocation } = plan;
  const location = sharedLocation ? "one location" : "locations of their own";
  const registration = accounts[0]?.redundancy.registration;
  const owners = new Set(phones).size;
  const shared = owners < accounts.length ? `${accounts.length} accounts on ` : "";
  const drawn = `${dialect}, ${registration}, ${shared}${owners} phones, ${servers.length} servers with ${location}, ${faults.length} faults, ${calls.length} calls`;
  const outcome = violations.length === 0 ? "held" : "broken";
  return [
    `${seed} ${outcome}: ${drawn}; ${Math.round(lastedMs / 1000)} s in ${steps} steps`,
    ...violations.map(
      ({ invariant, at, node, what }) =>
        `  ${invariant} at ${(at / 1000).toFixed(3)} s, ${node}: ${what}`,
    ),
  ];
}
