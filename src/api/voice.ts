/** What a call says: WAV files, samples, PCM streams and tones, one after the other, and silence between them. */
import { readFile } from "node:fs/promises";
import { type AudioSource, SAMPLE_RATE } from "../core/media/tones.ts";
import { readWav } from "../core/media/wav.ts";
import { AudioError } from "./errors.ts";

/**
 * What can be played: the path or URL of a WAV file; the bytes of one; samples, 16 bit mono at 8 kHz; a stream of such
 * samples as little-endian bytes (any Readable); or an endless source such as `tone()`.
 */
export type AudioInput =
  | string
  | URL
  | Uint8Array
  | Int16Array
  | AsyncIterable<Uint8Array>
  | AudioSource;

/** How to play. */
export interface PlayOptions {
  /** From the beginning again at its end; not for streams. Default false. */
  readonly loop?: boolean;
  /** Stops playing; the promise then resolves to false. */
  readonly signal?: AbortSignal;
}

/** Samples of a stream that are read ahead: half a second. */
const AHEAD = SAMPLE_RATE / 2;

/** One thing being said. */
interface Feed {
  /** Overwrites the beginning of `into`; says how much of it. */
  read(into: Int16Array): number;
  /** Nothing more will come. */
  readonly over: boolean;
  /** Why that is so before its end, if it is. */
  readonly fault?: unknown;
  stop(): void;
}

interface Playing {
  readonly feed: Feed;
  readonly done: (whole: boolean) => void;
  readonly failed: (fault: unknown) => void;
}

export class Voice implements AudioSource {
  #playing: Playing | undefined;
  #closed = false;

  read(into: Int16Array): void {
    const playing = this.#playing;
    const length = playing?.feed.read(into) ?? 0;
    into.fill(0, length);
    if (playing?.feed.over === true) this.#end(true);
  }

  /**
   * Resolves true when all of it was said, false if something else was said instead, or the call ended.
   * @throws AudioError, or what reading the file or stream throws.
   */
  async play(input: AudioInput, options: PlayOptions = {}): Promise<boolean> {
    const { loop = false, signal } = options;
    const feed = await feedOf(input, loop);
    if (this.#closed || signal?.aborted === true) {
      feed.stop();
      return false;
    }
    this.#end(false);
    return await new Promise<boolean>((resolve, reject) => {
      const abort = (): void => {
        if (this.#playing === playing) this.#end(false);
      };
      const done = (whole: boolean): void => {
        signal?.removeEventListener("abort", abort);
        resolve(whole);
      };
      const failed = (fault: unknown): void => {
        signal?.removeEventListener("abort", abort);
        reject(fault);
      };
      const playing: Playing = { feed, done, failed };
      this.#playing = playing;
      signal?.addEventListener("abort", abort);
    });
  }

  close(): void {
    this.#closed = true;
    this.#end(false);
  }

  #end(whole: boolean): void {
    const playing = this.#playing;
    this.#playing = undefined;
    if (playing === undefined) return;
    playing.feed.stop();
    if (whole && playing.feed.fault !== undefined) playing.failed(playing.feed.fault);
    else playing.done(whole);
  }
}

async function feedOf(input: AudioInput, loop: boolean): Promise<Feed> {
  if (input instanceof Int16Array) return new Samples(input, loop);
  if (typeof input === "string" || input instanceof URL) {
    return new Samples(samplesOf(await readFile(input), String(input)), loop);
  }
  if (input instanceof Uint8Array) return new Samples(samplesOf(input, "the audio"), loop);
  if (Symbol.asyncIterator in input) return new Stream(input);
  return new Endless(input);
}

function samplesOf(bytes: Uint8Array, name: string): Int16Array {
  const audio = readWav(bytes);
  if (audio.kind === "audio") return audio.samples;
  const remedy = "give a WAV file of 8 or 16 bit PCM or G.711";
  throw new AudioError(`${name}: ${audio.why}; ${remedy}`);
}

class Samples implements Feed {
  readonly #samples: Int16Array;
  readonly #loop: boolean;
  #at = 0;

  constructor(samples: Int16Array, loop: boolean) {
    this.#samples = samples;
    this.#loop = loop && samples.length > 0;
  }

  get over(): boolean {
    return this.#at >= this.#samples.length;
  }

  read(into: Int16Array): number {
    let length = 0;
    while (length < into.length && !this.over) {
      const piece = this.#samples.subarray(this.#at, this.#at + into.length - length);
      into.set(piece, length);
      length += piece.length;
      this.#at += piece.length;
      if (this.#loop && this.over) this.#at = 0;
    }
    return length;
  }

  stop(): void {}
}

class Endless implements Feed {
  readonly over = false;
  readonly #source: AudioSource;

  constructor(source: AudioSource) {
    this.#source = source;
  }

  read(into: Int16Array): number {
    this.#source.read(into);
    return into.length;
  }

  stop(): void {}
}

/** Reads ahead a little, and no more: the stream is held back while the call speaks. */
class Stream implements Feed {
  #chunks: Int16Array[] = [];
  #length = 0;
  #ended = false;
  #stopped = false;
  #hungry: (() => void) | undefined;
  fault: unknown;

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#fill(stream)
      .catch((fault: unknown) => {
        this.fault = fault;
      })
      .finally(() => {
        this.#ended = true;
      });
  }

  get over(): boolean {
    return this.#ended && this.#length === 0;
  }

  read(into: Int16Array): number {
    let length = 0;
    while (length < into.length) {
      const chunk = this.#chunks[0];
      if (chunk === undefined) break;
      const piece = chunk.subarray(0, into.length - length);
      into.set(piece, length);
      length += piece.length;
      if (piece.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(piece.length);
    }
    this.#length -= length;
    if (this.#length < AHEAD) this.#feed();
    return length;
  }

  stop(): void {
    this.#stopped = true;
    this.#chunks = [];
    this.#length = 0;
    this.#feed();
  }

  async #fill(stream: AsyncIterable<Uint8Array>): Promise<void> {
    let odd: number | undefined;
    for await (const bytes of stream) {
      if (this.#stopped) return;
      const whole = odd === undefined ? bytes : Uint8Array.of(odd, ...bytes);
      const count = whole.length >> 1;
      odd = whole.length % 2 === 1 ? whole[whole.length - 1] : undefined;
      const view = new DataView(whole.buffer, whole.byteOffset, whole.byteLength);
      const samples = Int16Array.from({ length: count }, (_, at) => view.getInt16(2 * at, true));
      if (count > 0) this.#chunks.push(samples);
      this.#length += count;
      while (this.#length >= AHEAD && !this.#stopped) {
        await new Promise<void>((resolve) => {
          this.#hungry = resolve;
        });
      }
    }
  }

  #feed(): void {
    this.#hungry?.();
    this.#hungry = undefined;
  }
}
