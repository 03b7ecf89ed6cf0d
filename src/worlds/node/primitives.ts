/** Chance, digests and latin1 text from Node. */
import { Buffer } from "node:buffer";
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

/** What `toString` and `write` come down to once they have understood their arguments, and Node's types leave out. */
interface Latin1 {
  latin1Slice(this: Uint8Array, start: number, end: number): string;
  latin1Write(this: Uint8Array, text: string, at: number, length: number): number;
}

const { latin1Slice, latin1Write } = Buffer.prototype as Buffer & Latin1;

const nodeBytes: Bytes = {
  toText: (bytes) => latin1Slice.call(bytes, 0, bytes.length),
  fromText(text) {
    const { length } = text;
    const bytes = Buffer.allocUnsafe(length);
    latin1Write.call(bytes, text, 0, length);
    return bytes;
  },
};

export function nodePrimitives(): Primitives {
  return { entropy: new PooledEntropy(), hash: nodeHash, bytes: nodeBytes };
}
