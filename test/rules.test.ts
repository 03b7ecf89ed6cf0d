/**
 * Every rule R1–R111 of RFC 3261 and its kin (docs/decisions.md, "Rules without a test") is a test that carries the
 * number in its name, or a line there that says why not.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "..", "..");
const RULES = Array.from({ length: 111 }, (_, index) => index + 1);
/** The rules that concern events, transfer, parsers and media are R112 to R127. */
const LAST_RULE = 127;

/** First arguments of `test` and `describe`; a makers' sequence of the same letter is written out as such. */
const NAME = /\b(?:test|describe)\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`)/g;

interface Claim {
  readonly rule: number;
  readonly where: string;
}

function claims(): Claim[] {
  const files = readdirSync(join(root, "test"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".test.ts"))
    .map((entry) => join(entry.parentPath, entry.name));
  return files.flatMap((path) => {
    const names = [...readFileSync(path, "utf8").matchAll(NAME)].map(([, name]) => name ?? "");
    return names.flatMap((name) => {
      const told = name.replace(/\bsequences? R\d+(?: and R\d+)*/g, "");
      const rules = [...told.matchAll(/\bR(\d{1,3})\b/g)].map(([, digits]) => Number(digits));
      return rules.map((rule) => ({ rule, where: `${relative(root, path)}: ${name}` }));
    });
  });
}

/** The rules that are excused, by number. */
function excuses(): Map<number, string> {
  const page = readFileSync(join(root, "docs", "decisions.md"), "utf8");
  const section =
    page.split(/^## /m).find((part) => part.startsWith("Rules without a test\n")) ?? "";
  const lines = section.split(/^- /m).slice(1);
  return new Map(
    lines.flatMap((line) => {
      const match = /^\*\*R(\d+)\*\*[,:] \S/.exec(line);
      return match === null ? [] : [[Number(match[1]), line] as const];
    }),
  );
}

test("every rule R1 to R111 has a test that names it, or a line that says why not", () => {
  const named = new Set(claims().map(({ rule }) => rule));
  const excused = excuses();
  const open = RULES.filter((rule) => !named.has(rule) && !excused.has(rule));
  assert.deepEqual(
    open.map((rule) => `R${rule}`),
    [],
  );
});

test("no rule is excused that has a test, and none is named that does not exist", () => {
  const named = new Set(claims().map(({ rule }) => rule));
  const needless = [...excuses().keys()].filter((rule) => named.has(rule));
  assert.deepEqual(
    needless.map((rule) => `R${rule}`),
    [],
  );
  const unknown = claims().filter(({ rule }) => rule < 1 || rule > LAST_RULE);
  assert.deepEqual(unknown, []);
});
