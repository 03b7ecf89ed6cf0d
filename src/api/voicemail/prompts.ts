/** What voicemail says, read once: the words of prompts/words.json, each a WAV file of that name. */
import { readFile } from "node:fs/promises";
import { readWav } from "../../core/media/wav.ts";
import { AudioError } from "../errors.ts";

const FOLDER = new URL("../../../../prompts/", import.meta.url);

const WORDS = [
  ..."greeting full you-have no-messages new-message new-messages old-message".split(" "),
  ..."old-messages and from from-unknown menu deleted no-more goodbye".split(" "),
  ..."greeting-menu greeting-record greeting-kept greeting-removed".split(" "),
] as const;

/** The greatest number that there is a prompt for. */
const MOST = 20;

export class Prompts {
  readonly #samples: ReadonlyMap<string, Int16Array>;

  private constructor(samples: ReadonlyMap<string, Int16Array>) {
    this.#samples = samples;
  }

  /** @throws Error if one of them is missing, AudioError if it is no audio. */
  static async read(): Promise<Prompts> {
    const numbers = Array.from({ length: MOST + 1 }, (_, number) => String(number));
    const samples = new Map<string, Int16Array>();
    for (const name of [...WORDS, ...numbers]) {
      const audio = readWav(await readFile(new URL(`${name}.wav`, FOLDER)));
      if (audio.kind !== "audio") throw new AudioError(`the prompt ${name}: ${audio.why}`);
      samples.set(name, audio.samples);
    }
    return new Prompts(samples);
  }

  /** The samples of a prompt. */
  get(name: string): Int16Array {
    return this.#samples.get(name) ?? new Int16Array(0);
  }

  /** The prompts that say a number, whole up to 20 and digit by digit above. */
  number(count: number): string[] {
    return count <= MOST ? [String(count)] : digits(String(count));
  }

  /** The prompts that say who has called. */
  caller(user: string): string[] {
    const plain = user.replace(/^\+/, "");
    return /^\d{1,15}$/.test(plain) ? ["from", ...digits(plain)] : ["from-unknown"];
  }
}

function digits(number: string): string[] {
  return [...number];
}
