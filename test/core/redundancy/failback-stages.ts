/** Phones on their way back: chance taken out of their policies, quick to leave. */
import type { RedundancyPolicy, ServerPolicy } from "../../../src/core/redundancy/policy.ts";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
  PLAIN,
} from "../../../src/core/redundancy/policy-defaults.ts";
import { Rehearsal, type RehearsalOptions } from "./rehearsal.ts";

export const SHOWN: RehearsalOptions = {
  methods: ["REGISTER", "INVITE", "OPTIONS"],
  events: ["server.failed-back"],
};

export function stageOf(
  servers: readonly (ServerPolicy | string)[],
  policy: Partial<RedundancyPolicy>,
  options: RehearsalOptions = SHOWN,
): Rehearsal {
  const redundancy: RedundancyPolicy = {
    ...defaultPolicy(...servers),
    refreshJitter: 0,
    keepAliveMs: 0,
    ...PLAIN,
    backoff: { kind: "fixed", intervalMs: 30_000 },
    ...policy,
  };
  return new Rehearsal([defaultAccount("2001", redundancy)], options);
}

/** One name with two targets, quick to leave. */
export function failover(
  server: Partial<ServerPolicy>,
  policy: Partial<RedundancyPolicy> = {},
): Rehearsal {
  const named = defaultServer("dual.pbx.example.com", {
    port: 5060,
    transport: "udp",
    registerRetries: 0,
    inviteRetries: 0,
    expiresSeconds: 600,
    overlapSeconds: 60,
    ...server,
  });
  return stageOf([named], policy);
}
