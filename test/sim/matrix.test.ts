/** The fault matrix in virtual time: every cell beside what the rules demand, and the page that shows them. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { allCells, cellName, MEANINGS } from "../../src/apps/sim/matrix/axes.ts";
import { matrixPage } from "../../src/apps/sim/matrix/document.ts";
import { expectedVerdict } from "../../src/apps/sim/matrix/expected.ts";
import { type PlayedCell, playCell } from "../../src/apps/sim/matrix/run.ts";
import { SIMULATED } from "../../src/apps/sim/matrix/setting.ts";
import { sameVerdict, verdictText } from "../../src/apps/sim/matrix/verdict.ts";

const PAGE = join(import.meta.dirname, "..", "..", "..", "docs", "fault-matrix.md");
const played: PlayedCell[] = [];

test("there are 220 cells, each once: every fault over every transport (C4)", () => {
  assert.equal(new Set(allCells().map(cellName)).size, 220);
});

for (const cell of allCells()) {
  const wanted = verdictText(expectedVerdict(cell, SIMULATED));
  test(`${cellName(cell)}: ${wanted} (${MEANINGS[cell.fault].rules})`, () => {
    const one = playCell(cell);
    played.push(one);
    assert.ok(one.passed, verdictText(one.seen));
  });
}

test("docs/fault-matrix.md is what `dialtone sim --matrix --write docs/fault-matrix.md` writes", () => {
  assert.equal(readFileSync(PAGE, "utf8"), matrixPage(played));
});

test("the command says each cell, writes the page, and ends well", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dialtone-matrix-"));
  const page = join(folder, "page.md");
  const cli = join(import.meta.dirname, "..", "..", "src", "apps", "cli.js");
  const command = [cli, "sim", "--matrix", "--json", "--write", page];
  const { stdout } = await promisify(execFile)(process.execPath, command);
  const records = stdout
    .trimEnd()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
  assert.equal(records.length, 220);
  assert.ok(stdout.startsWith('{"event":"cell.judged","transport":"udp","fault":"drop"'));
  assert.equal(readFileSync(page, "utf8"), readFileSync(PAGE, "utf8"));
  rmSync(folder, { recursive: true });
});

test("a verdict with another step, place or time is another verdict", () => {
  const verdict = [
    { what: "primary ×4 timeout", atMs: 7500 },
    { what: "secondary 200", atMs: 7503 },
  ];
  const late = verdict.map(({ what, atMs }) => ({ what, atMs: atMs + 500 }));
  const elsewhere = [verdict[0], { what: "fallback 200", atMs: 7503 }].filter(
    (one) => one !== undefined,
  );
  assert.equal(verdictText(verdict), "primary ×4 timeout 7.5 s, secondary 200");
  assert.ok(sameVerdict(verdict, verdict));
  for (const other of [late, elsewhere, verdict.slice(1)]) {
    assert.equal(sameVerdict(verdict, other), false);
  }
});
