/** MD5 (RFC 1321) of latin1 text, in plain arithmetic: for the simulator and the page, which have no crypto. */

const SHIFTS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];

const SINES: Int32Array = sines();

function sines(): Int32Array {
  const table = new Int32Array(64);
  for (let index = 0; index < 64; index += 1) {
    table[index] = Math.floor(Math.abs(Math.sin(index + 1)) * 0x1_0000_0000) | 0;
  }
  return table;
}

/** The digest in lower-case hexadecimal. */
export function md5(text: string): string {
  const words = paddedWords(text);
  let a = 0x6745_2301;
  let b = 0xefcd_ab89 | 0;
  let c = 0x98ba_dcfe | 0;
  let d = 0x1032_5476;
  for (let block = 0; block < words.length; block += 16) {
    const [a0, b0, c0, d0] = [a, b, c, d];
    for (let step = 0; step < 64; step += 1) {
      const round = step >> 4;
      const turned = (a + mixed(round, b, c, d) + (SINES[step] as number)) | 0;
      const sum = (turned + (words[block + wordOf(round, step)] as number)) | 0;
      const shift = SHIFTS[round * 4 + (step & 3)] as number;
      a = d;
      d = c;
      c = b;
      b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0;
    }
    a = (a + a0) | 0;
    b = (b + b0) | 0;
    c = (c + c0) | 0;
    d = (d + d0) | 0;
  }
  return hex(a) + hex(b) + hex(c) + hex(d);
}

function mixed(round: number, b: number, c: number, d: number): number {
  switch (round) {
    case 0:
      return (b & c) | (~b & d);
    case 1:
      return (b & d) | (c & ~d);
    case 2:
      return b ^ c ^ d;
    default:
      return c ^ (b | ~d);
  }
}

function wordOf(round: number, step: number): number {
  switch (round) {
    case 0:
      return step;
    case 1:
      return (5 * step + 1) & 15;
    case 2:
      return (3 * step + 5) & 15;
    default:
      return (7 * step) & 15;
  }
}

/** Little-endian words: the text, one bit, zeros, and the length in bits. */
function paddedWords(text: string): Int32Array {
  const { length } = text;
  const words = new Int32Array((((length + 8) >> 6) + 1) * 16);
  for (let index = 0; index < length; index += 1) {
    const at = index >> 2;
    words[at] = (words[at] as number) | ((text.charCodeAt(index) & 255) << ((index & 3) * 8));
  }
  const end = length >> 2;
  words[end] = (words[end] as number) | (0x80 << ((length & 3) * 8));
  words[words.length - 2] = length << 3;
  words[words.length - 1] = length >>> 29;
  return words;
}

function hex(word: number): string {
  let text = "";
  for (let shift = 0; shift < 32; shift += 8) {
    text += ((word >>> shift) & 255).toString(16).padStart(2, "0");
  }
  return text;
}
