/** The wait before everything is tried anew (RFC 5626 §4.5). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { backoffMs } from "../../../src/core/redundancy/backoff.ts";

const LOW = { uint32: () => 0 };
const HIGH = { uint32: () => 0xffff_ffff };

/** The least and the most that chance makes of a wait, in seconds. */
function range(failures: number, baseMs = 30_000): [number, number] {
  const backoff = { kind: "rfc5626", baseMs, maxMs: 1_800_000 } as const;
  return [LOW, HIGH].map((chance) => Math.round(backoffMs(backoff, failures, chance) / 1000)) as [
    number,
    number,
  ];
}

test("it doubles with each failure up to half an hour, and chance takes up to half of it off (R97)", () => {
  assert.deepEqual(range(1), [30, 60]);
  assert.deepEqual(range(2), [60, 120]);
  assert.deepEqual(range(5), [480, 960]);
  assert.deepEqual(range(6), [900, 1800]);
  assert.deepEqual(range(60), [900, 1800], "and stays there");
  assert.deepEqual(range(1, 90_000), [90, 180], "while another flow lives");
});

test("a fixed wait is what it says, but never less than a second", () => {
  const fixed = (intervalMs: number): number => backoffMs({ kind: "fixed", intervalMs }, 9, HIGH);
  assert.equal(fixed(30_000), 30_000);
  assert.equal(fixed(0), 1000);
});
