/** One account's policy, drawn from the options of a dialect: whatever a configuration file could say. */
import type {
  AccountPolicy,
  DnsPolicy,
  RedundancyPolicy,
  RegisterBackoff,
  ServerPolicy,
} from "../../../core/redundancy/policy.ts";
import {
  type Dialect,
  defaultAccount,
  POLICY_DEFAULTS,
  SERVER_DEFAULTS,
} from "../../../core/redundancy/policy-defaults.ts";
import type { ResourceRecord } from "../../../core/vocabulary.ts";
import type { Prng } from "../../../worlds/sim/prng.ts";
import type { PlaceDraw } from "./draw-servers.ts";
import { DOMAIN } from "./plan.ts";

/** What all accounts of a run have in common. */
export interface PolicyDraw {
  readonly dialect: Dialect;
  /** Where the servers are to be found, in the order of trial. */
  readonly places: readonly PlaceDraw[];
  /** The same of outbound proxies; most runs have none. */
  readonly proxies: readonly PlaceDraw[];
  /** What the resolver knows, which an account may have in its files instead. */
  readonly records: readonly ResourceRecord[];
}

export function drawAccount(prng: Prng, draw: PolicyDraw, index: number): AccountPolicy {
  const { dialect, places, proxies } = draw;
  const timers = drawTimers(prng);
  const redundancy: RedundancyPolicy = {
    ...POLICY_DEFAULTS[dialect],
    ...drawCommon(prng, dialect),
    ...timers,
    ...(dialect === "polycom" ? {} : drawRegistration(prng)),
    ...(dialect === "native" ? drawOwn(prng) : {}),
    servers: places.map((place, at) => ({ ...drawServer(prng, dialect, at), ...place })),
    proxies: proxies.map((place, at) => ({
      ...drawServer(prng, dialect, at),
      ...place,
      throughProxy: false,
    })),
    proxyProbeIntervalMs: prng.pick([30, 60, 180]) * 1000,
    dns: drawDns(prng, dialect, draw.records),
  };
  const user = String(2001 + index);
  return defaultAccount(user, redundancy, {
    password: `secret-${user}`,
    domain: DOMAIN,
    unregisterOnStart: dialect !== "polycom" && prng.chance(0.2),
    ...drawCalls(prng, dialect),
    ...drawSubscriptions(prng),
  });
}

function drawServer(prng: Prng, dialect: Dialect, at: number): Omit<ServerPolicy, "address"> {
  const failbackMode = prng.pick(["newRequests", "DNSTTL", "registration", "duration"] as const);
  const registerOnFailover = prng.chance(0.5);
  const drop = dialect !== "yealink" && registerOnFailover && prng.chance(0.5);
  return {
    ...SERVER_DEFAULTS[dialect],
    features: at > 0 && prng.chance(0.3) ? "basic" : "full",
    register: dialect !== "yealink" && at > 0 ? prng.chance(0.8) : true,
    expiresSeconds: prng.pick([30, 60, 60, 120, 600]),
    overlapSeconds: prng.pick<number | "half">(["half", 5, 30, 60]),
    registerRetries: prng.between(0, 4),
    inviteRetries: prng.between(1, 4),
    // Never shorter than a way through two servers and back: impatience is no failure of a server.
    retryIntervalMs: dialect === "yealink" ? 0 : prng.pick([0, 0, 500, 1000]),
    failbackMode,
    failbackSeconds: prng.pick([0, 60, 120, 300]),
    registerOnFailover,
    dropRegistrationOnFailover: drop,
    registerOnFailback: dialect === "native" ? prng.chance(0.5) : dialect === "yealink",
    onlySignalWithRegistered: drawOnlyRegistered(prng, dialect, drop, failbackMode),
    resubscribeOnFailover: dialect !== "polycom" && prng.chance(0.5),
    throughProxy: dialect === "polycom" || dialect === "native" ? prng.chance(0.8) : true,
  };
}

/** As the dialects read their files: where what it depends on is missing, it has no effect. */
function drawOnlyRegistered(
  prng: Prng,
  dialect: Dialect,
  drop: boolean,
  mode: ServerPolicy["failbackMode"],
): boolean {
  const wanted = prng.chance(0.5);
  if (dialect === "yealink") return wanted && mode !== "newRequests";
  return wanted && drop;
}

function drawTimers(prng: Prng): Pick<RedundancyPolicy, "t1Ms" | "t2Ms" | "t4Ms"> {
  if (prng.chance(0.7)) return { t1Ms: 500, t2Ms: 4000, t4Ms: 5000 };
  return { t1Ms: prng.pick([500, 1000]), t2Ms: prng.pick([2000, 4000, 8000]), t4Ms: 5000 };
}

function drawCommon(prng: Prng, dialect: Dialect): Partial<RedundancyPolicy> {
  return {
    backoff: drawBackoff(prng),
    startSurgeMs: dialect === "polycom" ? 0 : prng.pick([0, 0, 10_000]),
    keepAliveMs: prng.pick([0, 15_000, 30_000]),
    srvOrder: prng.pick(["rfc2782", "highest-weight-first"] as const),
    srvTransports: prng.pick(["udp", "all"] as const),
    skipSameAddress: prng.chance(0.5),
    strictLastTarget: prng.chance(0.2),
    failoverOn503: prng.chance(0.8),
    failoverOnRegisterRefusal: prng.chance(0.2),
    followChallenger: dialect !== "yealink" && prng.chance(0.3),
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
    returnSpread: prng.pick([0, 0.2, 1]),
    hedgeMs: prng.pick([0, 0, 300, 1000]),
    skipKnownDead: prng.chance(0.7),
    goodProbes,
    goodProbesMs: goodProbes > 1 ? prng.pick([0, 10_000]) : 0,
    inviteUnregistered: prng.chance(0.7),
    outbound: prng.pick(["never", "streams", "streams", "always"] as const),
    gruu: prng.chance(0.2),
    failoverStatuses: prng.pick([[], [], [500], [404, 480]]),
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

function drawDns(prng: Prng, dialect: Dialect, records: readonly ResourceRecord[]): DnsPolicy {
  const own = prng.chance(0.15);
  return {
    ...POLICY_DEFAULTS[dialect].dns,
    records: own ? records : [],
    staticFirst: own && prng.chance(0.5),
    cache: prng.chance(0.9),
    useAdditional: prng.chance(0.5),
    timeoutMs: prng.pick([1000, 2000, 3000]),
    retries: prng.between(0, 2),
    transport: prng.pick(["udp", "udp", "tcp"] as const),
  };
}

function drawCalls(prng: Prng, dialect: Dialect): Partial<AccountPolicy> {
  return {
    reliableProvisionals: prng.pick(["never", "required", "supported"] as const),
    sessionTimer: prng.chance(0.4),
    sessionExpiresSeconds: dialect === "polycom" ? 1800 : prng.pick([90, 90, 300, 1800]),
    sessionRefresher: prng.pick(["uac", "uas"] as const),
  };
}

function drawSubscriptions(prng: Prng): Partial<AccountPolicy> {
  return {
    messageWaiting: prng.chance(0.3),
    subscribeRegistration: prng.chance(0.1),
    subscribeExpiresSeconds: prng.pick([60, 300, 3600]),
    subscribeOverlapSeconds: prng.pick<number | "half">(["half", 5, 30]),
    subscribeRetryMs: prng.pick([5, 30]) * 1000,
  };
}
