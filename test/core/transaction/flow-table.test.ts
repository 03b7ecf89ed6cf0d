/** Flows found by place: as a list of all of them would say, however many share a listener, an address or a place. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Opening, Target } from "../../../src/core/machine.ts";
import { FlowRecord } from "../../../src/core/transaction/flow-record.ts";
import { FlowTable } from "../../../src/core/transaction/flow-table.ts";

const place = fc.record({
  transport: fc.constantFrom("udp", "tcp"),
  address: fc.constantFrom("10.0.0.1", "10.0.0.1", "10.0.0.2", "10.0.0.3"),
  port: fc.integer({ min: 5060, max: 5073 }),
});
const step = fc.record({
  place,
  from: fc.constantFrom(1, 1, 1, 2),
  connected: fc.boolean(),
  /** Takes one out instead, as far along as this says. */
  removes: fc.oneof(
    { arbitrary: fc.constant(undefined), weight: 3 },
    { arbitrary: fc.double({ min: 0, max: 0.999, noNaN: true }), weight: 1 },
  ),
});

function fits(record: FlowRecord, { transport, address, port }: Target, opening: Opening): boolean {
  const { asked, from, connected } = record;
  if (asked.transport !== transport || asked.address !== address) return false;
  if (asked.port !== port || from !== opening.from) return false;
  return transport !== "udp" || connected || !opening.connected;
}

test("the newest flow that serves is found, of few and of many with one listener or one address", () => {
  const steps = fc.array(step, { minLength: 1, maxLength: 120, size: "max" });
  fc.assert(
    fc.property(steps, fc.array(place, { minLength: 5, maxLength: 5 }), (taken, asked) => {
      const table = new FlowTable();
      const all: FlowRecord[] = [];
      for (const [number, { place: at, from, connected, removes }] of taken.entries()) {
        const [gone] = removes === undefined ? [] : all.splice(Math.floor(removes * all.length), 1);
        if (gone !== undefined) table.remove(gone);
        else {
          const peer = { ...at, localAddress: "10.0.0.9", localPort: 5060, listener: from };
          all.unshift(new FlowRecord(0, number + 1, peer, at, from, connected, "open"));
          table.add(all[0] as FlowRecord);
        }
        for (const target of [at, ...asked]) {
          for (const opening of [
            { from: 1, connected: true },
            { from: 2, connected: false },
          ]) {
            const expected = all.find((record) => fits(record, target, opening));
            assert.equal(table.match(target, opening)?.id, expected?.id);
          }
        }
      }
      for (const record of all) table.remove(record);
      assert.equal(table.size, 0);
      for (const target of asked) {
        assert.equal(table.match(target, { from: 1, connected: false }), undefined);
      }
    }),
    { numRuns: 200, seed: 20_261_122 },
  );
});
