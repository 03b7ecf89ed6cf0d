/** The pure digests, against known vectors and Node's own. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";
import fc from "fast-check";
import { md5 } from "../../../src/core/message/hash-md5.ts";
import { sha256 } from "../../../src/core/message/hash-sha256.ts";

test("the vectors of RFC 1321 §A.5 hold", () => {
  assert.equal(md5(""), "d41d8cd98f00b204e9800998ecf8427e");
  assert.equal(md5("a"), "0cc175b9c0f1b6a831c399e269772661");
  assert.equal(md5("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
  assert.equal(md5("1234567890".repeat(8)), "57edf4a22be3c955ac49da2e2107b67a");
});

test("the vectors of FIPS 180-4 hold", () => {
  assert.equal(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert.equal(
    sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
  );
});

test("any latin1 text gives what Node's crypto gives", () => {
  const byte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
  const texts = fc.array(byte, { maxLength: 200 }).map((bytes) => bytes.join(""));
  fc.assert(
    fc.property(texts, (text) => {
      const other = (name: string) => createHash(name).update(text, "latin1").digest("hex");
      assert.equal(md5(text), other("md5"));
      assert.equal(sha256(text), other("sha256"));
    }),
  );
});
