/**
 * Figures worth telling: several runs, contenders in turn, so that what disturbs one disturbs all; and ratios of runs
 * that stood side by side, since a machine's mood moves both.
 */

/** One figure of each run, in the order of the runs. */
export type Runs = readonly number[];

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function spreadOf(runs: Runs): Spread {
  const sorted = [...runs].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  const lower = sorted.length % 2 === 1 ? upper : (sorted[middle - 1] ?? Number.NaN);
  const [least = Number.NaN] = sorted;
  return { median: (lower + upper) / 2, least, most: sorted.at(-1) ?? Number.NaN };
}

/** Run by run, what the one took divided by what the other did. */
export function ratios(ours: Runs, theirs: Runs): Runs {
  return ours.map((own, run) => own / (theirs[run] ?? Number.NaN));
}

/** Each contender once a round; the order turns, so that nobody is always first. */
export async function inTurn<Contender>(
  contenders: readonly Contender[],
  rounds: number,
  run: (contender: Contender) => Promise<number>,
): Promise<Map<Contender, number[]>> {
  const figures = new Map<Contender, number[]>(contenders.map((contender) => [contender, []]));
  for (let round = 0; round < rounds; round += 1) {
    const start = round % contenders.length;
    for (const contender of [...contenders.slice(start), ...contenders.slice(0, start)]) {
      figures.get(contender)?.push(await run(contender));
    }
  }
  return figures;
}
