/** CSeq. */
import assert from "node:assert/strict";
import test from "node:test";
import { parseCSeq, printCSeq } from "../../../src/core/message/cseq.ts";

test("a CSeq is a number below 2^31 and a method", () => {
  assert.deepEqual(parseCSeq("0009  INVITE"), { number: 9, method: "INVITE" });
  assert.deepEqual(parseCSeq("2147483647 FOO.bar"), { number: 2_147_483_647, method: "FOO.bar" });
  assert.deepEqual(parseCSeq(printCSeq(3, "ACK")), { number: 3, method: "ACK" });
  for (const text of [
    "",
    "1",
    "INVITE",
    "1INVITE",
    "-1 INVITE",
    "2147483648 INVITE",
    "1 IN VITE",
    "1 (x)",
  ]) {
    assert.equal(parseCSeq(text), undefined, text);
  }
  assert.equal(parseCSeq(`${"9".repeat(400)} INVITE`), undefined);
});
