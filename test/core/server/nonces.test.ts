/** Nonces that verify themselves (RFC 7616 §3.3, §5.4). */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Hash } from "../../../src/core/primitives.ts";
import { Nonces } from "../../../src/core/server/nonces.ts";

const hash: Hash = {
  md5: (text) => createHash("md5").update(text, "latin1").digest("hex"),
  sha256: (text) => createHash("sha256").update(text, "latin1").digest("hex"),
};

let draws = 0;
const entropy = { uint32: () => ++draws };

function nonces(secret = "shared", limit = 10): Nonces {
  return new Nonces(hash, entropy, secret, 60, limit);
}

test("a nonce proves itself: to another node with the secret, to no other", () => {
  const nonce = nonces().issue(1000);
  assert.equal(nonces().judge(nonce, 1, "r", 1010), "fresh");
  assert.equal(nonces("other").judge(nonce, 1, "r", 1010), "forged");
  assert.equal(nonces().judge(`${nonce}0`, 1, "r", 1010), "forged");
  assert.equal(nonces().judge("", 1, "r", 1010), "forged");
});

test("an old nonce is stale, used or not (R107)", () => {
  const table = nonces();
  const nonce = table.issue(1000);
  assert.equal(table.judge(nonce, 1, "r", 1061), "stale");
  table.commit(nonce, 1, "r", 1001);
  assert.equal(table.judge(nonce, 2, "r", 1061), "stale");
});

test("a count is good once, in whatever order the requests arrive (R107)", () => {
  const table = nonces();
  const nonce = table.issue(1000);
  const used = (count: number, request: string): string => {
    const verdict = table.judge(nonce, count, request, 1001);
    if (verdict === "fresh") table.commit(nonce, count, request, 1001);
    return verdict;
  };
  assert.equal(used(1, "a"), "fresh");
  assert.equal(used(3, "c"), "fresh");
  assert.equal(used(2, "b"), "fresh");
  assert.equal(used(2, "x"), "replayed");
  assert.equal(used(1, "a"), "replayed");
  assert.equal(used(3, "c"), "again");
  assert.equal(used(3, "x"), "replayed");
  assert.equal(used(90, "y"), "fresh");
  assert.equal(used(40, "z"), "replayed");
});

test("a request is a retransmission for as long as one can be under way", () => {
  const table = nonces();
  const nonce = table.issue(1000);
  table.commit(nonce, 1, "a", 1001);
  assert.equal(table.judge(nonce, 1, "a", 1033), "again");
  assert.equal(table.judge(nonce, 1, "a", 1034), "replayed");
  assert.equal(table.judge(nonce, 1, "b", 1001), "replayed");
});

test("a nonce pushed out of the bounded memory is stale, never believed again", () => {
  const table = nonces("shared", 2);
  const first = table.issue(1000);
  table.commit(first, 1, "r", 1000);
  for (const at of [1001, 1002]) table.commit(table.issue(at), 1, "r", at);
  assert.equal(table.judge(first, 1, "r", 1003), "stale");
  assert.equal(table.judge(table.issue(1003), 1, "r", 1003), "fresh");
});

test("a nonce in use keeps nothing alive of the packet it came in", () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const table = nonces("shared", 5_000);
  const heap = (): number => {
    for (let round = 0; round < 3; round += 1) collect();
    return process.memoryUsage().heapUsed;
  };
  const before = heap();
  for (let count = 0; count < 5_000; count += 1) {
    const packet = Buffer.from(`${table.issue(1000)} ${"a".repeat(64)} ${"x".repeat(4_000)}`);
    const text = packet.toString("latin1");
    const end = text.indexOf(" ");
    table.commit(text.slice(0, end), 1, text, 1000);
  }
  const each = (heap() - before) / 5_000;
  assert.ok(each < 400, `${Math.round(each)} bytes a nonce`);
});
