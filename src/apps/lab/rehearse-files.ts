/** Provisioning files on real sockets: what is foretold of them, and whether the lab measures the same. */
import { mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { readFiles } from "../../api/phone-files.ts";
import { ruleTeller } from "../../api/rule-teller.ts";
import type { SourceFile } from "../../core/provisioning/configuration.ts";
import { readConfiguration } from "../../core/provisioning/read.ts";
import type { AccountPolicy } from "../../core/redundancy/policy.ts";
import { type Grounds, groundsOf } from "../explain/grounds.ts";
import {
  type Prediction,
  periodMs,
  predictionsFor,
  trialPeriodMs,
  victimsOf,
} from "../explain/predict.ts";
import type { FaultName } from "../explain/rehearsal.ts";
import { StageFault } from "../scenario/stage.ts";
import { type FileTown, townOfFiles } from "./file-town.ts";
import { LabStage, type LabStageOptions } from "./stage.ts";
import { type Limits, type Measured, tryOut } from "./trial.ts";

export interface FilesCase {
  /** As they are overlaid. */
  readonly files: readonly SourceFile[];
  /** The account's index; undefined: the first that is enabled. */
  readonly account: number | undefined;
  readonly faults: readonly FaultName[];
  /** Addresses behind the name of the working server, and the TTL of its records, where no static record tells. */
  readonly targets: number;
  readonly ttlSeconds: number;
  /** Rehearsals of each failure. */
  readonly phases: number;
  readonly seed: number;
  /** What is foretold to take longer is not waited for, milliseconds. */
  readonly withinMs: number;
}

export interface FilesOptions extends LabStageOptions {
  /** Open stages, so that a signal can close them. */
  readonly stages: Set<LabStage>;
}

/** One figure of one failure, in milliseconds; Infinity: never. */
export interface Comparison {
  readonly figure: keyof Measured;
  readonly foretold: { readonly least: number; readonly worst: number };
  /** Undefined: nobody waited for it. */
  readonly measured: number | undefined;
  readonly within: boolean;
}

export interface FaultOutcome {
  readonly fault: FaultName;
  readonly victim: string;
  readonly comparisons: readonly Comparison[];
}

/**
 * Real machines are late, never early: timers ring late, processes wait for their turn. What is measured from the start
 * of a step that began late itself can be a little less.
 */
export const EARLY_MS = 300;
export const LATE_MS = 1500;

export const FIGURES: readonly (keyof Measured)[] = [
  "firstCall",
  "nextCall",
  "registered",
  "unreachable",
  "back",
];

/** @throws StageFault for what cannot be had or put up. */
export async function rehearseFiles(
  one: FilesCase,
  options: FilesOptions,
  told: (outcome: FaultOutcome) => void,
): Promise<readonly FaultOutcome[]> {
  const foretold = foretell(one);
  const outcomes: FaultOutcome[] = [];
  const stage = new LabStage(options);
  options.stages.add(stage);
  try {
    const town = townOfFiles(one.files, foretold.grounds);
    await stage.open(town.topology);
    const paths = await moveFiles(stage, town);
    for (const prediction of foretold.predictions) {
      const outcome = await tryFault(stage, town, paths, foretold, prediction, one);
      outcomes.push(outcome);
      told(outcome);
    }
  } finally {
    options.stages.delete(stage);
    await stage.close();
  }
  return outcomes;
}

interface Foretold {
  readonly account: AccountPolicy;
  readonly grounds: Grounds;
  readonly predictions: readonly Prediction[];
}

function foretell(one: FilesCase): Foretold {
  const configuration = readConfiguration(one.files);
  const account = configuration.accounts.find(
    ({ enabled, index }) => enabled && (one.account === undefined || one.account === index),
  );
  if (account === undefined) throw new StageFault("the files have no such account, or it is off");
  const grounds = groundsOf(account, one);
  const [victim] = victimsOf(grounds);
  if (victim === undefined) throw new StageFault("the files name no server");
  const request = { ...one, account, rule: ruleTeller(configuration) };
  return { account, grounds, predictions: predictionsFor(request, grounds, victim, one.faults) };
}

/** The files with addresses of the lab, where the phones can read them. */
async function moveFiles(stage: LabStage, { files }: FileTown): Promise<string[]> {
  const folder = join(stage.folder, "files");
  await mkdir(folder);
  const moved = files.map(({ name, text }, at) => ({
    path: join(folder, `${at}-${basename(name)}`),
    text: stage.filled(text),
  }));
  for (const { path, text } of moved) await writeFile(path, text);
  return moved.map(({ path }) => path);
}

async function tryFault(
  stage: LabStage,
  town: FileTown,
  paths: readonly string[],
  { account, grounds }: Foretold,
  prediction: Prediction,
  { withinMs, phases }: FilesCase,
): Promise<FaultOutcome> {
  const { accounts } = await readFiles(paths);
  const policy = accounts.find(({ index }) => index === account.index) as AccountPolicy;
  const victim = town.servers[0];
  if (victim === undefined) throw new StageFault("the files name no server");
  const { fault } = prediction;
  const limits = limitsOf(prediction, withinMs);
  const measured = await tryOut({ stage, town, policy, paths, victim, fault, limits });
  // Between two phases that were rehearsed lies so much that was not.
  const renewal = periodMs(account) / phases;
  const trial = trialPeriodMs(account, grounds) / phases;
  const step = {
    firstCall: 0,
    nextCall: 0,
    registered: renewal,
    unreachable: renewal,
    back: trial,
  };
  return {
    fault,
    victim: prediction.victim,
    comparisons: FIGURES.map((figure) =>
      compare(figure, prediction[figure], measured[figure], step[figure] / 2),
    ),
  };
}

/** What is foretold as never, or as later than anybody wants to wait, is not waited for. */
function limitsOf(prediction: Prediction, withinMs: number): Limits {
  const limit = (figure: keyof Measured): number | undefined => {
    const { worst } = prediction[figure];
    return worst <= withinMs ? worst + 2 * LATE_MS + withinMs : undefined;
  };
  return {
    firstCall: limit("firstCall"),
    nextCall: limit("nextCall"),
    registered: limit("registered"),
    unreachable: limit("unreachable"),
    back: limit("back"),
  };
}

function compare(
  figure: keyof Measured,
  { least, worst }: { readonly least: number; readonly worst: number },
  measured: number | undefined,
  stepMs: number,
): Comparison {
  const within =
    measured === undefined ||
    (measured >= least - stepMs - EARLY_MS && measured <= worst + stepMs + LATE_MS);
  return { figure, foretold: { least, worst }, measured, within };
}
