/** Talking with a caller: prompts that a key cuts short, and the keys that he presses. */
import type { Call } from "../call.ts";
import { CALLER_HELD_MS, MAX_WAITING_KEYS } from "./limits.ts";
import type { Prompts } from "./prompts.ts";

export class Talk {
  readonly call: Call;
  readonly prompts: Prompts;
  readonly #keys: string[] = [];
  #cut: AbortController | undefined;
  #wake: (() => void) | undefined;
  #heard = false;
  #held: NodeJS.Timeout | undefined;
  #over = false;

  constructor(call: Call, prompts: Prompts) {
    this.call = call;
    this.prompts = prompts;
    call.on("key-pressed", ({ key }) => {
      if (this.#keys.length < MAX_WAITING_KEYS) this.#keys.push(key);
      this.#interrupt();
    });
    call.on("heard", () => {
      this.#heard = true;
    });
    call.on("silenced", () => {
      this.#heard = false;
    });
    call.on("held", () => {
      clearTimeout(this.#held);
      this.#held = setTimeout(() => void call.hangup(), CALLER_HELD_MS);
    });
    call.on("resumed", () => clearTimeout(this.#held));
    void call.ended.then(() => {
      clearTimeout(this.#held);
      this.#over = true;
      this.#interrupt();
    });
  }

  /** The caller is gone. */
  get over(): boolean {
    return this.#over;
  }

  /** Audio comes from the caller. */
  get heard(): boolean {
    return this.#heard;
  }

  /** Says prompts and samples one after another, until a key is pressed or the caller is gone. */
  async say(...parts: readonly (string | Int16Array)[]): Promise<void> {
    const cut = new AbortController();
    this.#cut = cut;
    for (const part of parts) {
      if (this.#over || this.#keys.length > 0) break;
      const samples = typeof part === "string" ? this.prompts.get(part) : part;
      await this.call.play(samples, { signal: cut.signal });
    }
    this.#cut = undefined;
  }

  /** The next key; undefined if none came in that time, or the caller is gone. */
  async key(withinMs: number): Promise<string | undefined> {
    if (this.#keys.length === 0 && !this.#over && withinMs > 0) {
      await new Promise<void>((resolve) => {
        const patience = setTimeout(resolve, withinMs);
        this.#wake = () => {
          clearTimeout(patience);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    return this.#over ? undefined : this.#keys.shift();
  }

  /** Keys that nobody has waited for: they belong to what was said before. */
  forget(): string[] {
    return this.#keys.splice(0);
  }

  #interrupt(): void {
    this.#cut?.abort();
    this.#wake?.();
  }
}
