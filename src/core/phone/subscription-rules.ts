/** What subscriptions and publications have in common: where they are, and when they are renewed. */
import type { AccountPolicy } from "../redundancy/policy.ts";
import { targetName } from "../redundancy/server-health.ts";
import type { Whereabouts } from "./subscription-environment.ts";

/** The server does not know the method or the package: asking again is no use (RFC 6665 §4.1.2.1, RFC 3903 §4). */
export const UNKNOWN_THERE: ReadonlySet<number> = new Set([405, 489, 501]);

/** A lifetime is renewed no sooner. */
export const SHORTEST_REFRESH_MS = 1000;

/** @param seconds the lifetime that was granted; of none the same is not asked again before the retry interval. */
export function renewalWaitMs(
  { subscribeOverlapSeconds: overlap, subscribeRetryMs }: AccountPolicy,
  seconds: number,
): number {
  if (seconds === 0) return Math.max(SHORTEST_REFRESH_MS, subscribeRetryMs);
  const lead = overlap === "half" || overlap >= seconds ? seconds / 2 : overlap;
  return Math.max(SHORTEST_REFRESH_MS, (seconds - lead) * 1000);
}

export function isSamePlace(here: Whereabouts | undefined, at: Whereabouts): boolean {
  if (here === undefined || here.server !== at.server) return false;
  return targetName(here.place.target) === targetName(at.place.target);
}
