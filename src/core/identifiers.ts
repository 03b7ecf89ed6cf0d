/** Branches, tags, Call-IDs and random draws, all from the one injected Entropy (RFC 3261 §8.1.1.7, §19.3). */
import type { Entropy } from "./primitives.ts";

/** The magic cookie of RFC 3261 §8.1.1.7. */
export const BRANCH_COOKIE = "z9hG4bK";

/** A token of `words` × 32 random bits, in base 36; joined, since a sum of texts is kept as a tree of them. */
export function token(entropy: Entropy, words: number): string {
  const parts: string[] = [];
  for (let word = 0; word < words; word += 1) parts.push(entropy.uint32().toString(36));
  return parts.join("");
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
