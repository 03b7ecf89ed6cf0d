/** Phones that call: registered, and the ladder at zero. */
import type { RedundancyPolicy, ServerPolicy } from "../../../src/core/redundancy/policy.ts";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
  PLAIN,
} from "../../../src/core/redundancy/policy-defaults.ts";
import { Rehearsal, type RehearsalOptions } from "./rehearsal.ts";

/** Methods of a call. */
export const CALLS: readonly string[] = ["INVITE", "ACK", "BYE", "CANCEL"];

/** One name with two targets that share their registrations. */
export function failover(
  server: Partial<ServerPolicy> = {},
  policy: Partial<RedundancyPolicy> = {},
  options: RehearsalOptions = {},
): Rehearsal {
  const named = defaultServer("dual.pbx.example.com", {
    port: 5060,
    transport: "udp",
    registerOnFailover: false,
    ...server,
  });
  const redundancy = {
    ...defaultPolicy(named),
    keepAliveMs: 0,
    ...PLAIN,
    ...policy,
  };
  const stage = new Rehearsal([defaultAccount("2001", redundancy)], { methods: CALLS, ...options });
  return ready(stage);
}

/** Literal addresses, registered at all of them. */
export function servers(
  policy: Partial<RedundancyPolicy>,
  ...addresses: (string | ServerPolicy)[]
): Rehearsal {
  const redundancy = {
    ...defaultPolicy(...addresses),
    keepAliveMs: 0,
    ...PLAIN,
    skipKnownDead: true,
    ...policy,
  };
  return ready(new Rehearsal([defaultAccount("2001", redundancy)], { methods: CALLS }));
}

export function ready(stage: Rehearsal): Rehearsal {
  return stage.start().until(10).zero();
}

export function dial(stage: Rehearsal): Rehearsal {
  return stage.do(() => stage.phone.call("2099"));
}
