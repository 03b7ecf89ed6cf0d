/** What the system's errors mean to a flow. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { causeOf, causeOfBind } from "../../src/worlds/node/carrier.ts";

const failing = (code: string): Error => Object.assign(new Error(code), { code });

for (const [code, cause, icmp] of [
  ["ECONNREFUSED", "refused", "port unreachable"],
  ["ENOPROTOOPT", "unreachable", "protocol unreachable"],
  ["EHOSTUNREACH", "unreachable", "host unreachable"],
  ["ENETUNREACH", "unreachable", "network unreachable"],
  ["EHOSTDOWN", "unreachable", "host unknown"],
  ["ENONET", "unreachable", "host isolated"],
  ["EPROTO", "failed", "parameter problem"],
] as const) {
  test(`${code}, as ICMP's "${icmp}" is told, ends a flow as "${cause}" (R49)`, () => {
    assert.equal(causeOf(failing(code)), cause);
  });
}

test("an address that this machine does not have cannot be bound, but may be unreachable", () => {
  assert.equal(causeOfBind(failing("EADDRNOTAVAIL")), "denied");
  assert.equal(causeOf(failing("EADDRNOTAVAIL")), "unreachable");
});

test("what is no error of the system is a failure without a better word", () => {
  for (const thrown of ["text", new Error("no code"), { code: "ECONNREFUSED" }]) {
    assert.equal(causeOf(thrown), "failed");
  }
});
