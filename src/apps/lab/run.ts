/** Plays scenarios with real processes, a few side by side, each in a block of addresses of its own. */
import { judge } from "../scenario/judge.ts";
import { play } from "../scenario/play.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { type Stage, StageFault } from "../scenario/stage.ts";
import type { Verdict } from "../scenario/verdict.ts";
import type { TraceRecord } from "../trace/record.ts";
import { whatLacks } from "./guests/programs.ts";
import { LabStage, type LabStageOptions } from "./stage.ts";

export interface Played {
  readonly scenario: Scenario;
  readonly verdict: Verdict;
  readonly records: readonly TraceRecord[];
  /** Wall clock at instant 0 of the records, milliseconds since 1970. */
  readonly epochMs: number;
}

/** What was played, without how everybody was sent home. */
export function playedRecords({ records }: Played): readonly TraceRecord[] {
  const isEnd = (record: TraceRecord): boolean =>
    record.event === "moment.reached" && record.name === "end";
  const end = records.find(isEnd)?.at ?? Number.POSITIVE_INFINITY;
  return records.filter((record) => record.at <= end);
}

export interface RunOptions extends Omit<LabStageOptions, "watch"> {
  /** Scenarios played at once. */
  readonly jobs: number;
  /** Go on after one has failed. */
  readonly keepGoing: boolean;
  readonly watch?: (scenario: Scenario, record: TraceRecord) => void;
  /** What the play is played on instead: the stage behind something that can hold it. */
  readonly through?: (stage: Stage) => Stage;
  /** Told of each as it ends. */
  readonly played: (played: Played) => void;
  /** Open stages, so that a signal can close them. */
  readonly stages: Set<LabStage>;
}

/**
 * All that were played, in the order given.
 * @throws StageFault when addresses or programs are missing; the plays under way are closed first.
 */
export async function playAll(
  scenarios: readonly Scenario[],
  options: RunOptions,
): Promise<readonly Played[]> {
  const done = new Map<Scenario, Played>();
  const waiting = [...scenarios];
  let broken = false;
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (broken) return;
      try {
        const played = await playOne(next, options);
        done.set(next, played);
        options.played(played);
        if (!played.verdict.passed && !options.keepGoing) broken = true;
      } catch (error) {
        broken = true;
        throw error;
      }
    }
  };
  const jobs = Array.from({ length: Math.min(options.jobs, scenarios.length) }, work);
  const outcomes = await Promise.allSettled(jobs);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  return scenarios.flatMap((scenario) => done.get(scenario) ?? []);
}

async function playOne(scenario: Scenario, options: RunOptions): Promise<Played> {
  const { watch, through, stages, program, blocks, block, gate } = options;
  const lacks = whatLacks(scenario);
  if (lacks !== undefined) throw new StageFault(`${scenario.name} ${lacks}`);
  const stage = new LabStage({
    program,
    blocks,
    ...(block === undefined ? {} : { block }),
    ...(gate === undefined ? {} : { gate }),
    watch: (record) => watch?.(scenario, record),
  });
  stages.add(stage);
  try {
    const records = await play(scenario, through?.(stage) ?? stage);
    return { scenario, verdict: judge(scenario, records), records, epochMs: stage.epochMs };
  } finally {
    stages.delete(stage);
  }
}
