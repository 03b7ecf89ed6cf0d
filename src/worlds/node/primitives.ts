/** Chance, digests and latin1 text from Node. */
import { hash, randomFillSync } from "node:crypto";
import type { Bytes, Entropy, Hash, Primitives } from "../../core/primitives.ts";

/** One call of the system's generator gives this many draws. */
const POOL_WORDS = 1024;

/** Cryptographically strong, a few nanoseconds a draw. */
class PooledEntropy implements Entropy {
  readonly #pool = new Uint32Array(POOL_WORDS);
  #next = POOL_WORDS;

  uint32(): number {
    if (this.#next === POOL_WORDS) {
      randomFillSync(this.#pool);
      this.#next = 0;
    }
    const word = this.#pool[this.#next] ?? 0;
    this.#next += 1;
    return word;
  }
}

/** Most text is ASCII, where its UTF-8 is its latin1 and a string is digested faster than a copy of its bytes. */
function digestible(text: string): string | Buffer {
  return Buffer.byteLength(text) === text.length ? text : Buffer.from(text, "latin1");
}

const nodeHash: Hash = {
  md5: (text) => hash("md5", digestible(text), "hex"),
  sha256: (text) => hash("sha256", digestible(text), "hex"),
};

/** What `toString("latin1")` comes down to once it has understood its arguments, and Node's types leave out. */
interface Latin1 {
  latin1Slice(start: number, end: number): string;
}

const nodeBytes: Bytes = {
  toText(bytes) {
    const buffer = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return (buffer as Buffer & Latin1).latin1Slice(0, buffer.length);
  },
  fromText: (text) => Buffer.from(text, "latin1"),
};

export function nodePrimitives(): Primitives {
  return { entropy: new PooledEntropy(), hash: nodeHash, bytes: nodeBytes };
}
