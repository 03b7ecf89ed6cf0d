/** How one message differs from another, line by line: the longest common run of lines stays. */

export interface DiffLine {
  readonly kind: "same" | "gone" | "new";
  readonly text: string;
}

/** Messages longer than this are compared without looking for what moved. */
const MOST_LINES = 400;

export function diffLines(before: string, after: string): DiffLine[] {
  const [a, b] = [
    before.split(/\r?\n/).slice(0, MOST_LINES),
    after.split(/\r?\n/).slice(0, MOST_LINES),
  ];
  const lengths = commonLengths(a, b);
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const down = lengths[i + 1]?.[j] ?? -1;
    const right = lengths[i]?.[j + 1] ?? -1;
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ kind: "same", text: a[i] as string });
      i += 1;
      j += 1;
    } else if (j >= b.length || (i < a.length && down >= right)) {
      lines.push({ kind: "gone", text: a[i] as string });
      i += 1;
    } else {
      lines.push({ kind: "new", text: b[j] as string });
      j += 1;
    }
  }
  return lines;
}

/** Of the longest common subsequence of what follows each pair of places. */
function commonLengths(a: readonly string[], b: readonly string[]): number[][] {
  const lengths = Array.from({ length: a.length + 1 }, () =>
    new Array<number>(b.length + 1).fill(0),
  );
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const row = lengths[i] as number[];
      const below = lengths[i + 1] as number[];
      row[j] = a[i] === b[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
    }
  }
  return lengths;
}
