/** Chance, digests and text of the node world agree with the pure ones. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { nodePrimitives } from "../../src/worlds/node/primitives.ts";

test("draws fill 32 bits and differ", () => {
  const { entropy } = nodePrimitives();
  const draws = new Set<number>();
  let bits = 0;
  for (let draw = 0; draw < 3000; draw += 1) {
    const word = entropy.uint32();
    ok(Number.isInteger(word) && word >= 0 && word < 2 ** 32);
    draws.add(word);
    bits |= word;
  }
  ok(draws.size > 2990);
  equal(bits, -1);
});

test("digests are of bytes, not of UTF-8 (RFC 7616)", () => {
  const { hash } = nodePrimitives();
  for (const text of ["", "alice:example.com:zanzibar", "caf\u00e9:\u00ff\u0000"]) {
    const bytes = Buffer.from(text, "latin1");
    equal(hash.md5(text), createHash("md5").update(bytes).digest("hex"));
    equal(hash.sha256(text), createHash("sha256").update(bytes).digest("hex"));
  }
});

test("every byte becomes one character and comes back", () => {
  const { bytes } = nodePrimitives();
  const all = Uint8Array.from({ length: 256 }, (_, index) => index);
  const text = bytes.toText(all);
  equal(text.length, 256);
  deepEqual(Uint8Array.from(bytes.fromText(text)), all);
  equal(bytes.toText(all.subarray(65, 68)), "ABC");
});
