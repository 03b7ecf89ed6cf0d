/** What the guides show is true: their samples are played, their flags and links exist. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { Command } from "commander";
import { addDrillCommand } from "../../src/apps/drill.ts";
import { addExplainCommand } from "../../src/apps/explain.ts";
import { loadScenarios } from "../../src/apps/lab/catalogue.ts";
import { addLabCommand } from "../../src/apps/lab.ts";
import { addPhoneCommand } from "../../src/apps/phone.ts";
import { addServeCommand } from "../../src/apps/serve.ts";
import { playInSimulator } from "../../src/apps/sim/scenarios.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const guide = (name: string): string => readFileSync(join(root, "docs", name), "utf8");

for (const page of ["scenarios.md", "guides/write-a-scenario.md"]) {
  test(`the scenario in docs/${page} passes as it is written`, async () => {
    const text = /```yaml\n(name: [\s\S]*?)```/.exec(guide(page))?.[1];
    assert(text !== undefined);
    const folder = mkdtempSync(join(tmpdir(), "dialtone-guide-"));
    try {
      const file = join(folder, "scenario.yaml");
      writeFileSync(file, text);
      const { scenarios, faults } = loadScenarios(file);
      assert.deepEqual(faults, []);
      const [scenario] = scenarios;
      assert(scenario !== undefined);
      const { verdict } = await playInSimulator(scenario, 1);
      assert.deepEqual(verdict.failures, []);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

for (const [name, add] of [
  ["drill", addDrillCommand],
  ["explain", addExplainCommand],
  ["lab", addLabCommand],
  ["phone", addPhoneCommand],
  ["serve", addServeCommand],
] as const) {
  test(`docs/${name}.md tells every flag of dialtone ${name}, and no other`, () => {
    const program = new Command();
    add(program);
    const flags = program.commands[0]?.options.map((option) => option.long).sort();
    const rows = guide(`${name}.md`).match(/^\| `--.*?(?<!\\)\|/gm) ?? [];
    const told = new Set(rows.flatMap((row) => row.match(/--[a-z][a-z-]*/g) ?? []));
    assert.deepEqual([...told].sort(), flags);
  });
}

test("every link in README.md and docs leads to a file", () => {
  const docs = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" });
  const pages = ["README.md", ...docs.map((name) => join("docs", name))];
  const broken = pages
    .filter((page) => page.endsWith(".md"))
    .flatMap((page) => {
      const text = readFileSync(join(root, page), "utf8");
      return [...text.matchAll(/\]\(([^)#:]+)\)/g)]
        .filter(([, link]) => !existsSync(join(root, dirname(page), link ?? "")))
        .map(([, link]) => `${page}: ${link}`);
    });
  assert.deepEqual(broken, []);
});
