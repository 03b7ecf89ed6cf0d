/** The source keeps its own rules: what the compiler and the linter cannot see (ARCHITECTURE.md). */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "..", "..");

interface SourceFile {
  readonly path: string;
  readonly text: string;
}

function sourcesUnder(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(tsx?|mjs|js)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: relative(root, path), text: readFileSync(path, "utf8") }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The text without comments and string contents, so that prose may name what code may not. */
function codeOf(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/(^|[^:"'`])\/\/.*$/gm, "$1")
    .replace(/"(?:[^"\\\n]|\\.)*"/g, '""')
    .replace(/`(?:[^`\\$]|\\.|\$(?!\{))*`/g, "``");
}

function importsOf(file: SourceFile): string[] {
  return [...file.text.matchAll(/^(?:import|export)\s[^;]*?from "([^"]+)"/gms)].map(
    (match) => match[1] as string,
  );
}

/** The layer table of ARCHITECTURE.md: a folder may import its own rank's folder and lower ranks. */
const RANKS: readonly (readonly [prefix: string, rank: number])[] = [
  ["src/core/message/", 1],
  ["src/core/media/", 1],
  ["src/core/transaction/", 2],
  ["src/core/locate/", 2],
  ["src/core/redundancy/", 3],
  ["src/core/dialog/", 3],
  ["src/core/provisioning/", 4],
  ["src/core/phone/", 5],
  ["src/core/server/", 5],
  ["src/core/index.ts", 6],
  ["src/core/", 0],
  ["src/worlds/sim/", 6],
  ["src/worlds/node/", 6],
  ["src/api/", 7],
  ["src/apps/dashboard/web/", 9],
  ["src/apps/handset/web/", 9],
  ["src/apps/", 8],
  ["src/index.ts", 8],
];

function layerOf(path: string): readonly [prefix: string, rank: number] {
  const layer = RANKS.find(([prefix]) => path.startsWith(prefix));
  assert(layer !== undefined, `${path} stands in no layer`);
  return layer;
}

test("imports point downwards, never sideways between folders of one rank", () => {
  const wrong: string[] = [];
  for (const file of sourcesUnder("src")) {
    const [folder, rank] = layerOf(file.path);
    for (const name of importsOf(file)) {
      if (!name.startsWith(".")) continue;
      const target = relative(root, join(root, dirname(file.path), name));
      const [otherFolder, otherRank] = layerOf(target);
      const allowed = otherRank < rank || (otherRank === rank && otherFolder === folder);
      // Message and media share rank 1 with nothing between them; both stand on rank 0 only.
      if (!allowed) wrong.push(`${file.path} imports ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("core and simulator name no clock, no chance, nothing asynchronous and nothing of Node", () => {
  const names =
    "Date Promise async await setTimeout setInterval setImmediate queueMicrotask performance process Buffer require";
  const banned = new RegExp(`\\b(${names.replaceAll(" ", "|")}|console)\\b(?!\\s*:)|Math\\.random`);
  const wrong: string[] = [];
  for (const file of [...sourcesUnder("src/core"), ...sourcesUnder("src/worlds/sim")]) {
    const found = banned.exec(codeOf(file.text));
    if (found !== null) wrong.push(`${file.path}: ${found[0]}`);
    for (const name of importsOf(file)) {
      if (name.startsWith("node:")) wrong.push(`${file.path} imports ${name}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("no source file is longer than 400 lines, no line longer than 120 columns", () => {
  const wrong: string[] = [];
  for (const file of [
    ...sourcesUnder("src"),
    ...sourcesUnder("test"),
    ...sourcesUnder("scripts"),
  ]) {
    const lines = file.text.split("\n");
    if (lines.length > 401) wrong.push(`${file.path}: ${lines.length} lines`);
    for (const [index, line] of lines.entries()) {
      if (line.length > 120 && !/["'`]/.test(line))
        wrong.push(`${file.path}:${index + 1} is too long`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("only the public faces re-export", () => {
  const faces = ["src/core/index.ts", "src/index.ts", "src/worlds/sim/index.ts"];
  const found = sourcesUnder("src")
    .filter((file) => /^export\s[^;=()]*?\sfrom "/m.test(file.text))
    .map((file) => file.path);
  assert.deepEqual(found.sort(), faces);
});

test("every source file opens by saying what it is", () => {
  const wrong = [...sourcesUnder("src"), ...sourcesUnder("test")]
    .filter((file) => !/^(#!.*\n)?(\/\*\*|\/\/)/.test(file.text))
    .map((file) => file.path);
  assert.deepEqual(wrong, []);
});

test("nothing is left half done: no leftover marks, no skipped or exclusive tests, no silenced checks", () => {
  const marks = new RegExp(
    [
      "TO" + "DO",
      "FIX" + "ME",
      "X" + "XX\\b",
      "\\.on" + "ly\\(",
      "\\.sk" + "ip\\(",
      "@ts-ig" + "nore",
      "as a" + "ny\\b",
    ].join("|"),
  );
  const wrong: string[] = [];
  for (const file of [...sourcesUnder("src"), ...sourcesUnder("test")]) {
    for (const [index, line] of file.text.split("\n").entries()) {
      if (marks.test(line)) wrong.push(`${file.path}:${index + 1}: ${line.trim()}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("the lock file names every package of every platform, or `npm ci` refuses a fresh clone", () => {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };
  const wanted = Object.values(lock.packages).flatMap((one) =>
    Object.keys(one.optionalDependencies ?? {}),
  );
  const absent = wanted.filter((name) => lock.packages[`node_modules/${name}`] === undefined);
  assert.deepEqual(absent, []);
});
