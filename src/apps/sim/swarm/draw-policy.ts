/** One account's policy, drawn from the options of a dialect: whatever a configuration file could say. */
import type {
  AccountPolicy,
  RedundancyPolicy,
  RegisterBackoff,
  ServerPolicy,
} from "../../../core/redundancy/policy.ts";
import {
  defaultAccount,
  POLICY_DEFAULTS,
  SERVER_DEFAULTS,
} from "../../../core/redundancy/policy-defaults.ts";
import type { Prng } from "../../../worlds/sim/prng.ts";

type Dialect = "native" | "yealink" | "polycom";
type Place = Pick<ServerPolicy, "address" | "port" | "transport">;

/** @param server where the server of that index, from 0, is to be found. */
export function drawAccount(
  prng: Prng,
  dialect: Dialect,
  index: number,
  server: (server: number) => Place,
  servers: number,
): AccountPolicy {
  const redundancy: RedundancyPolicy = {
    ...POLICY_DEFAULTS[dialect],
    ...drawCommon(prng),
    ...(dialect === "polycom" ? {} : drawRegistration(prng)),
    ...(dialect === "native" ? drawOwn(prng) : {}),
    servers: Array.from({ length: servers }, (_, at) => drawServer(prng, dialect, server(at), at)),
  };
  const user = String(2001 + index);
  return defaultAccount(user, redundancy, {
    password: `secret-${user}`,
    domain: "swarm.test",
    unregisterOnStart: dialect === "yealink" && prng.chance(0.2),
  });
}

function drawServer(prng: Prng, dialect: Dialect, place: Place, at: number): ServerPolicy {
  const registerOnFailover = prng.chance(0.5);
  const expiresSeconds = prng.pick([60, 120, 300, 600]);
  return {
    ...SERVER_DEFAULTS[dialect],
    ...place,
    register: dialect === "polycom" && at > 0 ? prng.chance(0.8) : true,
    expiresSeconds,
    overlapSeconds: prng.pick<number | "half">(["half", 5, 30, 60]),
    registerRetries: prng.between(0, 4),
    inviteRetries: prng.between(1, 4),
    retryIntervalMs: dialect === "polycom" ? prng.pick([0, 0, 200, 500]) : 0,
    failbackMode: prng.pick(["newRequests", "DNSTTL", "registration", "duration"] as const),
    failbackSeconds: prng.pick([0, 60, 120, 300]),
    registerOnFailover,
    dropRegistrationOnFailover: dialect === "polycom" && registerOnFailover && prng.chance(0.5),
    onlySignalWithRegistered: false,
  };
}

function drawCommon(prng: Prng): Partial<RedundancyPolicy> {
  return {
    backoff: drawBackoff(prng),
    startSurgeMs: prng.pick([0, 0, 10_000]),
    keepAliveMs: prng.pick([0, 30_000]),
    skipSameAddress: prng.chance(0.5),
    strictLastTarget: prng.chance(0.2),
    failoverOn503: prng.chance(0.8),
    failoverOnRegisterRefusal: prng.chance(0.2),
    idleWaitMaxMs: prng.pick([0, 60_000]),
  };
}

function drawRegistration(prng: Prng): Partial<RedundancyPolicy> {
  return {
    registration: prng.pick(["concurrent", "successive"] as const),
    probeIntervalMs: prng.pick([10, 30, 60, 120]) * 1000,
  };
}

function drawOwn(prng: Prng): Partial<RedundancyPolicy> {
  const goodProbes = prng.pick([1, 1, 2, 3]);
  return {
    refreshJitter: prng.pick([0, 0.1, 0.3]),
    hedgeMs: prng.pick([0, 0, 300, 1000]),
    skipKnownDead: prng.chance(0.7),
    goodProbes,
    goodProbesMs: goodProbes > 1 ? prng.pick([0, 10_000]) : 0,
    inviteUnregistered: prng.chance(0.7),
  };
}

function drawBackoff(prng: Prng): RegisterBackoff {
  return prng.chance(0.5)
    ? { kind: "fixed", intervalMs: prng.pick([0, 5, 30, 60]) * 1000 }
    : {
        kind: "rfc5626",
        baseMs: prng.pick([5, 10, 30]) * 1000,
        maxMs: prng.pick([60, 180]) * 1000,
      };
}
