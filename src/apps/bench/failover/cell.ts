/** What is measured of one phone at one failure, and how the cells of a run become tables. */
import type { Runs } from "../figures.ts";
import type { Outcome, Taken } from "../report.ts";

/** The phones by their names on the command line; ours first. */
export const PHONES = {
  dialtone: "dialtone",
  probing: "dialtone, registrar-probe 2 s",
  yealink: "dialtone with a Yealink file",
  polycom: "dialtone with a Polycom file",
  baresip: "baresip",
  linphone: "linphonec",
} as const;

export type PhoneName = keyof typeof PHONES;

/** How the primary dies: its port is closed, or it says nothing any more. */
export type Fault = "closed" | "silent";

/**
 * `call`: half a second after the failure a call is dialled, and when it was answered a second one. `register`: the phone is
 * left to itself until it is registered on the secondary, then calls, and then the primary returns.
 */
export type Scenario = "call" | "register";

export interface Cell {
  readonly phone: PhoneName;
  readonly fault: Fault;
  readonly scenario: Scenario;
  /** Lifetime of a registration, seconds. */
  readonly expires: number;
  /** What has not come within so many seconds does not come. */
  readonly maxWait: number;
}

/** Seconds each; Infinity: never within the wait. Missing: not asked in that scenario, or nothing to ask any more. */
export interface CellFigures {
  /** From dialling until the call is answered: nobody knew of the failure. */
  readonly next?: number;
  /** … of the call after that. */
  readonly again?: number;
  /** From the failure until the phone is registered on the secondary. */
  readonly registered?: number;
  /** From dialling until the call is answered, once registered on the secondary. */
  readonly later?: number;
  /** From the primary's return until the phone is registered there. */
  readonly back?: number;
}

const QUESTIONS: readonly (readonly [keyof CellFigures, Scenario, string])[] = [
  ["next", "call", "the next call, dialled 0.5 s after the failure, answered after"],
  ["again", "call", "the call after that, answered after"],
  ["registered", "register", "registered on the secondary after the failure"],
  ["later", "register", "a call dialled once registered there, answered after"],
  ["back", "register", "registered on the primary after its return"],
];

export interface CellRun {
  readonly cell: Cell;
  readonly figures: CellFigures;
}

/** Every cell of a run once; calls only at the first lifetime of registrations, on which they do not depend. */
export function cellsOf(
  phones: readonly PhoneName[],
  faults: readonly Fault[],
  lifetimes: readonly number[],
  maxWait: number,
  scenarios: readonly Scenario[] = ["call", "register"],
): Cell[] {
  return scenarios.flatMap((scenario) =>
    (scenario === "call" ? lifetimes.slice(0, 1) : lifetimes).flatMap((expires) =>
      faults.flatMap((fault) =>
        phones.map((phone) => ({ phone, fault, scenario, expires, maxWait })),
      ),
    ),
  );
}

/** A table for each question at each failure and lifetime, the other phones beside ours; none without ours. */
export function tablesOf(runs: readonly CellRun[], notes: readonly string[]): Outcome[] {
  const tables: Outcome[] = [];
  const kinds = new Map(runs.map(({ cell }) => [kindOf(cell), cell]));
  for (const [question, scenario, words] of QUESTIONS) {
    for (const [kind, { fault, expires, maxWait, scenario: played }] of kinds) {
      if (played !== scenario) continue;
      const same = runs.filter(({ cell }) => kindOf(cell) === kind);
      const [ours, ...others] = takenOf(same, question);
      if (ours?.name !== PHONES.dialtone) continue;
      const lifetime = scenario === "register" ? `, expiry ${expires} s` : "";
      const how = fault === "closed" ? "port closed" : "silent";
      const unit = {
        key: "seconds",
        words: "seconds",
        digits: 2,
        endless: `never in ${maxWait} s`,
      };
      tables.push({
        bench: "failover",
        what: `${words}, primary ${how}${lifetime}`,
        unit,
        ours,
        others,
        notes,
      });
    }
  }
  return tables;
}

function kindOf({ fault, scenario, expires }: Cell): string {
  return `${scenario} ${fault} ${expires}`;
}

/** Phone by phone, in the order of `PHONES`; whoever gave no figure is left out. */
function takenOf(runs: readonly CellRun[], question: keyof CellFigures): Taken[] {
  return (Object.keys(PHONES) as PhoneName[]).flatMap((phone) => {
    const own = runs.filter(({ cell }) => cell.phone === phone);
    const figures: Runs = own.flatMap(({ figures }) => figures[question] ?? []);
    return figures.length === 0 ? [] : [{ name: PHONES[phone], runs: figures }];
  });
}
