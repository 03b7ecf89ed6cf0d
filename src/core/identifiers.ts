/** Branches, tags, Call-IDs and random draws, all from the one injected Entropy (RFC 3261 §8.1.1.7, §19.3). */
import type { Entropy } from "./primitives.ts";

/** The magic cookie of RFC 3261 §8.1.1.7. */
export const BRANCH_COOKIE = "z9hG4bK";

/** All pairs of digits to the base 36, in order. */
const PAIRS: readonly string[] = Array.from({ length: 36 * 36 }, (_, pair) =>
  pair.toString(36).padStart(2, "0"),
);

/** A token of `words` × 32 random bits, in base 36; joined, since a sum of texts is kept as a tree of them. */
export function token(entropy: Entropy, words: number): string {
  const parts: string[] = [];
  for (let word = 0; word < words; word += 1) parts.push(base36(entropy.uint32()));
  return parts.join("");
}

/** As `toString(36)`, which takes the engine four times as long. */
function base36(word: number): string {
  let text = "";
  let rest = word;
  while (rest >= PAIRS.length) {
    const pair = rest % PAIRS.length;
    text = (PAIRS[pair] as string) + text;
    rest = (rest - pair) / PAIRS.length;
  }
  const first = PAIRS[rest] as string;
  return (rest < 36 ? first.slice(1) : first) + text;
}

/** A branch, unique in space and time (RFC 3261 §8.1.1.7). */
export function newBranch(entropy: Entropy): string {
  return BRANCH_COOKIE + token(entropy, 2);
}

/** At least the 32 random bits that RFC 3261 §19.3 asks for. */
export function newTag(entropy: Entropy): string {
  return token(entropy, 2);
}

/** A Call-ID, unique in space and time (RFC 3261 §8.1.1.4). */
export function newCallId(entropy: Entropy): string {
  return token(entropy, 4);
}

/** A number drawn uniformly from [low, high). */
export function uniform(entropy: Entropy, low: number, high: number): number {
  return low + (entropy.uint32() / 0x1_0000_0000) * (high - low);
}
