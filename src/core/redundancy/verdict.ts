/** Which final responses are a failure of the target and not an answer of it (C19, R69). */
import type { RedundancyPolicy } from "./policy.ts";

/** Whether a final response lets the request go on to the next target. */
export function letsGo(policy: RedundancyPolicy, method: string, status: number): boolean {
  if (status === 503) return policy.failoverOn503;
  // A flow beyond that server has failed: another server may have another one (RFC 5626 §4.3, R93).
  if (status === 430) return true;
  if (policy.failoverStatuses.includes(status)) return true;
  if (method !== "REGISTER" || !policy.failoverOnRegisterRefusal) return false;
  return status >= 300 && status !== 401 && status !== 407 && status !== 423;
}

/** It ends or carries on what a server has begun, and is sent even to one that wants no requests (RFC 3261 §21.5.4). */
export function finishes(method: string): boolean {
  return method === "BYE" || method === "PRACK";
}
