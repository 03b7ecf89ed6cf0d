/** The decision table: every combination of each dialect's switches, played, is what the page says. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { decisionPage } from "../../src/apps/sim/decisions/document.ts";
import { playRow } from "../../src/apps/sim/decisions/play.ts";
import { allRows, fileOf, rowName } from "../../src/apps/sim/decisions/rows.ts";
import { readConfiguration } from "../../src/core/provisioning/read.ts";

const PAGE = join(import.meta.dirname, "..", "..", "..", "docs", "decision-table.md");

test("there is a row for each combination of a dialect's switches, and each is a file without errors", () => {
  const rows = allRows();
  assert.equal(new Set(rows.map(rowName)).size, rows.length);
  const counts = (["yealink", "polycom", "native"] as const).map(
    (dialect) => rows.filter((row) => row.dialect === dialect).length,
  );
  assert.deepEqual(counts, [32, 64, 8]);
  for (const row of rows) assert.equal(readConfiguration([fileOf(row)]).accounts.length, 1);
});

test("docs/decision-table.md is what `dialtone sim --decisions --write docs/decision-table.md` writes", () => {
  const played = allRows().map((row) => ({ row, decided: playRow(row) }));
  assert.equal(readFileSync(PAGE, "utf8"), decisionPage(played));
});
