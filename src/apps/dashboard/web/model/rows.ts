/** Rows stand in order of time. */
import type { Row } from "./trace.ts";

/** Where a row stands, or -1. */
export function indexOf(rows: readonly Row[], row: Row): number {
  for (let index = firstSince(rows, row.at); rows[index]?.at === row.at; index += 1) {
    if (rows[index] === row) return index;
  }
  return -1;
}

/** The first row at or after an instant. */
export function firstSince(rows: readonly Row[], instant: number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle] as Row).at < instant) low = middle + 1;
    else high = middle;
  }
  return low;
}
