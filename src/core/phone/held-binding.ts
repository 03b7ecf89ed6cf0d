/** Places of one server where a binding was left that may still stand: requests may go there as they are. */
import type { Instant, Target } from "../machine.ts";
import { sameTarget } from "../redundancy/server-health.ts";

/** A list, as there is none at most times. */
export interface HeldBinding {
  readonly target: Target;
  readonly until: Instant;
  readonly next: HeldBinding | undefined;
}

/** The same with one more, without those at its target and those that have run out. */
export function holding(
  held: HeldBinding | undefined,
  now: Instant,
  target: Target,
  until: Instant,
): HeldBinding {
  return { target, until, next: lasting(held, now, target) };
}

export function isHeld(held: HeldBinding | undefined, now: Instant, target: Target): boolean {
  let one = held;
  while (one !== undefined && !sameTarget(one.target, target)) one = one.next;
  return one !== undefined && one.until > now;
}

/** Those at other targets that have not run out. */
function lasting(
  held: HeldBinding | undefined,
  now: Instant,
  but: Target,
): HeldBinding | undefined {
  if (held === undefined) return undefined;
  const next = lasting(held.next, now, but);
  if (held.until <= now || sameTarget(held.target, but)) return next;
  return { ...held, next };
}
