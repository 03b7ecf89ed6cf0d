/** What `dialtone phone` says to wrong flags (contract.md: exit 2, all faults at once). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { instanceOf } from "../../src/api/phone-setup.ts";
import { flagFaults } from "../../src/apps/phone-options.ts";
import { defaultAccount, defaultPolicy } from "../../src/core/redundancy/policy-defaults.ts";

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

test("numbers are written in digits, and a call is hung up within a day", () => {
  for (const port of ["", "1e3", "0x10", "-1", " 5060"]) {
    assert.match(flagFaults({ ...RIGHT, port }).join(), /--port: ".*" is no port/, port);
  }
  for (const seconds of ["", "1e3", "Infinity", "86401", "10000000"]) {
    const told = flagFaults({ ...RIGHT, call: "2002", for: seconds }).join();
    assert.match(told, /--for: ".*" is no time/, seconds);
  }
  assert.deepEqual(flagFaults({ ...RIGHT, call: "2002", for: "0.5", port: "0" }), []);
});

test("what only a call has a use for needs one", () => {
  assert.match(flagFaults({ ...RIGHT, record: "a.wav" }).join(), /--record: needs --call/);
});

test("a phone has the same instance after each start, and another phone another one (R88)", () => {
  const instance = (user: string): string =>
    instanceOf({ accounts: [defaultAccount(user, defaultPolicy("192.0.2.1"))] });
  assert.match(
    instance("2001"),
    /^urn:uuid:[\da-f]{8}-[\da-f]{4}-5[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
  );
  assert.equal(instance("2001"), instance("2001"));
  assert.notEqual(instance("2001"), instance("2002"));
});
