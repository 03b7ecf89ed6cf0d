/**
 * What is found only because a default stands in for a refused value or a misspelt key is no finding: nobody chose the
 * default. The files are read again with what could have been meant, and what is then always found is told.
 */
import type { Fault } from "./configuration.ts";
import type { Assignment, Misspelt, Refused } from "./settings.ts";
import type { ValueForm } from "./value-form.ts";

/** The files are read so often at the most, however many values are refused. */
const MOST_READINGS = 8;
/** Seconds, minutes, an hour: what numbers and times mostly are, beside the least and the most. */
const USUAL_NUMBERS: readonly number[] = [10, 60, 300, 3600];
/** What is found of a line because of its key. */
const SLIPS: ReadonlySet<Fault["code"]> = new Set([
  "unknown-key",
  "wrong-number",
  "duplicate-key",
  "blank-duplicate",
]);
/** The one text that is read for what it says. */
const NAPTR_SERVICE = "SIP+D2U";
const NAME = "meant.example.net";
const ADDRESS = "203.0.113.254";

/** The lines that a phone cannot make anything of, and what stands elsewhere. */
export interface Doubtful {
  readonly refused: readonly Refused[];
  readonly misspelt: readonly Misspelt[];
  /** Names and addresses that the files have. */
  readonly hosts: readonly string[];
}

/**
 * The findings that hold whatever refused values and misspelt keys were meant to be.
 *
 * @param faults what was found.
 * @param findAgain what is found with other lines in place of these.
 */
export function withoutConsequences(
  faults: readonly Fault[],
  { refused, misspelt, hosts }: Doubtful,
  findAgain: (meant: ReadonlyMap<Assignment, Assignment>) => readonly Fault[],
): readonly Fault[] {
  const lists = refused.map(({ at, form }) => ({ at, texts: couldBe(form, hosts) }));
  const most = Math.max(misspelt.length === 0 ? 0 : 1, ...lists.map(({ texts }) => texts.length));
  const own = new Set([...refused, ...misspelt].map(({ at }) => lineOf(at)));
  const isOwn = (fault: Fault): boolean =>
    (fault.severity === "error" || SLIPS.has(fault.code)) && own.has(lineOf(fault));
  let left = faults;
  for (let reading = 0; reading < Math.min(most, MOST_READINGS); reading += 1) {
    const meant = new Map<Assignment, Assignment>();
    for (const { at, key, value } of misspelt) {
      meant.set(at, { file: at.file, line: at.line, key, value });
    }
    for (const { at, texts } of lists) {
      const value = texts[reading % texts.length];
      const { file, line, key } = at;
      if (value !== undefined) meant.set(at, { file, line, key, value });
    }
    const found = new Set(findAgain(meant).map(placeOf));
    left = left.filter((fault) => isOwn(fault) || found.has(placeOf(fault)));
  }
  return left;
}

/** Legal texts of this form that lie apart; none of a form that cannot be guessed. */
function couldBe(form: ValueForm, hosts: readonly string[]): readonly string[] {
  switch (form.kind) {
    case "choice":
      return Object.keys(form.choices);
    case "number":
      return [form.least, ...USUAL_NUMBERS, form.most]
        .filter((value) => value >= form.least && value <= form.most)
        .map(String);
    case "duration":
      return [
        `${form.leastMs} ms`,
        ...USUAL_NUMBERS.filter((value) => value * 1000 >= form.leastMs).map(
          (value) => `${value} s`,
        ),
        "100000 h",
      ];
    case "numbers":
      return [String(form.least)];
    case "host":
      return [NAME, ADDRESS, ...hosts];
    case "ip":
    case "endpoints":
      return [ADDRESS];
    case "users":
      return ["meant"];
    case "text":
    case "secret":
      return ["meant", NAPTR_SERVICE];
    case "pattern":
      return [];
  }
}

function lineOf({ file, line, key }: { file: string; line: number; key: string }): string {
  return `${file}:${line}:${key}`;
}

/** Its words may name a value that changes with what was meant. */
function placeOf(fault: Fault): string {
  return `${fault.severity} ${fault.code} ${lineOf(fault)}`;
}
