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
/** What all accounts of a run have in common. */
export interface PolicyDraw {
  readonly dialect: Dialect;
  /** Where the servers are to be found, in the order of trial. */
  readonly places: readonly Pick<ServerPolicy, "address" | "port">[];
  /** Addresses of outbound proxies; most runs have none. */
  readonly proxies: readonly string[];
  readonly transport: "udp" | "tcp";
  /** Some server answers 503 for a while: who takes that for an answer is promised nothing. */
  readonly refusals: boolean;
}

export function drawAccount(prng: Prng, draw: PolicyDraw, index: number): AccountPolicy {
  const { dialect, places, refusals } = draw;
  const redundancy: RedundancyPolicy = {
    ...POLICY_DEFAULTS[dialect],
    ...drawCommon(prng, refusals),
    ...(dialect === "polycom" ? {} : drawRegistration(prng)),
    ...(dialect === "native" ? drawOwn(prng) : {}),
    servers: places.map((place, at) => ({
      ...drawServer(prng, dialect, at),
      ...place,
      transport: draw.transport,
    })),
    proxies: draw.proxies.map((address, at) => ({
      ...drawServer(prng, dialect, at),
      address,
      port: 5060,
      transport: draw.transport,
      throughProxy: false,
    })),
    proxyProbeIntervalMs: prng.pick([30, 60, 180]) * 1000,
  };
  const user = String(2001 + index);
  return defaultAccount(user, redundancy, {
    password: `secret-${user}`,
    domain: "swarm.test",
    unregisterOnStart: dialect === "yealink" && prng.chance(0.2),
  });
}

function drawServer(prng: Prng, dialect: Dialect, at: number): Omit<ServerPolicy, "address"> {
  const registerOnFailover = prng.chance(0.5);
  const expiresSeconds = prng.pick([60, 120, 300, 600]);
  return {
    ...SERVER_DEFAULTS[dialect],
    register: dialect === "polycom" && at > 0 ? prng.chance(0.8) : true,
    expiresSeconds,
    overlapSeconds: prng.pick<number | "half">(["half", 5, 30, 60]),
    registerRetries: prng.between(0, 4),
    inviteRetries: prng.between(1, 4),
    // Never shorter than a way through two servers and back: impatience is no failure of a server.
    retryIntervalMs: dialect === "polycom" ? prng.pick([0, 0, 500, 1000]) : 0,
    failbackMode: prng.pick(["newRequests", "DNSTTL", "registration", "duration"] as const),
    failbackSeconds: prng.pick([0, 60, 120, 300]),
    registerOnFailover,
    dropRegistrationOnFailover: dialect === "polycom" && registerOnFailover && prng.chance(0.5),
    onlySignalWithRegistered: false,
  };
}

function drawCommon(prng: Prng, refusals: boolean): Partial<RedundancyPolicy> {
  return {
    backoff: drawBackoff(prng),
    startSurgeMs: prng.pick([0, 0, 10_000]),
    keepAliveMs: prng.pick([0, 30_000]),
    skipSameAddress: prng.chance(0.5),
    strictLastTarget: prng.chance(0.2),
    failoverOn503: refusals || prng.chance(0.5),
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
    outbound: prng.pick(["never", "streams", "streams", "always"] as const),
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
