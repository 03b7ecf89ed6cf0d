/** Where a phone stands when nobody says it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bindAddressFor } from "../../../src/core/phone/bind-address.ts";
import { defaultAccount, defaultPolicy } from "../../../src/core/redundancy/policy-defaults.ts";

function bound(...accounts: readonly (readonly string[])[]): string {
  return bindAddressFor(
    accounts.map((servers) => defaultAccount("2001", defaultPolicy(...servers))),
  );
}

test("a phone whose servers are all IPv6 addresses speaks IPv6, any other one IPv4", () => {
  assert.equal(bound(["2001:db8::1", "2001:db8::2"]), "::");
  assert.equal(bound(["2001:db8::1"], ["192.0.2.1"]), "0.0.0.0");
  assert.equal(bound(["pbx.example.com"]), "0.0.0.0");
  assert.equal(bound(), "0.0.0.0");
});
