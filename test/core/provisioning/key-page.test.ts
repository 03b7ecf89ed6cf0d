/** The page of keys is made from the tables. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { PAGE, withTables } from "./key-page.ts";

test("docs/provisioning.md holds every key as the tables have it", () => {
  const page = readFileSync(PAGE, "utf8");
  assert.equal(page.match(/<!-- keys: /g)?.length, 3);
  assert.equal(page, withTables(page), "run node dist/test/core/provisioning/key-page.js");
});
