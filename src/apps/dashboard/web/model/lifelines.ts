/** Which lifelines a ladder of some rows has, from left to right. */
import type { Row, Trace } from "./trace.ts";

/** Looking through all rows is put off while they grow. */
const KEEP_MS = 300;

let kept:
  | { rows: readonly Row[]; length: number; at: number; lifelines: readonly string[] }
  | undefined;

/** @param compressed only those that a row touches. */
export function lifelinesOf(
  trace: Trace,
  rows: readonly Row[],
  compressed: boolean,
): readonly string[] {
  if (!compressed) return trace.lifelines;
  const now = performance.now();
  if (kept?.rows === rows && (kept.length === rows.length || now - kept.at < KEEP_MS)) {
    return kept.lifelines;
  }
  const touched = new Set<string>();
  for (const { delivery, note } of rows) {
    if (delivery !== undefined) touched.add(delivery.from).add(delivery.to);
    else if (note !== undefined && note.kind !== "message") touched.add(note.on);
    if (note?.kind === "failover") touched.add(note.from).add(note.to);
  }
  const lifelines = trace.lifelines.filter((name) => touched.has(name));
  kept = { rows, length: rows.length, at: now, lifelines };
  return lifelines;
}
