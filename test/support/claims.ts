/** Names of tests as claims: which of the facts' numbers they carry, and which a page excuses. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..", "..");

/** First arguments of `test` and `describe`; a makers' sequence of the same letter is written out as such. */
const NAME = /\b(?:test|describe)\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`)/g;

export interface Claim {
  readonly number: number;
  readonly where: string;
}

/** @param letter before the numbers. */
export function claims(letter: string): Claim[] {
  const files = readdirSync(join(ROOT, "test"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".test.ts"))
    .map((entry) => join(entry.parentPath, entry.name));
  return files.flatMap((path) => {
    const names = [...readFileSync(path, "utf8").matchAll(NAME)].map(([, name]) => name ?? "");
    return names.flatMap((name) => {
      const told = name.replace(/\bsequences? R\d+(?: and R\d+)*/g, "");
      const numbers = [...told.matchAll(new RegExp(`\\b${letter}(\\d{1,3})\\b`, "g"))];
      const where = `${relative(ROOT, path)}: ${name}`;
      return numbers.map(([, digits]) => ({ number: Number(digits), where }));
    });
  });
}

/** The numbers that a section of docs/decisions.md excuses, each with its line. */
export function excuses(letter: string, section: string): Map<number, string> {
  const page = readFileSync(join(ROOT, "docs", "decisions.md"), "utf8");
  const part = page.split(/^## /m).find((text) => text.startsWith(`${section}\n`)) ?? "";
  const entry = new RegExp(`^\\*\\*${letter}(\\d+)\\*\\*[,:] \\S`);
  return new Map(
    part
      .split(/^- /m)
      .slice(1)
      .flatMap((line) => {
        const match = entry.exec(line);
        return match === null ? [] : [[Number(match[1]), line] as const];
      }),
  );
}
