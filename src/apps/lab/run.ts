/** Plays scenarios with real processes, a few side by side, each in a block of addresses of its own. */
import { judge } from "../scenario/judge.ts";
import { play } from "../scenario/play.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { type Stage, StageFault } from "../scenario/stage.ts";
import type { Verdict } from "../scenario/verdict.ts";
import type { TraceRecord } from "../trace/record.ts";
import { whatLacks } from "./guests/programs.ts";
import { type MachineWatch, MOST_TRIES, type Withheld, watched } from "./machine-watch.ts";
import { LabStage, type LabStageOptions } from "./stage.ts";

/** A play that failed while the machine withheld processors from it: it says nothing, and was played again. */
export interface Spoilt {
  readonly verdict: Verdict;
  readonly withheld: Withheld;
}

export interface Played {
  readonly scenario: Scenario;
  readonly verdict: Verdict;
  readonly records: readonly TraceRecord[];
  /** Wall clock at instant 0 of the records, milliseconds since 1970. */
  readonly epochMs: number;
  /** The plays of it before this one, where there were any. */
  readonly spoilt?: readonly Spoilt[];
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
  /** Told of each play that will be played again. */
  readonly spoilt?: (spoilt: Spoilt) => void;
  /** Open stages, so that a signal can close them. */
  readonly stages: Set<LabStage>;
  /** Plays of one scenario at most (3). */
  readonly plays?: number;
  /** Begun with each play; the machine as it is, unless told. */
  readonly watchMachine?: () => Pick<MachineWatch, "end">;
}

/**
 * All that were played, in the order given. What failed while the machine withheld processors is played again when
 * the others are through, alone, so that no other play is to blame.
 * @throws StageFault when addresses or programs are missing; the plays under way are closed first.
 */
export async function playAll(
  scenarios: readonly Scenario[],
  options: RunOptions,
): Promise<readonly Played[]> {
  const done = new Map<Scenario, Played>();
  const doubtful: Doubtful[] = [];
  const waiting = [...scenarios];
  let broken = false;
  const end = (played: Played): void => {
    done.set(played.scenario, played);
    options.played(played);
    if (!played.verdict.passed && !options.keepGoing) broken = true;
  };
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (broken) return;
      try {
        const [played, withheld] = await playWatched(next, options);
        if (withheld === undefined) end(played);
        else doubtful.push({ played, withheld });
      } catch (error) {
        broken = true;
        throw error;
      }
    }
  };
  const jobs = Array.from({ length: Math.min(options.jobs, scenarios.length) }, work);
  const outcomes = await Promise.allSettled(jobs);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  for (const one of doubtful) end(broken ? one.played : await playAgain(one, options));
  return scenarios.flatMap((scenario) => done.get(scenario) ?? []);
}

/** It failed while the machine withheld processors. */
interface Doubtful {
  readonly played: Played;
  readonly withheld: Withheld;
}

/** Until it passes, or fails while the machine was there for it. */
async function playAgain(first: Doubtful, options: RunOptions): Promise<Played> {
  const { plays = MOST_TRIES } = options;
  let { played, withheld }: { played: Played; withheld: Withheld | undefined } = first;
  const spoilt: Spoilt[] = [];
  while (withheld !== undefined && spoilt.length + 1 < plays) {
    const one: Spoilt = { verdict: played.verdict, withheld };
    spoilt.push(one);
    options.spoilt?.(one);
    [played, withheld] = await playWatched(played.scenario, options);
  }
  return spoilt.length === 0 ? played : { ...played, spoilt };
}

/** Resolves also with what was withheld from a play that failed. */
async function playWatched(
  scenario: Scenario,
  options: RunOptions,
): Promise<readonly [Played, Withheld | undefined]> {
  const once = (): Promise<Played> => playOne(scenario, options);
  const [played, withheld] = await watched(once, options.watchMachine);
  return [played, played.verdict.passed ? undefined : withheld];
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
