/**
 * The box of one user in the store that all nodes share: a list of messages, changed by compare-and-set, and the audio
 * of each in pieces, so that what was said before a server died is there.
 */
import { randomBytes } from "node:crypto";
import { FOR_EVER } from "../../core/server/clock.ts";
import type { StoreAnswer, StoreWrite } from "../../core/vocabulary.ts";
import type { Store } from "../../worlds/node/stores/store.ts";
import { fromMuLaw, muLaw } from "./speech.ts";

/** A voice message. */
export interface VoiceMessage {
  readonly id: string;
  /** The URI of who called. */
  readonly from: string;
  /** Seconds since the epoch. */
  readonly at: number;
  /** Left out until its last piece is stored: while it is being spoken, or its server died then. */
  readonly seconds?: number;
  readonly heard: boolean;
}

/** The store cannot be read or written now, or holds something else. */
export class BoxError extends Error {
  override readonly name = "BoxError";
}

const BOXES = "voice/box/";
const AUDIO = "voice/audio/";
const GREETINGS = "voice/greeting/";

/** More than the nodes and phones that can be at one box. */
const WRITE_ATTEMPTS = 16;

export class VoiceBox {
  readonly #store: Store;
  readonly #name: string;

  /** @param name the address-of-record, `2001@example.com`. */
  constructor(store: Store, name: string) {
    this.#store = store;
    this.#name = name;
  }

  /** The oldest first. @throws BoxError. */
  async list(): Promise<readonly VoiceMessage[]> {
    const { value } = await this.#get(BOXES + this.#name);
    return this.#messagesIn(value);
  }

  /** Changes the list; others may be at it at the same time. @throws BoxError. */
  async change(
    edit: (messages: readonly VoiceMessage[]) => readonly VoiceMessage[],
  ): Promise<readonly VoiceMessage[]> {
    let edited: readonly VoiceMessage[] = [];
    await this.#replace(BOXES + this.#name, (before) => {
      edited = edit(this.#messagesIn(before));
      return edited.length === 0 ? undefined : encoded(edited);
    });
    return edited;
  }

  newId(): string {
    return randomBytes(8).toString("hex");
  }

  /** Keeps a piece of the audio, µ-law at 8 kHz; pieces are counted from 0. @throws BoxError. */
  async keep(id: string, piece: number, audio: Uint8Array): Promise<void> {
    // Written before and not answered: the same piece is there.
    await this.#write(this.#pieceKey(id, piece), Buffer.from(audio).toString("latin1"), 0);
  }

  /** All of the audio that is there, µ-law at 8 kHz. @throws BoxError. */
  async audio(id: string): Promise<Uint8Array> {
    const pieces: Buffer[] = [];
    for (;;) {
      const { value } = await this.#get(this.#pieceKey(id, pieces.length));
      if (value === undefined) return Buffer.concat(pieces);
      pieces.push(Buffer.from(value, "latin1"));
    }
  }

  /** Removes a message and then its audio. @throws BoxError. */
  async remove(id: string): Promise<readonly VoiceMessage[]> {
    const left = await this.change((messages) => messages.filter((one) => one.id !== id));
    let piece = 0;
    while (await this.#drop(id, piece)) piece += 1;
    return left;
  }

  /** Removes what there is of so many pieces, of a message that is in the list no more. @throws BoxError. */
  async discard(id: string, pieces: number): Promise<void> {
    for (let piece = 0; piece < pieces; piece += 1) await this.#drop(id, piece);
  }

  /** False: there is none. */
  async #drop(id: string, piece: number): Promise<boolean> {
    const key = this.#pieceKey(id, piece);
    const { value, version } = await this.#get(key);
    if (value === undefined) return false;
    await this.#write(key, undefined, version);
    return true;
  }

  /** What its callers hear; undefined: nothing of its own. @throws BoxError. */
  async greeting(): Promise<Int16Array | undefined> {
    const { value } = await this.#get(GREETINGS + this.#name);
    return value === undefined ? undefined : fromMuLaw(Buffer.from(value, "latin1"));
  }

  /** @throws BoxError. */
  async keepGreeting(samples: Int16Array | undefined): Promise<void> {
    const value = samples && Buffer.from(muLaw(samples)).toString("latin1");
    await this.#replace(GREETINGS + this.#name, () => value);
  }

  #messagesIn(value: string | undefined): readonly VoiceMessage[] {
    const messages = value === undefined ? [] : decoded(value);
    if (messages === undefined) throw new BoxError(`what is stored of ${this.#name} is no box`);
    return messages;
  }

  /** @param edit what is to stand there instead of what does; called anew in each attempt. */
  async #replace(
    key: string,
    edit: (before: string | undefined) => string | undefined,
  ): Promise<void> {
    for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt += 1) {
      const { value, version } = await this.#get(key);
      if (await this.#write(key, edit(value), version)) return;
    }
    throw new BoxError("too many are at the box");
  }

  async #get(key: string): Promise<{ value: string | undefined; version: number }> {
    const answer = await new Promise<StoreAnswer>((resolve) => {
      this.#store.ask({ kind: "store.read", key }, resolve);
    });
    if (answer.kind === "stored") return answer;
    throw new BoxError(answer.kind === "unavailable" ? answer.why : answer.kind);
  }

  /** False: somebody else has written it meanwhile. */
  async #write(key: string, value: string | undefined, ifVersion: number): Promise<boolean> {
    const question: StoreWrite = {
      ...{ kind: "store.write", key, value, ifVersion, expiresAt: FOR_EVER },
    };
    const answer = await new Promise<StoreAnswer>((resolve) => {
      this.#store.ask(question, resolve);
    });
    if (answer.kind === "unavailable") throw new BoxError(answer.why);
    return answer.kind === "written";
  }

  #pieceKey(id: string, piece: number): string {
    return `${AUDIO}${this.#name}/${id}/${piece}`;
  }
}

/** Stored text is latin1. */
function encoded(messages: readonly VoiceMessage[]): string {
  return JSON.stringify(messages).replaceAll(
    /[^\0-\x7f]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function decoded(text: string): VoiceMessage[] | undefined {
  try {
    const read: unknown = JSON.parse(text);
    return Array.isArray(read) && read.every(isMessage) ? read : undefined;
  } catch {
    return undefined;
  }
}

function isMessage(value: unknown): value is VoiceMessage {
  if (typeof value !== "object" || value === null) return false;
  const { id, from, at, seconds, heard } = value as Partial<VoiceMessage>;
  const named = typeof id === "string" && typeof from === "string";
  const timed = typeof at === "number" && ["number", "undefined"].includes(typeof seconds);
  return named && timed && typeof heard === "boolean";
}
