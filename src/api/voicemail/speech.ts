/** What a caller says after the tone, and how it is kept: µ-law at 8 kHz, a byte a sample (ITU-T G.711). */
import type { Readable } from "node:stream";
import { PCMU } from "../../core/media/g711.ts";
import { SAMPLE_RATE, tone } from "../../core/media/tones.ts";
import { CALLER_SILENCE_MS } from "./limits.ts";
import type { Talk } from "./talk.ts";

/** Who hangs up before has said nothing. */
export const LEAST_SAMPLES: number = SAMPLE_RATE;

const BEEP_HERTZ = 880;

/** Speak now. */
export const BEEP: Int16Array = new Int16Array(0.4 * SAMPLE_RATE);
tone(BEEP_HERTZ).read(BEEP);

/** What is heard until the caller presses a key, is gone, has been silent for long, or has said enough. */
export async function* spoken(talk: Talk, seconds: number): AsyncGenerator<Int16Array, void> {
  let left = seconds * SAMPLE_RATE;
  for await (const bytes of heardOf(talk, seconds)) {
    const samples = samplesOf(bytes as Buffer).subarray(0, left);
    left -= samples.length;
    yield samples;
    if (left === 0) return;
  }
}

export function muLaw(samples: Int16Array): Uint8Array {
  const encoded = new Uint8Array(samples.length);
  PCMU.encode(samples, encoded, 0);
  return encoded;
}

export function fromMuLaw(encoded: Uint8Array): Int16Array {
  const samples = new Int16Array(encoded.length);
  PCMU.decode(encoded, 0, encoded.length, samples, 0);
  return samples;
}

function heardOf({ call, heard: speaks }: Talk, seconds: number): Readable {
  const heard = call.listen();
  const end = (): void => {
    if (!heard.readableEnded) heard.push(null);
  };
  const longest = setTimeout(end, seconds * 1_000);
  let silence: NodeJS.Timeout | undefined;
  const silenced = (): void => {
    clearTimeout(silence);
    silence = setTimeout(end, CALLER_SILENCE_MS);
  };
  if (!speaks) silenced();
  const heardAgain = (): void => clearTimeout(silence);
  call.on("silenced", silenced).on("heard", heardAgain).once("key-pressed", end);
  heard.once("close", () => {
    clearTimeout(longest);
    clearTimeout(silence);
    call.off("silenced", silenced).off("heard", heardAgain).off("key-pressed", end);
  });
  return heard;
}

function samplesOf(bytes: Buffer): Int16Array {
  const samples = new Int16Array(bytes.length / 2);
  for (let at = 0; at < samples.length; at += 1) samples[at] = bytes.readInt16LE(2 * at);
  return samples;
}
