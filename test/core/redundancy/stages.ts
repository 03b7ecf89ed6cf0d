/** Phones for ladders: one name with two targets, or two addresses, with chance taken out of their policies. */
import type { RedundancyPolicy, ServerPolicy } from "../../../src/core/redundancy/policy.ts";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
  PLAIN,
} from "../../../src/core/redundancy/policy-defaults.ts";
import { Rehearsal, type RehearsalOptions } from "./rehearsal.ts";

const PRIMARY = "192.0.2.13";
export const FALLBACK = "192.0.2.15";

export function calm(change: Partial<RedundancyPolicy> = {}): Partial<RedundancyPolicy> {
  return {
    refreshJitter: 0,
    ...PLAIN,
    skipKnownDead: true,
    overloadControl: true,
    backoff: { kind: "fixed", intervalMs: 30_000 },
    ...change,
  };
}

/** One name with two targets. */
export function failover(
  server: Partial<ServerPolicy> = {},
  policy: Partial<RedundancyPolicy> = {},
  options: RehearsalOptions = {},
): Rehearsal {
  const named = defaultServer("dual.pbx.example.com", { port: 5060, transport: "udp", ...server });
  const redundancy = { ...defaultPolicy(named), ...calm(policy) };
  return new Rehearsal([defaultAccount("2001", redundancy)], options);
}

/** Two literal addresses, one registration at a time. */
export function successive(
  policy: Partial<RedundancyPolicy> = {},
  options: RehearsalOptions = {},
): Rehearsal {
  const servers = defaultPolicy(PRIMARY, FALLBACK);
  const redundancy = { ...servers, registration: "successive" as const, ...calm(policy) };
  return new Rehearsal([defaultAccount("2001", redundancy)], options);
}

export function concurrent(
  policy: Partial<RedundancyPolicy> = {},
  options: RehearsalOptions = {},
): Rehearsal {
  const redundancy = { ...defaultPolicy(PRIMARY, FALLBACK), ...calm(policy) };
  return new Rehearsal([defaultAccount("2001", redundancy)], options);
}
