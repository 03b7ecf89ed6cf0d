/** WAV files of the common forms, read as mono 8 kHz and written so. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PCMA, PCMU } from "../../../src/core/media/g711.ts";
import { readWav, writeWav } from "../../../src/core/media/wav.ts";

interface Form {
  readonly tag: number;
  readonly channels: number;
  readonly rate: number;
  readonly bits: number;
}

function wav(form: Form, data: Uint8Array, before: Uint8Array = new Uint8Array(0)): Uint8Array {
  const fmt = Buffer.alloc(24);
  fmt.write("fmt ", 0, "latin1");
  fmt.writeUInt32LE(16, 4);
  fmt.writeUInt16LE(form.tag, 8);
  fmt.writeUInt16LE(form.channels, 10);
  fmt.writeUInt32LE(form.rate, 12);
  fmt.writeUInt16LE(form.bits, 22);
  const head = Buffer.alloc(8);
  head.write("data", 0, "latin1");
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([Buffer.from("RIFF\0\0\0\0WAVE", "latin1"), fmt, before, head, data]);
}

function samplesOf(bytes: Uint8Array): Int16Array {
  const read = readWav(bytes);
  assert.equal(read.kind, "audio");
  return (read as { samples: Int16Array }).samples;
}

const SAMPLES = Int16Array.of(0, 1000, -1000, 32_767, -32_768);

test("what was written is read back, at any place in memory", () => {
  const written = writeWav(SAMPLES);
  assert.deepEqual(samplesOf(written), SAMPLES);
  const shifted = new Uint8Array(written.length + 3);
  shifted.set(written, 3);
  assert.deepEqual(samplesOf(shifted.subarray(3)), SAMPLES);
});

test("eight-bit, A-law and µ-law files become sixteen bits", () => {
  const eight = { channels: 1, rate: 8000, bits: 8 };
  assert.deepEqual(
    [...samplesOf(wav({ tag: 1, ...eight }, Uint8Array.of(128, 255, 0)))],
    [0, 127 * 256, -32_768],
  );
  for (const [tag, codec] of [
    [6, PCMA],
    [7, PCMU],
  ] as const) {
    const expected = new Int16Array(2);
    codec.decode(Uint8Array.of(0x12, 0xd0), 0, 2, expected, 0);
    assert.deepEqual(samplesOf(wav({ tag, ...eight }, Uint8Array.of(0x12, 0xd0))), expected);
  }
});

test("two channels are mixed, unknown chunks of odd length are skipped", () => {
  const data = new Uint8Array(Int16Array.of(100, 300, -100, -300).buffer);
  const other = Buffer.from("LIST\x03\0\0\0abc\0", "latin1");
  const read = samplesOf(wav({ tag: 1, channels: 2, rate: 8000, bits: 16 }, data, other));
  assert.deepEqual([...read], [200, -200]);
});

for (const rate of [16_000, 44_100, 48_000, 6000]) {
  test(`a 440 Hz sine at ${rate} Hz is a 440 Hz sine at 8 kHz`, () => {
    const sine = (count: number, per: number) =>
      Int16Array.from(
        { length: count },
        (_, n) => 10_000 * Math.sin((2 * Math.PI * 440 * n) / per),
      );
    const form = { tag: 1, channels: 1, rate, bits: 16 };
    const read = samplesOf(wav(form, new Uint8Array(sine(rate, rate).buffer)));
    const expected = sine(8000, 8000);
    assert.equal(read.length, 8000);
    for (let at = 200; at < 7800; at += 1) {
      assert.ok(Math.abs((read[at] as number) - (expected[at] as number)) < 100, `sample ${at}`);
    }
  });
}

test("what lies above 4 kHz does not fold into the voice band", () => {
  const tone = Int16Array.from(
    { length: 48_000 },
    (_, n) => 10_000 * Math.sin((2 * Math.PI * 7000 * n) / 48_000),
  );
  const read = samplesOf(
    wav({ tag: 1, channels: 1, rate: 48_000, bits: 16 }, new Uint8Array(tone.buffer)),
  );
  assert.ok(read.subarray(200, 7800).every((sample) => Math.abs(sample) < 100));
});

test("a recording whose length was never filled in gives what is there", () => {
  const bytes = writeWav(SAMPLES);
  new DataView(bytes.buffer).setUint32(40, 0xffff_ffff, true);
  assert.deepEqual(samplesOf(bytes), SAMPLES);
});

test("a wrong file is a value that says why", () => {
  const why = (bytes: Uint8Array) => {
    const read = readWav(bytes);
    return read.kind === "bad-wav" ? read.why : "none";
  };
  const form = { tag: 1, channels: 1, rate: 8000, bits: 16 };
  assert.equal(why(new Uint8Array(0)), "not a RIFF WAVE file");
  assert.equal(why(Buffer.from("RIFF\0\0\0\0WAVEfmt ", "latin1")), "no data");
  assert.equal(
    why(wav({ ...form, bits: 24 }, new Uint8Array(4))),
    "format 1 with 24 bits a sample",
  );
  assert.equal(why(wav({ ...form, channels: 6 }, new Uint8Array(4))), "6 channels");
  assert.equal(why(wav({ ...form, rate: 1 }, new Uint8Array(4))), "1 samples a second");
});
