/** One fault in a sample that has none draws one finding: what follows from it is not told as well. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { readConfiguration } from "../../../src/core/provisioning/read.ts";

const FOLDER = new URL("../../../../examples/provisioning/", import.meta.url);
/** Each line's key and value as the three dialects write them. */
const LINES: Readonly<Record<string, RegExp>> = {
  cfg: /^([\w.]+) *= *(\S+)/dgm,
  xml: /\b((?:reg|voIpProt|dns)\.[\w.]+)="([^"]+)"/dg,
  yaml: /^[ -]*([\w-]+): +([^\n{#]+)/dgm,
};
/** Nothing names a key of two letters but itself, and without its switch an account is none. */
const UNGUESSED = /(\.ip|\.enable)$/;

interface Line {
  readonly name: string;
  readonly text: string;
  readonly key: string;
  /** Where key and value stand. */
  readonly keyAt: number;
  readonly valueAt: readonly [number, number];
}

function* lines(): Generator<Line> {
  for (const name of readdirSync(FOLDER).sort()) {
    const pattern = LINES[name.slice(name.lastIndexOf(".") + 1)];
    // Two of the samples are there for their faults.
    if (pattern === undefined || name.includes("faults")) continue;
    const text = readFileSync(new URL(name, FOLDER), "utf8");
    for (const match of text.matchAll(pattern)) {
      const [[keyAt] = [0, 0], valueAt = [0, 0]] = match.indices?.slice(1) ?? [];
      yield { name, text, key: match[1] ?? "", keyAt, valueAt };
    }
  }
}

/** `code key` of each finding, as often as it is told. */
function found(name: string, text: string): string[] {
  return readConfiguration([{ name, text }]).faults.map(({ code, key }) => `${code} ${key}`);
}

/** What is found in the changed text and was not before. */
function added({ name, text }: Line, changed: string): string[] {
  const before = found(name, text);
  return found(name, changed).filter((told) => !before.includes(told));
}

suite("what follows from one fault is not told beside it", () => {
  for (const value of ["zzz~q", "{{ value }}"]) {
    test(`a value that is none: ${value}`, () => {
      let refused = 0;
      for (const line of lines()) {
        // In YAML braces make a map, which is no value at all.
        if (value.startsWith("{") && line.name.endsWith(".yaml")) continue;
        const [from, to] = line.valueAt;
        const told = added(line, `${line.text.slice(0, from)}${value}${line.text.slice(to)}`);
        if (told.length === 0) continue;
        refused += 1;
        const code = /^(bad-value|out-of-range|unfilled-placeholder) /;
        assert.match(told[0] ?? "", code, `${line.name}: ${line.key}`);
        assert.equal(told.length, 1, `${line.name}: ${line.key}: ${told.join(", ")}`);
      }
      assert.ok(refused > 150, `${refused} refused`);
    });
  }

  test("a key with two letters in each other's place", () => {
    let misspelt = 0;
    for (const line of lines()) {
      const { key, keyAt, text } = line;
      const at = keyAt + key.length - 2;
      const [one = "", other = ""] = text.slice(at, at + 2);
      if (one === other || UNGUESSED.test(key)) continue;
      const told = added(line, `${text.slice(0, at)}${other}${one}${text.slice(at + 2)}`);
      // The makers have keys of their own that look like it.
      if (told.length === 0) continue;
      misspelt += 1;
      assert.match(told[0] ?? "", /^unknown-key /, `${line.name}: ${key}`);
      assert.equal(told.length, 1, `${line.name}: ${key}: ${told.join(", ")}`);
    }
    assert.ok(misspelt > 200, `${misspelt} misspelt`);
  });
});
