/** Provisioning files on real sockets: what is foretold of them, and whether the lab measures the same. */
import { mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { readFiles } from "../../api/phone-files.ts";
import type { AccountPolicy } from "../../core/redundancy/policy.ts";
import { type Prediction, periodMs } from "../explain/predict.ts";
import type { FaultName } from "../explain/rehearsal.ts";
import { StageFault } from "../scenario/stage.ts";
import { type FileTown, townOfFiles } from "./file-town.ts";
import { type FilesCase, Foretold, type Homecomings } from "./foretold.ts";
import { triedUntilFair, type Withheld } from "./machine-watch.ts";
import { LabStage, type LabStageOptions } from "./stage.ts";
import { type Limits, type Measured, tryOut } from "./trial.ts";

export interface FilesOptions extends LabStageOptions {
  /** Open stages, so that a signal can close them. */
  readonly stages: Set<LabStage>;
  /** Told of each failure that will be tried again, since the machine withheld processors meanwhile. */
  readonly spoilt?: (outcome: FaultOutcome, withheld: Withheld) => void;
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
/** By then the answer to a keep-alive is there. */
const KEPT_ALIVE_MS = 1000;
/** Each failure more doubles what is waited for (RFC 5626 §4.5), and a long absence has two of them. */
const BACK_OFF_GROWTH = 4;

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
  const foretold = new Foretold(one);
  const outcomes: FaultOutcome[] = [];
  const stage = new LabStage(options);
  options.stages.add(stage);
  try {
    const town = townOfFiles(one.files, foretold.grounds);
    await stage.open(town.topology);
    const paths = await moveFiles(stage, town);
    for (const prediction of foretold.predictions) {
      const trial = { stage, town, paths, foretold, prediction };
      const outcome = await triedUntilFair(
        () => tryFault(trial, one.withinMs),
        ({ comparisons }) => comparisons.every(({ within }) => within),
        (spoilt, withheld) => options.spoilt?.(spoilt, withheld),
      );
      outcomes.push(outcome);
      told(outcome);
    }
  } finally {
    options.stages.delete(stage);
    await stage.close();
  }
  return outcomes;
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

interface Trial {
  readonly stage: LabStage;
  readonly town: FileTown;
  readonly paths: readonly string[];
  readonly foretold: Foretold;
  readonly prediction: Prediction;
}

async function tryFault(
  { stage, town, paths, foretold, prediction }: Trial,
  withinMs: number,
): Promise<FaultOutcome> {
  const { account, phases } = foretold;
  const { accounts } = await readFiles(paths);
  const policy = accounts.find(({ index }) => index === account.index) as AccountPolicy;
  const victim = town.servers[0];
  if (victim === undefined) throw new StageFault("the files name no server");
  const { fault } = prediction;
  const limits = limitsOf(prediction, withinMs);
  const settleMs = settleMsOf(prediction, account);
  const measured = await tryOut({ stage, town, policy, paths, victim, fault, limits, settleMs });
  // Between two phases that were rehearsed lies so much that was not.
  const renewal = periodMs(account) / phases;
  const gaps = { firstCall: 0, nextCall: 0, registered: renewal, unreachable: renewal, back: 0 };
  const comparisons = FIGURES.map((figure) =>
    compare(figure, prediction[figure], measured[figure], gaps[figure] / 2),
  );
  if (measured.back !== undefined) {
    // Of the way home the absence decides, and that is known only now.
    const judged = (back: Homecomings): Comparison =>
      compare("back", back, measured.back, back.gap / 2);
    const back = await foretold.back(fault, measured.away, (some) => judged(some).within);
    comparisons[FIGURES.indexOf("back")] = judged(back);
  }
  return { fault, victim: prediction.victim, comparisons };
}

/** Where silence is to be noticed by the phone itself, as in the rehearsal: its connection has answered keep-alives. */
function settleMsOf({ fault, registered }: Prediction, { redundancy }: AccountPolicy): number {
  const noticed = fault === "silent" && registered.worst > LATE_MS && redundancy.keepAliveMs > 0;
  return noticed ? redundancy.keepAliveMs + KEPT_ALIVE_MS : 0;
}

/** What is foretold as never, or as later than anybody wants to wait, is not waited for. */
function limitsOf(prediction: Prediction, withinMs: number): Limits {
  const limit = (figure: keyof Measured, times = 1): number | undefined => {
    const { worst } = prediction[figure];
    return worst <= withinMs ? times * worst + 2 * LATE_MS + withinMs : undefined;
  };
  return {
    firstCall: limit("firstCall"),
    nextCall: limit("nextCall"),
    registered: limit("registered"),
    unreachable: limit("unreachable"),
    // A server that took longer to start than was rehearsed is looked for after a longer back-off.
    back: limit("back", BACK_OFF_GROWTH),
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
