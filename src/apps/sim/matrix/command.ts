/** `dialtone sim --matrix`: every cell of the fault matrix beside what the rules demand, and the page that shows it. */
import { writeFileSync } from "node:fs";
import { EXIT } from "../../exit.ts";
import { cellName } from "./axes.ts";
import { matrixPage } from "./document.ts";
import { type PlayedCell, playMatrix } from "./run.ts";
import { verdictText } from "./verdict.ts";

export interface MatrixFlags {
  /** Where the page goes; undefined: nowhere. */
  readonly write: string | undefined;
  readonly json: boolean;
}

/** @throws what the file system says when the page cannot be written. */
export function simulateMatrix({ write, json }: MatrixFlags): void {
  const say = (line: string): unknown => process.stdout.write(`${line}\n`);
  const played = playMatrix();
  for (const one of played) {
    if (json) say(JSON.stringify(recordOf(one)));
    else say(lineOf(one));
  }
  const failed = played.filter(({ passed }) => !passed).length;
  if (!json) say(`${played.length - failed} of ${played.length} cells are as they should be`);
  if (write !== undefined) writeFileSync(write, matrixPage(played));
  process.exitCode = failed === 0 ? EXIT.ok : EXIT.failed;
}

function lineOf({ cell, expected, seen, passed }: PlayedCell): string {
  const line = `${cellName(cell)}: ${verdictText(seen)}`;
  return passed ? line : `${line}\n  FAILED, wanted: ${verdictText(expected)}`;
}

function recordOf({ cell, expected, seen, passed }: PlayedCell): object {
  return { event: "cell.judged", ...cell, passed, seen, expected };
}
