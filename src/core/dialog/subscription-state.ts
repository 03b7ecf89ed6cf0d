/** What a notifier says of a subscription: the header Subscription-State (RFC 6665 §4.1.3, §8.4). */
import { decimalSeconds } from "../message/delta.ts";
import type { Headers } from "../message/headers.ts";
import { paramOf } from "../message/params.ts";

export interface SubscriptionState {
  /** A state that the RFC does not know is taken for `pending`: there is a subscription, and no more is certain. */
  readonly phase: "pending" | "active" | "terminated";
  /** Why it was terminated, lower case; empty: not said. */
  readonly reason: string;
  /** Seconds left; undefined: not said. */
  readonly expires: number | undefined;
  /** Seconds to wait before the next try; undefined: not said. */
  readonly retryAfter: number | undefined;
}

/** Undefined if there is no such header or it holds no state. */
export function subscriptionStateOf(headers: Headers): SubscriptionState | undefined {
  const value = headers.get("subscription-state");
  if (value === undefined) return undefined;
  const semicolon = value.indexOf(";");
  const named = (semicolon < 0 ? value : value.slice(0, semicolon)).trim().toLowerCase();
  if (!/^[\w.!%*+`'~-]+$/.test(named)) return undefined;
  const params = semicolon < 0 ? "" : value.slice(semicolon);
  return {
    phase: named === "active" || named === "terminated" ? named : "pending",
    reason: (paramOf(params, "reason") ?? "").toLowerCase(),
    expires: secondsIn(params, "expires"),
    retryAfter: secondsIn(params, "retry-after"),
  };
}

/** What a subscriber does after a termination (R113): subscribe again at once, after a wait, or not at all. */
export function comebackAfter(reason: string): "now" | "later" | "never" {
  switch (reason) {
    case "deactivated":
    case "timeout":
      return "now";
    case "rejected":
    case "noresource":
    case "invariant":
      return "never";
    default:
      return "later";
  }
}

function secondsIn(params: string, name: string): number | undefined {
  const value = paramOf(params, name);
  return value === undefined ? undefined : decimalSeconds(value);
}
