/** Takes a message: a greeting, a tone, and what is said after it, stored piece by piece as it comes. */
import { setTimeout as delay } from "node:timers/promises";
import { SAMPLE_RATE } from "../../core/media/tones.ts";
import type { VoiceBox, VoiceMessage } from "./box.ts";
import { MAX_MESSAGE_SECONDS, MAX_MESSAGES } from "./limits.ts";
import { BEEP, LEAST_SAMPLES, muLaw, spoken } from "./speech.ts";
import type { Talk } from "./talk.ts";

/** What a server that dies takes with it, at the most. */
const PIECE_SAMPLES = 2 * SAMPLE_RATE;

/** A store that is away is waited for, so many seconds. */
export const STORE_PATIENCE = 10;

/** Told when the list of messages has changed. */
export type Changed = (messages: readonly VoiceMessage[]) => void;

/** @returns the seconds that were said; undefined: nothing. @throws BoxError: they could not be stored. */
export async function takeMessage(
  talk: Talk,
  box: VoiceBox,
  at: number,
  changed: Changed,
): Promise<number | undefined> {
  const { call } = talk;
  const held = await box.list();
  const greeting = await box.greeting();
  await call.answer();
  if (held.length >= MAX_MESSAGES) {
    await talk.say("full");
    return undefined;
  }
  await talk.say(greeting ?? "greeting");
  // A key means: no greeting.
  talk.forget();
  await talk.say(BEEP);
  const recording = new Recording(
    box,
    { id: box.newId(), from: call.peer, at, heard: false },
    changed,
  );
  for await (const samples of spoken(talk, MAX_MESSAGE_SECONDS)) await recording.take(samples);
  return await recording.finish();
}

class Recording {
  samples = 0;
  readonly #box: VoiceBox;
  readonly #message: VoiceMessage;
  readonly #changed: Changed;
  /** Pieces that are not stored yet. */
  readonly #waiting: Uint8Array[] = [];
  #stored = 0;
  #piece: Uint8Array = new Uint8Array(PIECE_SAMPLES);
  #filled = 0;

  constructor(box: VoiceBox, message: VoiceMessage, changed: Changed) {
    this.#box = box;
    this.#message = message;
    this.#changed = changed;
  }

  async take(samples: Int16Array): Promise<void> {
    const encoded = muLaw(samples);
    this.samples += samples.length;
    for (let at = 0; at < encoded.length; ) {
      const part = encoded.subarray(at, at + PIECE_SAMPLES - this.#filled);
      this.#piece.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === PIECE_SAMPLES) this.#close();
    }
    // One that fails waits for the next, or for the end.
    if (this.#waiting.length > 0) await this.#store().catch(() => undefined);
  }

  /** @throws BoxError. */
  async finish(): Promise<number | undefined> {
    if (this.samples < LEAST_SAMPLES) return undefined;
    if (this.#filled > 0) this.#close();
    for (let second = 0; second < STORE_PATIENCE && this.#waiting.length > 0; second += 1) {
      if (second > 0) await delay(1_000, undefined, { ref: false });
      await this.#store().catch(() => undefined);
    }
    await this.#store();
    const seconds = Math.round(this.samples / SAMPLE_RATE);
    const { id } = this.#message;
    const whole = (one: VoiceMessage): VoiceMessage => (one.id === id ? { ...one, seconds } : one);
    const messages = await this.#box.change((others) => others.map(whole));
    if (messages.some((one) => one.id === id)) return seconds;
    // Heard and deleted while it was being spoken, or there was no room for it.
    await this.#box.discard(id, this.#stored);
    return undefined;
  }

  #close(): void {
    this.#waiting.push(this.#piece.slice(0, this.#filled));
    this.#filled = 0;
  }

  async #store(): Promise<void> {
    for (let piece = this.#waiting[0]; piece !== undefined; piece = this.#waiting[0]) {
      await this.#box.keep(this.#message.id, this.#stored, piece);
      if (this.#stored === 0) {
        const { id } = this.#message;
        const messages = await this.#box.change((all) => {
          const others = all.filter((one) => one.id !== id);
          // Several may have begun when there was room for one.
          return others.length < MAX_MESSAGES ? [...others, this.#message] : others;
        });
        this.#changed(messages);
      }
      this.#stored += 1;
      this.#waiting.shift();
    }
  }
}
