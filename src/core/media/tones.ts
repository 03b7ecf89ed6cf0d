/** What a phone sends when nobody speaks into it: tones, recorded samples, silence; exact to the sample. */

/** Samples per second of everything in this folder. */
export const SAMPLE_RATE = 8000;

/** Endless audio at 8 kHz; each source is read by one session. */
export interface AudioSource {
  /** Overwrites all of `into` with the next samples. */
  read(into: Int16Array): void;
}

/** A quarter of full scale: two tones at once stay clear of clipping. */
const AMPLITUDE = 8000;

/** One second of 1 Hz: a sine of h hertz takes every h-th sample, around and around, without a seam. */
const SINE: Int16Array = Int16Array.from({ length: SAMPLE_RATE }, (_, index) =>
  Math.round(AMPLITUDE * Math.sin((2 * Math.PI * index) / SAMPLE_RATE)),
);

/** A steady sine of a whole number of hertz; the A of tuning forks by default. */
export function tone(hertz = 440): AudioSource {
  return new Cadence(hertz, 0, SAMPLE_RATE, 0);
}

/** North American ringback: 440 and 480 Hz, two seconds on, four off (ITU-T E.180 supplement 2). */
export function ringback(): AudioSource {
  return new Cadence(440, 480, 2 * SAMPLE_RATE, 4 * SAMPLE_RATE);
}

/** Nothing, for ever. */
export function silence(): AudioSource {
  return new Playback(new Int16Array(0), false);
}

/** Plays `samples` once, then silence; or over and over. */
export function playback(samples: Int16Array, repeat: boolean): AudioSource {
  return new Playback(samples, repeat);
}

/** Two sines (0 Hz is none), `on` samples long, then `off` samples of silence, in whole seconds. */
class Cadence implements AudioSource {
  readonly #low: number;
  readonly #high: number;
  readonly #on: number;
  readonly #length: number;
  #at = 0;

  constructor(low: number, high: number, on: number, off: number) {
    this.#low = low % SAMPLE_RATE;
    this.#high = high % SAMPLE_RATE;
    this.#on = on;
    this.#length = on + off;
  }

  /** No division for a sample: a call makes eight thousand a second. */
  read(into: Int16Array): void {
    const on = this.#on;
    let at = this.#at;
    let low = (this.#low * at) % SAMPLE_RATE;
    let high = (this.#high * at) % SAMPLE_RATE;
    for (let index = 0; index < into.length; index += 1) {
      into[index] = at < on ? (SINE[low] as number) + (SINE[high] as number) : 0;
      low += this.#low;
      if (low >= SAMPLE_RATE) low -= SAMPLE_RATE;
      high += this.#high;
      if (high >= SAMPLE_RATE) high -= SAMPLE_RATE;
      at += 1;
      if (at === this.#length) at = low = high = 0;
    }
    this.#at = at;
  }
}

class Playback implements AudioSource {
  readonly #samples: Int16Array;
  readonly #repeat: boolean;
  #at = 0;

  constructor(samples: Int16Array, repeat: boolean) {
    this.#samples = samples;
    this.#repeat = repeat && samples.length > 0;
  }

  read(into: Int16Array): void {
    const samples = this.#samples;
    let at = this.#at;
    let index = 0;
    for (; index < into.length && at < samples.length; index += 1) {
      into[index] = samples[at] as number;
      at += 1;
      if (this.#repeat && at === samples.length) at = 0;
    }
    this.#at = at;
    into.fill(0, index);
  }
}
