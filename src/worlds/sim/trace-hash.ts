/** FNV-1a over all that a run showed: equal for equal runs (invariant I9). */

const OFFSET = 0x811c_9dc5;
const PRIME = 0x0100_0193;

export class TraceHash {
  #hash = OFFSET;

  /** 32 bits. */
  get value(): number {
    return this.#hash >>> 0;
  }

  addText(text: string): void {
    let hash = this.#hash;
    for (let index = 0; index < text.length; index += 1) {
      hash = Math.imul(hash ^ text.charCodeAt(index), PRIME);
    }
    this.#hash = hash;
  }

  addField(value: string | number | boolean | undefined): void {
    if (typeof value === "string") this.addText(value);
    else this.addInstant(Number(value));
  }

  addBytes(bytes: Uint8Array): void {
    let hash = this.#hash;
    for (let index = 0; index < bytes.length; index += 1) {
      hash = Math.imul(hash ^ (bytes[index] as number), PRIME);
    }
    this.#hash = hash;
  }

  /** Microseconds matter, what floats make of them does not. */
  addInstant(instant: number): void {
    this.#hash = Math.imul(this.#hash ^ Math.round(instant * 1000), PRIME);
  }
}
