/** All 220 cells: what has to happen beside what happens. */
import { allCells, type Cell } from "./axes.ts";
import { expectedVerdict } from "./expected.ts";
import { SIMULATED } from "./setting.ts";
import { simulateCell } from "./simulate.ts";
import { type MatrixVerdict, sameVerdict } from "./verdict.ts";

export interface PlayedCell {
  readonly cell: Cell;
  readonly expected: MatrixVerdict;
  readonly seen: MatrixVerdict;
  readonly passed: boolean;
}

export function playCell(cell: Cell): PlayedCell {
  const expected = expectedVerdict(cell, SIMULATED);
  const seen = simulateCell(cell);
  return { cell, expected, seen, passed: sameVerdict(expected, seen) };
}

export function playMatrix(): PlayedCell[] {
  return allCells().map(playCell);
}
