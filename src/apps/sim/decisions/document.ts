/** The page of the decision table: docs/decision-table.md. */
import type { Dialect } from "../../../core/redundancy/policy-defaults.ts";
import type { Decided } from "./play.ts";
import { type Row, SWITCHES } from "./rows.ts";

export interface PlayedRow {
  readonly row: Row;
  readonly decided: Decided;
}

const INTRODUCTION = `# The decision table

What each combination of a dialect's switches does, each row one run of the simulator. This page is written by
\`dialtone sim --decisions --write docs/decision-table.md\`, and a test holds it to what is played.

**The town**: a working server that is a name with two targets, *primary* and *secondary*, which share what they know
(TTL 60 s), and a *fallback* server with an address of its own; UDP, T1 of 0.5 s, lifetimes of 60 s renewed at half,
probes each 30 s, failback after 60 s where the mode is a duration, keep-alives off. The peer is registered everywhere.

| column | what is done, and what it shows |
| --- | --- |
| hold | a call is up by the primary, that falls silent, and the phone puts the call on hold |
| call, again | two calls after that, one after the other: who answers, and when |
| registered | where the account is registered a minute later: working server, fallback server |
| both silent | a call when the secondary has fallen silent, too |
| home | all return: how long until requests go to the primary |
| 503 | a call while the primary answers 503 |
`;

const TITLES: Readonly<Record<Dialect, string>> = {
  yealink: "Yealink, Matrix",
  polycom: "Polycom, Spectralink",
  native: "Native",
};

export function decisionPage(played: readonly PlayedRow[]): string {
  const dialects = ["yealink", "polycom", "native"] as const;
  return [INTRODUCTION, ...dialects.map((dialect) => section(dialect, played))].join("\n");
}

function section(dialect: Dialect, played: readonly PlayedRow[]): string {
  const keys = SWITCHES[dialect].map(({ key }) => key);
  const heads = [...keys, "hold", "call", "again", "registered", "both silent", "home", "503"];
  const rows = played
    .filter(({ row }) => row.dialect === dialect)
    .map(({ row, decided }) => {
      const { hold, call, again, registered, fallback, home, busy } = decided;
      return line([...row.values, hold, call, again, registered, fallback, home, busy]);
    });
  return [`## ${TITLES[dialect]}`, "", line(heads), line(heads.map(() => "---")), ...rows, ""].join(
    "\n",
  );
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
