/** What a measurement says: ratios first, then what each took. */
import { type Runs, ratios, type Spread, spreadOf } from "./figures.ts";

/** One table: ours beside the others. */
export interface Outcome {
  /** `register`, `parse`. */
  readonly bench: string;
  /** What exactly was measured, in words. */
  readonly what: string;
  /** What the figures are of; undefined: CPU time. */
  readonly unit?: Unit;
  readonly ours: Taken;
  readonly others: readonly Taken[];
  /** What the reader should know about how it was measured. */
  readonly notes: readonly string[];
}

export interface Unit {
  /** In JSON. */
  readonly key: string;
  readonly words: string;
  /** Behind the point; 1 if left out. */
  readonly digits?: number;
  /** What is said of a run that came to no end: its figure is Infinity, in JSON null. */
  readonly endless?: string;
  /** The more the better; left out: the less. */
  readonly rises?: boolean;
}

const CPU: Unit = { key: "us", words: "CPU in µs per operation" };

/** So many units in each run. */
export interface Taken {
  readonly name: string;
  readonly runs: Runs;
}

export function printed(outcome: Outcome): string {
  const { bench, what, ours, others, notes } = outcome;
  const own = spreadOf(ours.runs);
  const unit = outcome.unit ?? CPU;
  const { words, digits = 1, endless, rises } = unit;
  const lines = [`${bench}: ${what}, ${words}, ${ours.runs.length} runs in turn`];
  for (const { name, runs } of others) {
    const best = bestRatio(own, spreadOf(runs), rises);
    const atBest = Number.isFinite(best) && runs.length > 1 ? ` best ${best.toFixed(2)}` : "";
    const ratio = `${text(spreadOf(comparable(ours.runs, runs)), 2)}${atBest}`;
    lines.push(
      `  ${ratio.padEnd(29)} of ${name.padEnd(34)} ${text(spreadOf(runs), digits, endless)}`,
    );
  }
  lines.push(`  ${"".padEnd(29)}    ${ours.name.padEnd(34)} ${text(own, digits, endless)}`);
  return [...lines, ...notes.map((note) => `  ${note}`), ""].join("\n");
}

/** One flat object for each peer, and one for ourselves. */
export function records(outcome: Outcome): Record<string, string | number>[] {
  const { bench, what, ours, others } = outcome;
  const { key, rises } = outcome.unit ?? CPU;
  const own = spreadOf(ours.runs);
  const base = { event: "bench.measured", bench, what, runs: ours.runs.length };
  return [
    { ...base, name: ours.name, ...figures(key, own) },
    ...others.map(({ name, runs }) => ({
      ...base,
      name,
      ...figures(key, spreadOf(runs)),
      ...figures("ratio", spreadOf(comparable(ours.runs, runs))),
      ratioBest: rounded(bestRatio(own, spreadOf(runs), rises)),
    })),
  ];
}

/** Of the quickest runs of both: where others share the machine, nearest to what the programs themselves take. */
function bestRatio(ours: Spread, theirs: Spread, rises = false): number {
  return rises ? ours.most / theirs.most : ours.least / theirs.least;
}

/** Two runs that came to no end, or one that stands alone, say nothing. */
function comparable(ours: Runs, theirs: Runs): Runs {
  return ratios(ours, theirs).filter((ratio) => !Number.isNaN(ratio));
}

function figures(name: string, { median, least, most }: Spread): Record<string, number> {
  return {
    [name]: rounded(median),
    [`${name}Least`]: rounded(least),
    [`${name}Most`]: rounded(most),
  };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function text({ median, least, most }: Spread, digits: number, endless = "–"): string {
  const [middle, low, high] = [median, least, most].map((value) =>
    Number.isFinite(value) ? value.toFixed(digits) : endless,
  );
  return low === high ? `${middle}` : `${middle} (${low}–${high})`;
}
