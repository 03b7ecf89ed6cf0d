/** Things by the number of their flow, against a Map of each side. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FlowMap } from "../../src/core/flow-map.ts";
import { Prng } from "../../src/worlds/sim/prng.ts";

const STEPS = 3000;

interface Thing {
  readonly flow: number;
}

test("flows of both sides are found, counted and forgotten, in the order of their numbers", () => {
  const prng = new Prng(5, 1);
  const flows = new FlowMap<Thing>();
  const expected = new Map<number, Thing>();
  const last = { ours: 0, theirs: 0 };
  for (let step = 0; step < STEPS; step += 1) {
    const flow = prng.chance(0.5) ? ++last.ours : --last.theirs;
    const gone = prng.between(last.theirs, last.ours);
    assert.equal(flows.delete(gone), expected.delete(gone));
    flows.set(flow, { flow });
    expected.set(flow, { flow });
    assert.equal(flows.size, expected.size);
    const asked = prng.between(last.theirs, last.ours);
    assert.equal(flows.get(asked)?.flow, expected.get(asked)?.flow);
  }
  for (const sign of [1, -1]) {
    const mine = (flow: number): boolean => Math.sign(flow) === sign;
    assert.deepEqual(
      [...flows.values()].map(({ flow }) => flow).filter(mine),
      [...expected.keys()].filter(mine),
    );
  }
  for (const [flow, thing] of flows.entries()) assert.equal(thing.flow, flow);
  flows.clear();
  assert.deepEqual([flows.size, [...flows.values()]], [0, []]);
});

test("a flow may be forgotten while all are gone through, and another put in", () => {
  const flows = new FlowMap<Thing>();
  for (let flow = 1; flow <= 200; flow += 1) flows.set(flow, { flow });
  const seen: number[] = [];
  for (const { flow } of flows.values()) {
    seen.push(flow);
    flows.delete(flow);
    if (flow % 2 === 0) flows.delete(flow + 1);
    if (flow === 200) flows.set(201, { flow: 201 });
  }
  assert.deepEqual(seen, [1, ...Array.from({ length: 100 }, (_, index) => 2 * index + 2), 201]);
  assert.equal(flows.size, 0);
});
