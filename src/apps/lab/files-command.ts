/** `dialtone lab --config`: what is foretold of provisioning files beside what the lab measures. docs/lab.md. */

import { readSource } from "../../worlds/node/source-file.ts";
import { EXIT, exitWith } from "../exit.ts";
import type { FaultName } from "../explain/rehearsal.ts";
import { loadConfiguration, nobody } from "../phone-options.ts";
import { type Withheld, withheldText } from "./machine-watch.ts";
import {
  type Comparison,
  type FaultOutcome,
  type FilesOptions,
  rehearseFiles,
} from "./rehearse-files.ts";
import type { Measured } from "./trial.ts";

export interface FilesFlags {
  readonly config: readonly string[];
  readonly account?: number;
  readonly fault: readonly FaultName[];
  /** Seconds. */
  readonly within: number;
  readonly targets: number;
  readonly ttl: number;
  readonly json?: boolean;
}

/** Rehearsals of each failure, spread over one renewal. */
const PHASES = 10;
const SEED = 1;

const WORDS: Readonly<Record<keyof Measured, string>> = {
  firstCall: "the next call is answered after",
  nextCall: "the one after it",
  registered: "registered again after",
  unreachable: "calls to it do not reach it for",
  back: "once it is back, requests go there after",
};
const FAULT_WORDS: Readonly<Record<FaultName, string>> = {
  closed: "was killed",
  silent: "was frozen",
  "503": "answered 503 to everything",
};
const LABEL_WIDTH = 46;
const FIGURE_WIDTH = 18;

/**
 * Whether every figure that was measured lies within what was foretold. Faults of the files end the process with
 * status 2.
 * @throws StageFault for what cannot be had.
 */
export async function measureFiles(flags: FilesFlags, options: FilesOptions): Promise<boolean> {
  const started = performance.now();
  const configuration = await loadConfiguration(flags.config);
  const { accounts } = configuration;
  if (!accounts.some((one) => one.enabled && one.index === (flags.account ?? one.index))) {
    exitWith(EXIT.wrongInput, nobody(flags, configuration));
  }
  const files = await Promise.all(
    flags.config.map(async (name) => ({ name, text: await readSource(name) })),
  );
  const { account, fault: faults, targets, ttl: ttlSeconds, within } = flags;
  const fixed = { phases: PHASES, seed: SEED, withinMs: within * 1000 };
  const one = { files, account, faults, targets, ttlSeconds, ...fixed };
  const spoilt = (outcome: FaultOutcome, withheld: Withheld): void => {
    const lines = [...outcomeLines(outcome), `${withheldText(withheld)}: tried again`];
    process.stderr.write(`${lines.join("\n")}\n`);
  };
  const outcomes = await rehearseFiles(one, { ...options, spoilt }, (outcome) => {
    const at = Math.round(performance.now() - started);
    const lines = flags.json === true ? jsonLines(outcome, at) : outcomeLines(outcome);
    for (const line of lines) process.stdout.write(`${line}\n`);
  });
  return outcomes.every(({ comparisons }) => comparisons.every((figure) => figure.within));
}

function outcomeLines({ victim, fault, comparisons }: FaultOutcome): string[] {
  const heads = ["foretold", "measured"].map((word) => word.padStart(FIGURE_WIDTH)).join("");
  return [
    `${`When ${victim} ${FAULT_WORDS[fault]}:`.padEnd(LABEL_WIDTH + 2)}${heads}`,
    ...comparisons.map(comparisonLine),
    "",
  ];
}

function comparisonLine({ figure, foretold, measured, within }: Comparison): string {
  const span = `${seconds(foretold.least).replace(" s", "")}..${seconds(foretold.worst)}`.padStart(
    FIGURE_WIDTH,
  );
  const seen = (measured === undefined ? "not waited for" : seconds(measured)).padStart(
    FIGURE_WIDTH,
  );
  return `  ${WORDS[figure].padEnd(LABEL_WIDTH)}${span}${seen}${within ? "" : "  NOT AS FORETOLD"}`;
}

function jsonLines({ victim, fault, comparisons }: FaultOutcome, at: number): string[] {
  const time = new Date().toISOString();
  return comparisons.map(({ figure, foretold, measured, within }) =>
    JSON.stringify({
      at,
      time,
      node: "lab",
      event: "figure.compared",
      victim,
      fault,
      figure,
      least: inSeconds(foretold.least),
      worst: inSeconds(foretold.worst),
      ...(measured === undefined ? {} : { measured: inSeconds(measured) }),
      within,
    }),
  );
}

function seconds(ms: number): string {
  return Number.isFinite(ms) ? `${(ms / 1000).toFixed(1)} s` : "never";
}

/** Null: never. */
function inSeconds(ms: number): number | null {
  return Number.isFinite(ms) ? Math.round(ms) / 1000 : null;
}
