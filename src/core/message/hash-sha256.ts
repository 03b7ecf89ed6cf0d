/**
 * SHA-256 (FIPS 180-4 §6.2) of latin1 text, in plain arithmetic: for the simulator and the page, which have no
 * crypto.
 */

/** The first 32 bits of the fractions of the cube roots of the first 64 primes, and of 8 square roots. */
const ROUNDS: Int32Array = new Int32Array(64);
const START: Int32Array = new Int32Array(8);

{
  let found = 0;
  for (let candidate = 2; found < 64; candidate += 1) {
    let prime = true;
    for (let factor = 2; factor * factor <= candidate && prime; factor += 1) {
      prime = candidate % factor !== 0;
    }
    if (!prime) continue;
    if (found < 8) START[found] = fraction(candidate, 2);
    ROUNDS[found] = fraction(candidate, 3);
    found += 1;
  }
}

/** Exact: a root's first 32 fractional bits are the low bits of the root of a larger integer. */
function fraction(prime: number, degree: number): number {
  const scaled = BigInt(prime) << BigInt(32 * degree);
  let root = 1n << 40n;
  for (;;) {
    const power = root ** BigInt(degree - 1);
    const next = ((BigInt(degree) - 1n) * root + scaled / power) / BigInt(degree);
    if (next >= root) return Number(root & 0xffff_ffffn) | 0;
    root = next;
  }
}

/** The digest in lower-case hexadecimal. */
export function sha256(text: string): string {
  const words = paddedWords(text);
  const state = START.slice();
  const schedule = new Int32Array(64);
  for (let block = 0; block < words.length; block += 16) {
    for (let index = 0; index < 16; index += 1) schedule[index] = words[block + index] as number;
    for (let index = 16; index < 64; index += 1) {
      const before15 = schedule[index - 15] as number;
      const before2 = schedule[index - 2] as number;
      const small0 = rotated(before15, 7) ^ rotated(before15, 18) ^ (before15 >>> 3);
      const small1 = rotated(before2, 17) ^ rotated(before2, 19) ^ (before2 >>> 10);
      const older = (schedule[index - 16] as number) + (schedule[index - 7] as number);
      schedule[index] = (older + small0 + small1) | 0;
    }
    compress(state, schedule);
  }
  let digest = "";
  for (const word of state) digest += (word >>> 0).toString(16).padStart(8, "0");
  return digest;
}

function compress(state: Int32Array, schedule: Int32Array): void {
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let index = 0; index < 64; index += 1) {
    const big1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
    const choice = (e & f) ^ (~e & g);
    const constants = (ROUNDS[index] as number) + (schedule[index] as number);
    const first = (h + big1 + choice + constants) | 0;
    const big0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + big0 + majority) | 0;
  }
  const sums = [a, b, c, d, e, f, g, h];
  for (let index = 0; index < 8; index += 1) {
    state[index] = (state[index] as number) + (sums[index] as number);
  }
}

function rotated(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

/** Big-endian words: the text, one bit, zeros, and the length in bits. */
function paddedWords(text: string): Int32Array {
  const { length } = text;
  const words = new Int32Array((((length + 8) >> 6) + 1) * 16);
  for (let index = 0; index < length; index += 1) {
    const at = index >> 2;
    words[at] = (words[at] as number) | ((text.charCodeAt(index) & 255) << (24 - (index & 3) * 8));
  }
  const end = length >> 2;
  words[end] = (words[end] as number) | (0x80 << (24 - (length & 3) * 8));
  words[words.length - 2] = length >>> 29;
  words[words.length - 1] = length << 3;
  return words;
}
