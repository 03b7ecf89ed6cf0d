/** What somebody has heard: which tone it is, and how much of it, in recordings that may still be growing. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { SAMPLE_RATE } from "../../src/core/media/tones.ts";

/** As much as a packet of audio has: a gap that a busy machine makes spoils the pieces that it touches and no more. */
const PIECE_SAMPLES = SAMPLE_RATE / 50;
/** Of a WAV file with nothing in it but audio. Many programs write it when they close the file. */
const HEADER_BYTES = 44;
const BYTES_PER_SAMPLE = 2;

/** The seconds that are a tone of so many hertz and nothing else, in pieces of 20 ms. */
export function secondsOfTone(samples: Int16Array, hertz: number): number {
  let pure = 0;
  for (let at = 0; at + PIECE_SAMPLES <= samples.length; at += PIECE_SAMPLES) {
    if (shareOfTone(samples.subarray(at, at + PIECE_SAMPLES), hertz) > 0.9) pure += 1;
  }
  return (pure * PIECE_SAMPLES) / SAMPLE_RATE;
}

/** The samples that are so far in a WAV file of 16 bits and 8 kHz; none where there is no file yet. */
export function recordedIn(path: string): Int16Array {
  if (!existsSync(path)) return new Int16Array();
  const bytes = readFileSync(path);
  const samples = new Int16Array(
    Math.floor(Math.max(0, bytes.length - HEADER_BYTES) / BYTES_PER_SAMPLE),
  );
  for (let at = 0; at < samples.length; at += 1) {
    samples[at] = bytes.readInt16LE(HEADER_BYTES + at * BYTES_PER_SAMPLE);
  }
  return samples;
}

/** Reads a stream of PCM until so many seconds of it have been a tone and nothing else; ten seconds at most. */
export async function hearTone(stream: Readable, hertz: number, seconds: number): Promise<void> {
  const heard: number[] = [];
  for await (const chunk of stream) {
    const bytes = chunk as Buffer;
    for (let at = 0; at < bytes.length; at += BYTES_PER_SAMPLE) heard.push(bytes.readInt16LE(at));
    if (secondsOfTone(Int16Array.from(heard), hertz) >= seconds) return;
    if (heard.length > 10 * SAMPLE_RATE) break;
  }
  assert.fail(`${seconds} s of ${hertz} Hz are not heard`);
}

/** How much of what was heard is a tone of so many hertz: 0 nothing, 1 all (Goertzel's algorithm). */
function shareOfTone(samples: Int16Array, hertz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hertz) / SAMPLE_RATE);
  let before = 0;
  let beforeThat = 0;
  let energy = 0;
  for (const sample of samples) {
    const now = sample + coefficient * before - beforeThat;
    beforeThat = before;
    before = now;
    energy += sample * sample;
  }
  if (energy === 0) return 0;
  const power = before ** 2 + beforeThat ** 2 - coefficient * before * beforeThat;
  return (2 * power) / (samples.length * energy);
}
