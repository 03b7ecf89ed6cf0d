/** What `dialtone phone` says to wrong flags (contract.md: exit 2, all faults at once). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { flagFaults } from "../../src/apps/phone-options.ts";

const RIGHT = { config: ["a.cfg"], answer: "auto", bind: "0.0.0.0" };

test("right flags have no faults", () => {
  assert.deepEqual(flagFaults({ ...RIGHT, call: "sip:2099@pbx.example.com", for: "3" }), []);
});

test("every fault is told at once, with what to write instead", () => {
  const faults = flagFaults({
    ...RIGHT,
    answer: "never",
    bind: "here",
    port: "70000",
    account: "0",
    for: "-1",
    call: "sip:a b@c",
  });
  assert.equal(faults.length, 6);
  for (const fault of faults) assert.match(fault, /^command line: --\w+: .*; write /);
});

test("what only a call has a use for needs one", () => {
  assert.match(flagFaults({ ...RIGHT, record: "a.wav" }).join(), /--record: needs --call/);
});
