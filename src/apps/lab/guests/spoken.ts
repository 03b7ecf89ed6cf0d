/** What phones of others say: a tone in a WAV file, since they have no microphone. */
import { SAMPLE_RATE, tone } from "../../../core/media/tones.ts";
import { writeWav } from "../../../core/media/wav.ts";

/** A tone of so many hertz and seconds. */
export function spokenTone(hertz: number, seconds: number): Uint8Array {
  const samples = new Int16Array(seconds * SAMPLE_RATE);
  tone(hertz).read(samples);
  return writeWav(samples);
}
