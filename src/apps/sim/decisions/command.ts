/** `dialtone sim --decisions`: every row of the decision table, and the page that shows them. */
import { writeFileSync } from "node:fs";
import { decisionPage } from "./document.ts";
import { playRow } from "./play.ts";
import { allRows, rowName } from "./rows.ts";

export interface DecisionFlags {
  /** Where the page goes; undefined: nowhere. */
  readonly write: string | undefined;
  readonly json: boolean;
}

/** @throws what the file system says when the page cannot be written. */
export function simulateDecisions({ write, json }: DecisionFlags): void {
  const say = (line: string): unknown => process.stdout.write(`${line}\n`);
  const played = allRows().map((row) => ({ row, decided: playRow(row) }));
  for (const { row, decided } of played) {
    if (json) say(JSON.stringify({ event: "row.played", ...row, ...decided }));
    else say(`${rowName(row)}: ${Object.values(decided).join("; ")}`);
  }
  if (!json) say(`${played.length} rows`);
  if (write !== undefined) writeFileSync(write, decisionPage(played));
}
