/** `dialtone sim --phones N --hours H`: what was drawn first, progress while it runs, then the figures. */
import { ruleTeller } from "../../../api/rule-teller.ts";
import type { AccountPolicy } from "../../../core/redundancy/policy.ts";
import { EXIT, exitWith } from "../../exit.ts";
import { hasHeap, runWithHeap } from "../../large-heap.ts";
import { loadConfiguration } from "../../phone-options.ts";
import { NO_ORIGIN, type RuleTeller } from "../phone-config.ts";
import { EPOCH_MS } from "../town.ts";
import { costLine } from "./cost.ts";
import { figureLines } from "./figures.ts";
import { describePlan, minutes, planFleet } from "./plan.ts";
import { writeFleetReport } from "./report.ts";
import { type FleetProgress, runFleet } from "./run.ts";

export interface FleetFlags {
  readonly seed: number;
  readonly phones: number;
  readonly hours: number;
  readonly capacity: number | undefined;
  readonly calls: number | undefined;
  readonly calm: boolean | undefined;
  readonly config: readonly string[];
  readonly report: string | undefined;
  readonly json: boolean;
  readonly trace: boolean;
}

/** Heap for the simulator itself, and for a phone with what its servers know of it while all of them move. */
const FIRST_MEGABYTES = 256;
const MEGABYTES_EACH = 0.008;
/** From so many phones on their memory counts for more than the time that it takes to collect it. */
const MANY_PHONES = 400_000;

export async function simulateFleet(flags: FleetFlags): Promise<void> {
  const { seed, phones, hours, capacity, calls, calm, json } = flags;
  const heap = FIRST_MEGABYTES + Math.ceil(phones * MEGABYTES_EACH);
  if (!hasHeap(heap, phones >= MANY_PHONES)) return runWithHeap(heap);
  const { account, rule } = await configured(flags.config);
  const plan = planFleet({ seed, phones, hours, capacity, calls, calm, account });
  const drawn = describePlan(plan);
  const say = (line: string): unknown => process.stdout.write(`${line}\n`);
  const tell = (at: number, event: string, fields: object): unknown =>
    say(JSON.stringify({ at, time: timeOf(at), node: "sim", event, ...fields }));
  if (json) tell(0, "fleet.drawn", { seed, phones, hours, drawn });
  else for (const line of [`seed ${seed}`, ...drawn]) say(line);
  const progress = (now: FleetProgress): unknown => {
    const { atMs, served, placed, lost } = now;
    if (json) return tell(atMs, "fleet.progressed", { served, phones, placed, lost });
    return say(`${minutes(atMs)}: ${served} of ${phones} served, ${lost} of ${placed} calls lost`);
  };
  const run = runFleet(plan, rule, {
    progress,
    ...(flags.trace
      ? {
          event: ({ at, node, event, ...fields }) =>
            say(JSON.stringify({ at, time: timeOf(at), node, event, ...fields })),
        }
      : {}),
  });
  if (json) tell(plan.lastsMs, "fleet.finished", { ...run.figures, cost: run.cost });
  else {
    for (const line of figureLines(run.figures)) say(line);
    say(costLine(run.figures.events, run.cost));
  }
  if (flags.report !== undefined) await writeFleetReport(flags.report, plan, run);
}

/** The first enabled account of the files; every fault at once, exit 2. */
async function configured(paths: readonly string[]): Promise<{
  account: AccountPolicy | undefined;
  rule: RuleTeller;
}> {
  if (paths.length === 0) return { account: undefined, rule: NO_ORIGIN };
  const configuration = await loadConfiguration(paths);
  const account = configuration.accounts.find(({ enabled }) => enabled);
  if (account === undefined) {
    exitWith(EXIT.wrongInput, `${paths[0]}:1: account: none is enabled; enable one`);
  }
  return { account, rule: ruleTeller(configuration) };
}

function timeOf(at: number): string {
  return new Date(EPOCH_MS + at).toISOString();
}
