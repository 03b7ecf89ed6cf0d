/** What each account of a plan is promised: the bounds of its policy in the surroundings that the plan draws. */
import { type Bounds, boundsOf } from "../../../core/redundancy/bounds.ts";
import type { RedundancyPolicy } from "../../../core/redundancy/policy.ts";
import type { SwarmPlan } from "./plan.ts";

/** Given on top of every bound, for the grain of checks and packets under way. */
export const GRACE_MS = 2000;
/** Questions of one location: NAPTR, three SRV, A and AAAA of each target. */
const MOST_QUESTIONS = 10;
/** Longer than any of the swarm's is asked for. */
const GRANTED_SECONDS = 7200;

export function planBounds(plan: SwarmPlan, policy: RedundancyPolicy): Bounds {
  const { places, ttlSeconds, network, faults, calls, accounts } = plan;
  const quiet = faults.map(({ kind, amount }) => (kind === "refuse-all" ? amount : 0));
  const { timeoutMs, retries } = policy.dns;
  const bounds = boundsOf(policy, {
    targets: (hop) => (hop > 0 ? places.servers[hop - 1] : places.proxies[-1 - hop]) ?? 1,
    grantedSeconds: GRANTED_SECONDS,
    ttlSeconds,
    retryAfterSeconds: Math.max(0, ...quiet),
    answerMs: 4 * network.latencyMs[1] + 100,
    callsPerMinute: calls.length + accounts.length,
  });
  // A location that was under way when the resolver came back goes on waiting for what it has asked.
  const location = MOST_QUESTIONS * timeoutMs * (retries + 1);
  return {
    ...bounds,
    registeredMs: bounds.registeredMs + location + GRACE_MS,
    homeMs: bounds.homeMs + location + GRACE_MS,
    callMs: bounds.callMs + location + GRACE_MS,
  };
}
