/** Each code of a finding: the shortest file that has it, told once and nothing else; the page of codes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FINDINGS, type FindingCode } from "../../../src/core/provisioning/finding.ts";
import { readConfiguration } from "../../../src/core/provisioning/read.ts";
import { EXAMPLES, exampleText, explainPage, withFindings } from "./finding-examples.ts";

/** Of these the file that is told is no file of ours at all. */
const BESIDE: Readonly<Partial<Record<FindingCode, readonly FindingCode[]>>> = {
  "version-line": ["no-server"],
  "byte-order-mark": ["no-account"],
};

for (const code of Object.keys(FINDINGS) as FindingCode[]) {
  if (code === "mixed-dialects") continue;
  const { trap, tells } = FINDINGS[code];
  test(`${code}: ${tells}${trap === "" ? "" : ` (${trap})`}`, () => {
    const example = EXAMPLES[code];
    const { phones } = example;
    const files = [{ name: "phone.cfg", text: exampleText(example) }];
    const { faults } = readConfiguration(files, phones === undefined ? {} : { phones });
    const codes = faults.map((fault) => fault.code).filter((one) => one !== "no-account");
    const expected = new Set<FindingCode>([code, ...(BESIDE[code] ?? [])]);
    expected.delete("no-account");
    assert.deepEqual(new Set(codes), expected, JSON.stringify(faults, undefined, 1));
    if (code === "no-account") assert.deepEqual(faults[0]?.code, "no-account");
    for (const fault of faults) assert.match(fault.remedy, /^\S+ \S+|^delete it$/);
  });
}

test("mixed-dialects: files of two families were given", () => {
  const { faults } = readConfiguration([
    { name: "a.cfg", text: "#!version:1.0.0.1" },
    { name: "b.xml", text: "<a/>" },
  ]);
  assert.equal(faults[0]?.code, "mixed-dialects");
});

test("docs/explain.md lists every code with its trap and an example", () => {
  const page = explainPage();
  assert.equal(
    page,
    withFindings(page),
    "run node dist/test/core/provisioning/finding-examples.js",
  );
  assert.match(page, /<!-- findings -->/);
});

test("docs/explain.md says of each of C1 to C44 what a file can show of it", () => {
  const page = explainPage();
  const codes = new Set(Object.keys(FINDINGS));
  const rows = [...page.matchAll(/^\| (C\d+(?:, C\d+)*) \| (.+) \|$/gm)];
  const named = rows.flatMap(([, traps]) => traps!.split(", "));
  const all = Array.from({ length: 44 }, (_, at) => `C${at + 1}`);
  assert.deepEqual([...named].sort(), [...all].sort());
  for (const [, , said] of rows) {
    for (const [, code] of said!.matchAll(/`([a-z0-9-]+)`/g)) assert.ok(codes.has(code!), code);
  }
});
