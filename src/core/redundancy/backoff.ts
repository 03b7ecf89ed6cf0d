/** Waits that chance has a part in: before everything is tried anew, before a probe, before a return. */
import { uniform } from "../identifiers.ts";
import type { Entropy } from "../primitives.ts";
import type { RedundancyPolicy, RegisterBackoff } from "./policy.ts";

/** Whatever a configuration says: a server that refuses at once must not be asked without a pause. */
export const SHORTEST_BACKOFF_MS = 1000;

/** RFC 5626 §4.5: the upper bound doubles so often at most; beyond, the cap has long been reached. */
const DOUBLING_LIMIT = 16;

/** @param failures consecutive failures so far, 1 or more. @returns milliseconds. */
export function backoffMs(backoff: RegisterBackoff, failures: number, entropy: Entropy): number {
  if (backoff.kind === "fixed") return Math.max(SHORTEST_BACKOFF_MS, backoff.intervalMs);
  const doublings = Math.min(failures, DOUBLING_LIMIT);
  const upper = Math.min(backoff.maxMs, backoff.baseMs * 2 ** doublings);
  return Math.max(SHORTEST_BACKOFF_MS, uniform(entropy, upper / 2, upper));
}

/** The wait before a probe or a return, shortened by a random part of the policy's share: never later than it says. */
export function spreadMs(policy: RedundancyPolicy, waitMs: number, entropy: Entropy): number {
  const { returnSpread } = policy;
  return returnSpread === 0 ? waitMs : waitMs * (1 - uniform(entropy, 0, returnSpread));
}
