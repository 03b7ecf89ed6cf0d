/** Provisioning files drawn at random from a key table: any keys, any legal values, any text. */
import fc from "fast-check";
import type { KeyRow, KeyTable } from "../../../src/core/provisioning/key-table.ts";
import { legalTexts } from "./key-texts.ts";

/** Lines of one file: key and value. */
export type Lines = readonly (readonly [key: string, value: string])[];

const ANY_TEXT = fc.oneof(
  fc.string({ minLength: 1, maxLength: 12 }),
  fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" }),
  fc.constantFrom(
    "007",
    "yes",
    "~",
    "null",
    "- a",
    "a: b",
    "#x",
    '"',
    "'",
    "&a *a",
    "a&b<c>",
    "{a}",
  ),
);
const NUMBERS = { X: [1, 2, 4], Y: [1, 2], Z: [1, 2, 3] } as const;

export function drawnLines(table: KeyTable): fc.Arbitrary<Lines> {
  const rows = table.rows.filter(({ key }) => !/\.address$|user_name$|\.enable$/.test(key));
  const drawn = fc.array(fc.constantFrom(...rows).chain(lineOf), { maxLength: 40 });
  return drawn.map((lines) => [...new Map(lines)]);
}

function lineOf(row: KeyRow): fc.Arbitrary<readonly [string, string]> {
  const free = row.form.kind === "text" || row.form.kind === "secret";
  const value = free ? ANY_TEXT.map(oneLine) : fc.constantFrom(...legalTexts(row.form));
  const number = (letter: "X" | "Y" | "Z"): fc.Arbitrary<number> =>
    fc.constantFrom(...NUMBERS[letter]);
  return fc
    .tuple(number("X"), number("Y"), number("Z"), value)
    .map(([x, y, z, text]) => [numbered(row.key, { X: x, Y: y, Z: z }), text] as const);
}

function numbered(key: string, numbers: Readonly<Record<string, number>>): string {
  return key.replace(/(?<=^|\.)[XYZ](?=\.|$)/g, (letter) => String(numbers[letter]));
}

/** What a line of any family can hold. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}|\p{Cs}|\p{Zl}|\p{Zp}|\p{Co}|\p{Cn}/gu, "").trim();
}

export function yealinkText(lines: Lines): string {
  return ["#!version:1.0.0.1", ...lines.map((line) => line.join(" = "))].join("\n");
}

export function polycomText(lines: Lines): string {
  const attributes = lines.map(([key, value]) => `${key}="${escaped(value)}"`);
  return `<polycomConfig>\n<all\n${attributes.join("\n")}/>\n</polycomConfig>`;
}

export function nativeText(lines: Lines): string {
  return lines.map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join("\n");
}

function escaped(value: string): string {
  return value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
