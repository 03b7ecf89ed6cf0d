/** A hash over all that a run showed, four bytes at a time: equal for equal runs (invariant I9). */

const OFFSET = 0x811c_9dc5;
const PRIME = 0x0100_0193;

export class TraceHash {
  #hash = OFFSET;

  /** 32 bits. */
  get value(): number {
    return this.#hash >>> 0;
  }

  /** Two characters make a word. */
  addText(text: string): void {
    const { length } = text;
    let hash = this.#hash;
    for (let index = 1; index < length; index += 2) {
      hash = mixed(hash, text.charCodeAt(index - 1) | (text.charCodeAt(index) << 16));
    }
    if (length % 2 === 1) hash = mixed(hash, text.charCodeAt(length - 1));
    this.#hash = hash;
  }

  addField(value: string | number | boolean | undefined): void {
    if (typeof value === "string") this.addText(value);
    else this.addInstant(Number(value));
  }

  addBytes(bytes: Uint8Array): void {
    const whole = bytes.length & ~3;
    let hash = this.#hash;
    for (let index = 0; index < whole; index += 4) hash = mixed(hash, wordAt(bytes, index));
    for (let index = whole; index < bytes.length; index += 1) {
      hash = mixed(hash, bytes[index] as number);
    }
    this.#hash = hash;
  }

  /** Microseconds matter, what floats make of them does not. */
  addInstant(instant: number): void {
    this.#hash = mixed(this.#hash, Math.round(instant * 1000));
  }
}

/** FNV-1a for words, with the high bits brought down: a product moves bits upwards only. */
function mixed(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, PRIME);
  return product ^ (product >>> 15);
}

function wordAt(bytes: Uint8Array, index: number): number {
  return (
    (bytes[index] as number) |
    ((bytes[index + 1] as number) << 8) |
    ((bytes[index + 2] as number) << 16) |
    ((bytes[index + 3] as number) << 24)
  );
}
