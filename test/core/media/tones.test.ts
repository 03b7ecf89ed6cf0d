/** Tones, silence and played samples, exact to the sample. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { playback, ringback, SAMPLE_RATE, silence, tone } from "../../../src/core/media/tones.ts";

function read(source: ReturnType<typeof tone>, samples: number, packet = 160): Int16Array {
  const all = new Int16Array(samples);
  for (let at = 0; at < samples; at += packet) source.read(all.subarray(at, at + packet));
  return all;
}

function risingCrossings(samples: Int16Array): number {
  let count = 0;
  for (let at = 1; at < samples.length; at += 1) {
    if ((samples[at - 1] as number) < 0 && (samples[at] as number) >= 0) count += 1;
  }
  return count;
}

test("the tone is 440 Hz, exact over any number of seconds", () => {
  const samples = read(tone(), 10 * SAMPLE_RATE);
  assert.equal(risingCrossings(samples), 4399);
  assert.deepEqual(samples.subarray(9 * SAMPLE_RATE), samples.subarray(0, SAMPLE_RATE));
});

test("how a tone is cut into packets does not change it", () => {
  assert.deepEqual(read(tone(425), 1600, 7), read(tone(425), 1600, 160));
});

test("ringback sounds two seconds in six", () => {
  const samples = read(ringback(), 12 * SAMPLE_RATE);
  for (const start of [0, 6]) {
    const on = samples.subarray(start * SAMPLE_RATE, (start + 2) * SAMPLE_RATE);
    const off = samples.subarray((start + 2) * SAMPLE_RATE, (start + 6) * SAMPLE_RATE);
    assert.ok(on.some((sample) => Math.abs(sample) > 12_000));
    assert.ok(off.every((sample) => sample === 0));
  }
});

test("samples play once and are followed by silence, or repeat without a gap", () => {
  const samples = Int16Array.of(1, 2, 3);
  assert.deepEqual([...read(playback(samples, false), 6, 4)], [1, 2, 3, 0, 0, 0]);
  assert.deepEqual([...read(playback(samples, true), 7, 4)], [1, 2, 3, 1, 2, 3, 1]);
  assert.deepEqual([...read(playback(new Int16Array(0), true), 2)], [0, 0]);
  assert.ok(read(silence(), 320).every((sample) => sample === 0));
});
