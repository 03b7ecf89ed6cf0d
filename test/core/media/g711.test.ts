/** G.711 by its defining properties and the known codewords of ITU-T G.711 tables 1 and 2. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type G711, PCMA, PCMU } from "../../../src/core/media/g711.ts";

function encode(codec: G711, ...samples: number[]): number[] {
  const bytes = new Uint8Array(samples.length);
  codec.encode(Int16Array.from(samples), bytes, 0);
  return [...bytes];
}

function decode(codec: G711, ...bytes: number[]): number[] {
  const samples = new Int16Array(bytes.length);
  codec.decode(Uint8Array.from(bytes), 0, bytes.length, samples, 0);
  return [...samples];
}

const EVERY_BYTE = Array.from({ length: 256 }, (_, byte) => byte);

test("silence is FF in µ-law and D5 in A-law (R126)", () => {
  assert.deepEqual(encode(PCMU, 0), [0xff]);
  assert.deepEqual(encode(PCMA, 0), [0xd5]);
});

test("full scale has the end values of both tables", () => {
  assert.deepEqual(encode(PCMU, 32_767, -32_768), [0x80, 0x00]);
  assert.deepEqual(encode(PCMA, 32_767, -32_768), [0xaa, 0x2a]);
  assert.deepEqual(decode(PCMU, 0x80, 0x00, 0xff, 0x7f), [32_124, -32_124, 0, 0]);
  assert.deepEqual(decode(PCMA, 0xaa, 0x2a, 0xd5, 0x55), [32_256, -32_256, 8, -8]);
});

for (const codec of [PCMU, PCMA]) {
  test(`${codec.name}: each byte survives decoding and encoding`, () => {
    const back = encode(codec, ...decode(codec, ...EVERY_BYTE));
    // µ-law has two zeros; the negative one comes back as the positive.
    const expected = codec === PCMU ? EVERY_BYTE.map((b) => (b === 0x7f ? 0xff : b)) : EVERY_BYTE;
    assert.deepEqual(back, expected);
  });

  test(`${codec.name}: no sample is decoded further off than half the step of its segment`, () => {
    for (let sample = -32_768; sample <= 32_767; sample += 7) {
      const [byte] = encode(codec, sample) as [number];
      const [decoded] = decode(codec, byte) as [number];
      const clipped = Math.max(-32_635, Math.min(32_635, sample));
      assert.ok(
        Math.abs(decoded - clipped) <= Math.max(8, Math.abs(clipped) / 32 + 8),
        `${sample} ${decoded}`,
      );
    }
  });
}

test("decoding stops where its room ends", () => {
  const samples = new Int16Array(3);
  PCMU.decode(new Uint8Array(10), 0, 10, samples, 1);
  assert.deepEqual([...samples], [0, -32_124, -32_124]);
});
