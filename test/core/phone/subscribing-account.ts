/** One account that subscribes or publishes, at servers that answer quickly or not at all. */
import type { AccountPolicy, ServerPolicy } from "../../../src/core/redundancy/policy.ts";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
  PLAIN,
} from "../../../src/core/redundancy/policy-defaults.ts";
import { SubscriptionStage } from "./subscription-notifier.ts";

export const QUICK: Partial<ServerPolicy> = {
  registerRetries: 0,
  inviteRetries: 0,
  expiresSeconds: 600,
};
/** One place. */
export const ONE: ServerPolicy = defaultServer("192.0.2.13", QUICK);
/** A primary and a secondary, and back by duration. */
export const NAMED: ServerPolicy = defaultServer("dual.pbx.example.com", {
  port: 5060,
  transport: "udp",
  failbackMode: "duration",
  failbackSeconds: 100,
  ...QUICK,
});

/** The phone of 2001 with three servers around it. */
export function stageOf(
  servers: readonly ServerPolicy[],
  wants: Partial<AccountPolicy>,
): SubscriptionStage {
  const redundancy = {
    ...defaultPolicy(...servers),
    ...PLAIN,
    refreshJitter: 0,
    keepAliveMs: 0,
    probeIntervalMs: 60_000,
  };
  const account = defaultAccount("2001", redundancy, { domain: "pbx.example.com", ...wants });
  return new SubscriptionStage([account], {});
}
