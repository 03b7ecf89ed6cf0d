/**
 * Every rule R1–R111 of RFC 3261 and its kin, every pitfall C1–C44 and every contradiction D1–D14 of the makers'
 * manuals is a test that carries the number in its name, or a line of docs/decisions.md that says why not.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { claims, excuses } from "./support/claims.ts";

interface Facts {
  readonly letter: string;
  readonly what: string;
  readonly section: string;
  /** All up to this one must be there. */
  readonly last: number;
  /** Beyond that, so many more have numbers. */
  readonly known: number;
}

const ALL: readonly Facts[] = [
  // The rules that concern events, transfer, parsers and media are R112 to R127.
  { letter: "R", what: "rule", section: "Rules without a test", last: 111, known: 127 },
  { letter: "C", what: "pitfall", section: "Pitfalls without a test", last: 44, known: 44 },
  {
    letter: "D",
    what: "contradiction",
    section: "Contradictions without a test",
    last: 14,
    known: 14,
  },
];

for (const { letter, what, section, last, known } of ALL) {
  describe(`${letter}1 to ${letter}${last}`.replace(/\b[RCD](?=\d)/g, `${what} `), () => {
    const named = claims(letter);
    const excused = excuses(letter, section);

    test(`every ${what} has a test that names it, or a line that says why not`, () => {
      const numbers = new Set(named.map(({ number }) => number));
      const open = Array.from({ length: last }, (_none, index) => index + 1).filter(
        (number) => !numbers.has(number) && !excused.has(number),
      );
      assert.deepEqual(
        open.map((number) => `${letter}${number}`),
        [],
      );
    });

    test(`no ${what} is excused that has a test, and none is named that does not exist`, () => {
      const numbers = new Set(named.map(({ number }) => number));
      const needless = [...excused.keys()].filter((number) => numbers.has(number));
      assert.deepEqual(
        needless.map((number) => `${letter}${number}`),
        [],
      );
      const unknown = named.filter(({ number }) => number < 1 || number > known);
      assert.deepEqual(unknown, []);
    });
  });
}
