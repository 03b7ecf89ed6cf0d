/** The public faces and what is told of them: the report, the comments, the types of events. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

const root = join(import.meta.dirname, "..", "..", "..");
const script = pathToFileURL(join(root, "scripts", "api-report.mjs")).href;
const { apiReport, exportsOf, FACES } = (await import(script)) as {
  apiReport(): string;
  exportsOf(face: string): { name: string; file: string }[];
  FACES: { file: string }[];
};

test("docs/api-report.md is what the faces export; if that is meant, run `node scripts/api-report.mjs`", () => {
  assert.equal(readFileSync(join(root, "docs", "api-report.md"), "utf8"), apiReport());
});

test("everything that a face exports says what it is", () => {
  const silent = FACES.flatMap(({ file }) =>
    exportsOf(join(root, "dist", file)).filter(({ name, file: declared }) => {
      const kinds = "(?:declare )?(?:abstract )?(?:class|interface|type|const|function\\*?)";
      const told = new RegExp(`\\*/\\nexport ${kinds} ${name}\\b`);
      return !told.test(readFileSync(declared, "utf8"));
    }),
  );
  assert.deepEqual(
    silent.map(({ name, file }) => `${name} of ${file.slice(root.length)}`),
    [],
  );
});

test("every event that phones and servers report is one of those with typed fields", () => {
  const typed = readFileSync(join(root, "src", "api", "event-fields.ts"), "utf8");
  const names = ["core/phone", "core/server", "worlds/node"].flatMap((folder) =>
    sourcesIn(join(root, "src", folder)).flatMap((text) =>
      [...text.matchAll(/(?:[rR]eport\(\s*|event: )"([a-z-]+\.[a-z-]+)"/g)].map(([, name]) => name),
    ),
  );
  assert.ok(names.length > 40, `${names.length} events found`);
  // A bug of ours, after which nothing is told any more.
  const untyped = names.filter((name) => !typed.includes(`"${name}"`) && name !== "process.failed");
  assert.deepEqual([...new Set(untyped)], []);
});

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
}
