/** What the judge says of one played scenario. */

export interface Figure {
  readonly label: string;
  /** Milliseconds after the moment that the expectation counts from; a number of matches for `count`. */
  readonly values: readonly number[];
  /** As shown to people, with its unit. */
  readonly text: string;
}

export interface Failure {
  /** `FILE:LINE`. */
  readonly where: string;
  readonly expected: string;
  readonly seen: string;
}

export interface Verdict {
  readonly scenario: string;
  readonly title: string;
  readonly passed: boolean;
  /** How long the play took on the clock of its stage, milliseconds. */
  readonly lastedMs: number;
  readonly figures: readonly Figure[];
  /** In the order of the file; the first is the one to look at. */
  readonly failures: readonly Failure[];
}

/** `NAME passed|failed FIGURES`, and below a failure what was expected and what was seen. */
export function verdictLines(verdict: Verdict): string[] {
  const outcome = verdict.passed ? "passed" : "failed";
  const figures = verdict.figures.map((figure) => `${figure.label} ${figure.text}`).join("; ");
  const first = verdict.failures[0];
  const lines = [`${verdict.scenario} ${outcome} ${figures}`.trimEnd()];
  if (first !== undefined) {
    lines.push(`  ${first.where}: expected ${first.expected}`, `  seen: ${first.seen}`);
  }
  return lines;
}
