/** Lists of tokens. */
import assert from "node:assert/strict";
import test from "node:test";
import { Headers } from "../../../src/core/message/headers.ts";
import { lists, tokensOf } from "../../../src/core/message/token-list.ts";

test("lists of several lines are one list (R9)", () => {
  const headers = new Headers().add("supported", "path, outbound ,").add("supported", " gruu");
  assert.deepEqual(tokensOf(headers, "supported"), ["path", "outbound", "gruu"]);
  assert.deepEqual(tokensOf(headers, "allow"), []);
});

test("option tags are found in any case, methods only in their own (RFC 3261 §7.1)", () => {
  const headers = new Headers().add("supported", "Path").add("allow", "Invite, ACK");
  assert.equal(lists(headers, "supported", "path"), true);
  assert.equal(lists(headers, "allow", "INVITE", true), false);
  assert.equal(lists(headers, "allow", "ACK", true), true);
});
