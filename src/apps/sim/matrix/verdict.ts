/**
 * What a phone does about a fault, as steps with their times: each place that it asked and how that ended, and what
 * came of it for whoever uses the phone. `primary ×4 timeout` are four sends into silence.
 */

export interface Step {
  readonly what: string;
  /** After the fault has met the request, milliseconds. */
  readonly atMs: number;
}

export type MatrixVerdict = readonly Step[];

/** Shorter than this is at once: a few round trips. */
const AT_ONCE_MS = 200;

/** How much two times of one step may differ: a few round trips, or what the caller allows. */
export function sameVerdict(
  expected: MatrixVerdict,
  seen: MatrixVerdict,
  tolerance: (atMs: number) => number = () => AT_ONCE_MS,
): boolean {
  if (expected.length !== seen.length) return false;
  return expected.every(({ what, atMs }, index) => {
    const other = seen[index] as Step;
    return other.what === what && Math.abs(other.atMs - atMs) <= tolerance(atMs);
  });
}

/** `primary ×4 timeout 7.5 s, secondary 200, registered`: a time stands where it is another than before. */
export function verdictText(verdict: MatrixVerdict): string {
  let before = 0;
  const steps = verdict.map(({ what, atMs }) => {
    const later = atMs - before > AT_ONCE_MS;
    before = Math.max(before, atMs);
    return later ? `${what} ${seconds(atMs)}` : what;
  });
  return steps.join(", ");
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1).replace(/\.0$/, "")} s`;
}
