/** The order of SRV records, judged over many draws (RFC 2782). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { orderSrv, type SrvRecord } from "../../../src/core/locate/srv-order.ts";
import { seeded, srv } from "./asking.ts";

const DRAWS = 100_000;

/** Upper 0.1 % point of the chi-square distribution with 1, 2, 3 … degrees of freedom. */
const CHI_SQUARE = [10.83, 13.82, 16.27, 18.47];

/** The chance of each record to be drawn first, by the letter of RFC 2782: 0..sum, both ends included. */
function chancesOf(records: readonly SrvRecord[]): Map<string, number> {
  const line = [
    ...records.filter(({ weight }) => weight === 0),
    ...records.filter(({ weight }) => weight > 0),
  ];
  const sum = line.reduce((total, { weight }) => total + weight, 0);
  const chances = new Map<string, number>();
  let reached = -1;
  let running = 0;
  for (const { target, weight } of line) {
    running += weight;
    chances.set(target, (running - reached) / (sum + 1));
    reached = running;
  }
  return chances;
}

for (const weights of [
  [60, 40],
  [1, 2, 3],
  [0, 0, 10, 90],
  [0, 5],
  [65535, 65535, 1],
]) {
  test(`weights ${weights.join(" ")} are drawn as RFC 2782 says, over 100k draws (R75)`, () => {
    const records = weights.map((weight, index) => srv("s", 1, weight, 5060, `h${index}`));
    const chances = chancesOf(records);
    const seen = new Map<string, number>();
    const entropy = seeded(20261121);
    for (let draw = 0; draw < DRAWS; draw += 1) {
      const first = orderSrv(records, "rfc2782", entropy)[0]?.record.target as string;
      seen.set(first, (seen.get(first) ?? 0) + 1);
    }
    let chiSquare = 0;
    let cells = 0;
    for (const [target, chance] of chances) {
      const expected = chance * DRAWS;
      if (chance === 0) assert.equal(seen.get(target), undefined);
      else {
        cells += 1;
        chiSquare += ((seen.get(target) ?? 0) - expected) ** 2 / expected;
      }
    }
    assert.ok(chiSquare < (CHI_SQUARE[cells - 2] as number), `chi-square ${chiSquare}`);
  });
}

test("a lower priority value always comes first, whatever the weights (R74)", () => {
  const records = [
    srv("s", 20, 65535, 1, "late"),
    srv("s", 10, 0, 1, "first"),
    srv("s", 15, 1, 1, "second"),
  ];
  for (let seed = 1; seed < 200; seed += 1) {
    const order = orderSrv(records, "rfc2782", seeded(seed)).map(({ record }) => record.target);
    assert.deepEqual(order, ["first", "second", "late"]);
  }
});

test("every record comes exactly once", () => {
  const records = [0, 0, 1, 5, 9].map((weight, index) => srv("s", 1, weight, 1, `h${index}`));
  for (let seed = 1; seed < 200; seed += 1) {
    const order = orderSrv(records, "rfc2782", seeded(seed)).map(({ record }) => record.target);
    assert.deepEqual(order.sort(), ["h0", "h1", "h2", "h3", "h4"]);
  }
});

test("highest-weight-first draws nothing: weight 2 beats weight 1 always (D6)", () => {
  const records = [srv("s", 1, 1, 1, "b"), srv("s", 1, 2, 1, "a"), srv("s", 0, 0, 1, "top")];
  const entropy = { uint32: () => assert.fail("no chance here") };
  const order = orderSrv(records, "highest-weight-first", entropy);
  assert.deepEqual(
    order.map(({ record }) => record.target),
    ["top", "a", "b"],
  );
});
