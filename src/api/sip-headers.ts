/** The headers of a message for programs: names in any case, values as text. */
import type { Headers } from "../core/message/headers.ts";

/** Read-only, in the order of the message. */
export class SipHeaders implements Iterable<readonly [name: string, value: string]> {
  readonly #headers: Headers;

  constructor(headers: Headers) {
    this.#headers = headers;
  }

  /** The first line of that name, in any case, its long form; a line may hold several values, apart by commas. */
  get(name: string): string | undefined {
    const value = this.#headers.get(name.toLowerCase());
    return value === undefined ? undefined : textOf(value);
  }

  /** Every line of that name. */
  all(name: string): string[] {
    return this.#headers.all(name.toLowerCase()).map(textOf);
  }

  has(name: string): boolean {
    return this.#headers.has(name.toLowerCase());
  }

  /** Names in lower case. */
  *[Symbol.iterator](): IterableIterator<readonly [name: string, value: string]> {
    const headers = this.#headers;
    for (let at = 0; at < headers.size; at += 1) {
      yield [headers.nameAt(at), textOf(headers.valueAt(at))];
    }
  }
}

/** Inside the core a character is a byte; people write UTF-8. */
export function textOf(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}
