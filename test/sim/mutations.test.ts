/**
 * The invariants are not blind: an engine with any one of its rules broken is caught by the swarm. Each mutation is
 * made in a copy of the emitted files and played in a process of its own.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Violation } from "../../src/worlds/sim/invariants/invariant.ts";
import { MUTATIONS } from "./mutations.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const PROBE = join(import.meta.dirname, "..", "support", "swarm-probe.js");
const LEAST = 25;

const copy = mkdtempSync(join(tmpdir(), "dialtone-mutations-"));
cpSync(join(ROOT, "dist", "src"), join(copy, "src"), { recursive: true });
writeFileSync(join(copy, "package.json"), '{ "type": "module" }');
symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"), "junction");
after(() => rmSync(copy, { recursive: true }));

/** What the first of these seeds that breaks anything breaks; nothing if none does. */
function brokenBy(seeds: readonly number[]): readonly Violation[] {
  const command = [PROBE, copy, ...seeds.map(String)];
  const told = execFileSync(process.execPath, command, { encoding: "utf8" });
  if (told === "") return [];
  const { violations }: { violations: readonly Violation[] } = JSON.parse(told);
  return violations;
}

test(`at least ${LEAST} rules are broken on purpose, each once`, () => {
  assert.ok(MUTATIONS.length >= LEAST);
  assert.equal(new Set(MUTATIONS.map(({ breaks }) => breaks)).size, MUTATIONS.length);
});

test("with no rule broken their seeds break nothing", () => {
  assert.deepEqual(brokenBy([...new Set(MUTATIONS.map(({ seed }) => seed))]), []);
});

for (const { breaks, file, find, put, caughtBy, seed } of MUTATIONS) {
  test(`${caughtBy} notices when it is no longer true that ${breaks}`, () => {
    const path = join(copy, "src", "core", file);
    const text = readFileSync(path, "utf8");
    assert.equal(text.split(find).length, 2, `${file} no longer has, once:\n${find}`);
    writeFileSync(
      path,
      text.replace(find, () => put),
    );
    try {
      const noticed = brokenBy([seed]).map(({ invariant }) => invariant);
      assert.ok(
        noticed.includes(caughtBy),
        `seed ${seed} breaks ${noticed.join(" ") || "nothing"}`,
      );
    } finally {
      writeFileSync(path, text);
    }
  });
}
