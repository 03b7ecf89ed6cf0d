/** What a call hears, for whoever wants it: PCM streams while it goes on, and WAV files. */
import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import type { AudioSink } from "../core/media/playout.ts";
import { writeWav } from "../core/media/wav.ts";
import type { Postbox } from "./postbox.ts";

/** A reader that is behind by so many bytes (65 s) misses what comes. */
const MOST_BEHIND = 1 << 20;

/** Where a WAV file says how long it is, and how long its audio. */
const RIFF_LENGTH_AT = 4;
const DATA_LENGTH_AT = 40;

export class Hearing implements AudioSink {
  readonly #postbox: Postbox;
  readonly #listeners = new Set<Readable>();
  #closed = false;

  constructor(postbox: Postbox) {
    this.#postbox = postbox;
  }

  write(samples: Int16Array): void {
    if (this.#listeners.size === 0) return;
    const bytes = Buffer.alloc(2 * samples.length);
    for (let at = 0; at < samples.length; at += 1) bytes.writeInt16LE(samples[at] ?? 0, 2 * at);
    this.#postbox.put(() => {
      for (const listener of this.#listeners) {
        if (listener.readableLength < MOST_BEHIND) listener.push(bytes);
      }
    });
  }

  /** What is heard from now on: 16 bit mono at 8 kHz, little-endian. It ends with the call. */
  listen(): Readable {
    const listener = new Listener((gone) => this.#listeners.delete(gone));
    if (this.#closed) listener.push(null);
    else this.#listeners.add(listener);
    return listener;
  }

  /** Resolves when the call, or `signal`, has ended it and the file is whole. */
  async record(path: string | URL, signal?: AbortSignal): Promise<void> {
    const heard = this.listen();
    const end = (): void => void heard.push(null);
    signal?.addEventListener("abort", end, { once: true });
    if (signal?.aborted === true) end();
    try {
      const file = await open(path, "w");
      try {
        const header = Buffer.from(writeWav(new Int16Array(0)));
        await file.write(header);
        let length = 0;
        for await (const bytes of heard) {
          await file.write(bytes as Buffer);
          length += (bytes as Buffer).length;
        }
        header.writeUInt32LE(header.length - 8 + length, RIFF_LENGTH_AT);
        header.writeUInt32LE(length, DATA_LENGTH_AT);
        await file.write(header, 0, header.length, 0);
      } finally {
        await file.close();
      }
    } finally {
      signal?.removeEventListener("abort", end);
      heard.destroy();
    }
  }

  close(): void {
    this.#closed = true;
    this.#postbox.put(() => {
      for (const listener of this.#listeners) listener.push(null);
    });
  }
}

/** Whoever listens may end it himself, and read what is left in his own time. */
class Listener extends Readable {
  readonly #gone: (listener: Listener) => void;

  constructor(gone: (listener: Listener) => void) {
    super({ read: () => undefined });
    this.#gone = gone;
  }

  override push(chunk: Uint8Array | null): boolean {
    if (chunk === null) this.#gone(this);
    return super.push(chunk);
  }

  override _destroy(error: Error | null, destroyed: (error?: Error | null) => void): void {
    this.#gone(this);
    destroyed(error);
  }
}
