/** `dialtone sim --swarm N`: so many small towns from as many seeds, each held to the invariants. */
import { EXIT } from "../../exit.ts";
import { runSwarm, type SwarmOutcome } from "./run.ts";

export interface SwarmFlags {
  /** The first seed; the others follow it. */
  readonly seed: number;
  readonly runs: number;
  readonly json: boolean;
}

export function simulateSwarm({ seed, runs, json }: SwarmFlags): void {
  const say = (line: string): unknown => process.stdout.write(`${line}\n`);
  if (!json) say(`seeds ${seed} to ${seed + runs - 1}`);
  let broken = 0;
  for (let next = seed; next < seed + runs; next += 1) {
    const outcome = runSwarm(next);
    if (outcome.violations.length > 0) broken += 1;
    if (json) say(JSON.stringify(recordOf(outcome)));
    else for (const line of linesOf(outcome)) say(line);
  }
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
  const { seed, dialect, servers, accounts, faults, calls, sharedLocation } = plan;
  const location = sharedLocation ? "one location" : "locations of their own";
  const registration = accounts[0]?.redundancy.registration;
  const drawn = `${dialect}, ${registration}, ${accounts.length} phones, ${servers.length} servers with ${location}, ${faults.length} faults, ${calls.length} calls`;
  const outcome = violations.length === 0 ? "held" : "broken";
  return [
    `${seed} ${outcome}: ${drawn}; ${Math.round(lastedMs / 1000)} s in ${steps} steps`,
    ...violations.map(
      ({ invariant, at, node, what }) =>
        `  ${invariant} at ${(at / 1000).toFixed(3)} s, ${node}: ${what}`,
    ),
  ];
}
