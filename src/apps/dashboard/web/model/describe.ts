/** A row in one sentence: for screen readers, and wherever there is no room for a picture. */
import { seconds } from "../ladder/painter.ts";
import { sentenceOf } from "./meaning.ts";
import type { Row, Trace } from "./trace.ts";

export function describeRow(row: Row, trace: Trace): string {
  const at = `${seconds(row.at)} s`;
  const { delivery, note } = row;
  if (delivery === undefined) {
    const words = note === undefined || note.kind === "message" ? "" : note.text;
    return `${at}: ${words === "" ? sentenceOf(row.record, trace) : `${row.record.node}, ${words}`}`;
  }
  const { from, to, seen, again } = delivery;
  const kind = again ? ", retransmission" : "";
  const fate = trace.isLost(delivery) ? ", never arrived" : "";
  return `${at}: ${from} to ${to}, ${seen.label}${kind}${fate}`;
}
