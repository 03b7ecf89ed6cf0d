/** Scenario files in virtual time: the same files, the same judge, and a hash that two equal runs share. */
import { judge } from "../scenario/judge.ts";
import { lacksInSimulator } from "../scenario/left-out.ts";
import { play } from "../scenario/play.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { StageFault } from "../scenario/stage.ts";
import type { Verdict } from "../scenario/verdict.ts";
import type { TraceRecord } from "../trace/record.ts";
import { SimStage } from "./stage.ts";
import { EPOCH_MS } from "./town.ts";

export interface PlayedInSimulator {
  readonly scenario: Scenario;
  readonly verdict: Verdict;
  readonly records: readonly TraceRecord[];
  /** Instant 0 of the records, milliseconds since 1970. */
  readonly epochMs: number;
  readonly traceHash: number;
}

/** @throws StageFault when a zone or a phone's files are wrong, or somebody is there who is not ours. */
export async function playInSimulator(
  scenario: Scenario,
  seed: number,
  watch?: (record: TraceRecord) => void,
): Promise<PlayedInSimulator> {
  const lacks = lacksInSimulator(scenario);
  if (lacks !== undefined) throw new StageFault(`${scenario.name} ${lacks}`);
  const stage = new SimStage({ seed, ...(watch === undefined ? {} : { watch }) });
  const records = await play(scenario, stage);
  const verdict = judge(scenario, records);
  return { scenario, verdict, records, epochMs: EPOCH_MS, traceHash: stage.traceHash };
}
