/**
 * What an account promises, in milliseconds and REGISTERs, from its policy alone: the bounds B, F, S and C of the
 * invariants. The simulator holds every run to them and `explain` prints them; each formula says what adds up.
 *
 * A bound holds while the network loses nothing and the resolver answers: then what one request waits for is known.
 */
import { SHORTEST_BACKOFF_MS } from "./backoff.ts";
import { fullPatienceMs, patienceMs } from "./patience.ts";
import type { RedundancyPolicy, ServerPolicy } from "./policy.ts";
import { DOWN_MS } from "./server-health.ts";

/** What the policy does not say. */
export interface Surroundings {
  /** Targets that the name of a server, 1-based, or of proxy -1, -2 … resolves to; 1 for a literal address. */
  targets(hop: number): number;
  /** The longest lifetime that a registrar grants, seconds; no more than was asked for counts anyway. */
  readonly grantedSeconds: number;
  /** The longest TTL of the address records behind a name, seconds. */
  readonly ttlSeconds: number;
  /** The longest Retry-After of any server, seconds; 0: none says so. */
  readonly retryAfterSeconds: number;
  /** From sending to hearing the answer of a server that lives, and the time a resolver takes. */
  readonly answerMs: number;
  /** Calls begun in a minute: each finds out anew what has died. */
  readonly callsPerMinute: number;
}

export interface Bounds {
  /** B: a server reachable so long, and the account is registered at a reachable one. */
  readonly registeredMs: number;
  /** F: the primary reachable so long and the phone idle, and requests go to the primary; Infinity: never by time. */
  readonly homeMs: number;
  /** S: REGISTERs in any minute, retransmissions included. */
  readonly registersPerMinute: number;
  /** C: a call is answered or refused so long after it was placed. */
  readonly callMs: number;
}

/** Rounds of challenges that an attempt goes through before it believes the refusal. */
const CHALLENGES = 3;
/** A call that somebody is at work on ends at last by itself (RFC 3261 §16.6, Timer C). */
const PROGRESS_MS = 181_000;
/** Renewal is tried no earlier than this after a registration, or at half of what was granted. */
const SHORTEST_REFRESH_MS = 1000;
/** Failback mode DNSTTL with records that nobody renews. */
const STALE_MS = 30_000;

export function boundsOf(policy: RedundancyPolicy, around: Surroundings): Bounds {
  const registeredMs = registeredBound(policy, around);
  return {
    registeredMs,
    homeMs: homeBound(policy, around, registeredMs),
    registersPerMinute: registerBound(policy, around),
    callMs: callBound(policy, around),
  };
}

/**
 * B = notice + round + back-off + round + quiet: a death is noticed at the renewal at the latest; the round that
 * follows may have passed our server just before it became reachable; after the longest back-off the next one finds it.
 */
function registeredBound(policy: RedundancyPolicy, around: Surroundings): number {
  const notice = Math.max(...registrars(policy).map((server) => renewalMs(server, around)));
  const round = roundMs(policy, around, "REGISTER");
  const quiet = around.retryAfterSeconds * 1000;
  return policy.startSurgeMs + notice + round + backoffMaxMs(policy) + quiet + round;
}

/**
 * F = B + the way back between servers + the way back inside the first: a trial that just failed, the period of
 * trials (as many as the proof before return wants), the trial that succeeds, and the time for which shared
 * health still
 * takes the primary for dead.
 */
function homeBound(policy: RedundancyPolicy, around: Surroundings, registeredMs: number): number {
  const first = policy.servers[0];
  if (first === undefined) return Number.POSITIVE_INFINITY;
  const proofs = Math.max(1, policy.goodProbes);
  const trial = firstServerMs(policy, around);
  const below = policy.servers.length > 1 && policy.registration === "successive";
  const between = below ? trial + (proofs + 1) * policy.probeIntervalMs + policy.goodProbesMs : 0;
  const proof = proofs * (trial + policy.goodProbesMs + policy.t1Ms);
  const hops = hopsOf(policy, first, 1);
  const periods = hops.map(({ hop, number }) =>
    around.targets(number) > 1 ? periodMs(hop, around) : 0,
  );
  if (hops.length > 1) periods.push(policy.proxyProbeIntervalMs);
  const shunned = policy.skipKnownDead ? Math.max(DOWN_MS, policy.healthProbeMs + trial) : 0;
  return registeredMs + between + Math.max(...periods) + proof + trial + shunned;
}

/** How long a failback mode lets pass between two chances of the primary. */
function periodMs(hop: ServerPolicy, around: Surroundings): number {
  switch (hop.failbackMode) {
    case "newRequests":
      return 0;
    case "DNSTTL":
      return Math.max(around.ttlSeconds * 1000, STALE_MS);
    case "registration":
      return renewalMs(hop, around);
    case "duration":
      return hop.failbackSeconds === 0 ? Number.POSITIVE_INFINITY : hop.failbackSeconds * 1000;
  }
}

/**
 * S = (rounds + renewals + probes + returns + lost flows + calls in a minute) × the sends that one of them can cost.
 * A round costs at least the shortest back-off, the others have periods of their own. A second flow costs the same.
 */
function registerBound(policy: RedundancyPolicy, around: Surroundings): number {
  const minute = 60_000;
  const per = (periodMs_: number): number =>
    Number.isFinite(periodMs_) && periodMs_ > 0 ? Math.floor(minute / periodMs_) + 1 : 0;
  const registering = registrars(policy);
  const sends = sum(policy.servers, (server, index) => sendsAt(policy, server, index + 1, around));
  const rounds = per(backoffMinMs(policy));
  const renewals = per(Math.min(...registering.map((server) => soonestRenewalMs(policy, server))));
  // Chance leaves at least this much of a wait.
  const least = (wait: number): number =>
    wait > 0 ? Math.max(SHORTEST_BACKOFF_MS, wait * (1 - policy.returnSpread)) : 0;
  const probes = policy.registration === "successive" ? per(least(policy.probeIntervalMs)) : 0;
  const away = policy.servers.map((server) => least(periodMs(server, around)));
  const returns = per(Math.min(...away));
  const proxies = policy.proxies.length > 1 ? per(least(policy.proxyProbeIntervalMs)) : 0;
  const lost = per(policy.keepAliveMs) + per(least(policy.registrarProbeMs));
  const calls = around.callsPerMinute * registering.length;
  const flows = policy.outbound !== "never" && policy.proxies.length > 1 ? 2 : 1;
  return flows * (1 + rounds + renewals + probes + returns + proxies + lost + calls) * sends;
}

/**
 * C = the INVITE's round over all servers, registering at each place first where the policy wants it, and then the
 * longest that somebody who is at work on a call may take.
 */
function callBound(policy: RedundancyPolicy, around: Surroundings): number {
  const invite = roundMs(policy, around, "INVITE");
  const register = policy.servers.some(
    (server) => server.registerOnFailover || policy.registration === "successive",
  );
  return invite + (register ? roundMs(policy, around, "REGISTER") : 0) + PROGRESS_MS;
}

/**
 * One request on its way through all that may be tried: the patience of each place, and all of Timer F or B at
 * the last.
 */
function roundMs(policy: RedundancyPolicy, around: Surroundings, method: string): number {
  const full = fullPatienceMs(policy);
  const total = sum(policy.servers, (server, index) =>
    sum(hopsOf(policy, server, index + 1), ({ hop, number }) => {
      const targets = around.targets(number);
      const last = policy.strictLastTarget ? full : 0;
      return targets * (patienceMs(policy, hop, method) + around.answerMs * CHALLENGES) + last;
    }),
  );
  return total + full + around.answerMs * (policy.servers.length + 1);
}

/** A trial of all that the first server is. */
function firstServerMs(policy: RedundancyPolicy, around: Surroundings): number {
  const first = policy.servers[0] as ServerPolicy;
  const hops = hopsOf(policy, first, 1);
  const patience = sum(hops, ({ hop, number }) => {
    return around.targets(number) * (patienceMs(policy, hop, "REGISTER") + around.answerMs);
  });
  return patience + around.answerMs;
}

/** What a server's requests go to: itself, or the outbound proxies; `number` as `Surroundings.targets` counts. */
function hopsOf(
  policy: RedundancyPolicy,
  server: ServerPolicy,
  index: number,
): { hop: ServerPolicy; number: number }[] {
  const through = server.throughProxy && policy.proxies.length > 0;
  return through
    ? policy.proxies.map((hop, position) => ({ hop, number: -1 - position }))
    : [{ hop: server, number: index }];
}

/** The latest instant of a renewal, after the registration. */
function renewalMs(server: ServerPolicy, around: Surroundings): number {
  return renewalAfterMs(server, Math.min(server.expiresSeconds, around.grantedSeconds));
}

/** The earliest: a registrar may grant as little as it likes, but the phone waits a moment. */
function soonestRenewalMs(policy: RedundancyPolicy, server: ServerPolicy): number {
  const wait = renewalAfterMs(server, server.expiresSeconds) * (1 - policy.refreshJitter);
  return Math.max(shortestMs(server.expiresSeconds), wait);
}

/** The latest instant of the renewal of a binding of `granted` seconds. */
export function renewalAfterMs(server: ServerPolicy, granted: number): number {
  const { overlapSeconds } = server;
  const lead =
    overlapSeconds === "half" || overlapSeconds >= granted ? granted / 2 : overlapSeconds;
  return Math.max(shortestMs(granted), (granted - lead) * 1000);
}

function shortestMs(granted: number): number {
  return Math.min(SHORTEST_REFRESH_MS, granted * 500);
}

/** What one REGISTER can send to a server: each target, each resend, each challenge. */
function sendsAt(
  policy: RedundancyPolicy,
  server: ServerPolicy,
  index: number,
  around: Surroundings,
): number {
  const full = fullPatienceMs(policy);
  return sum(hopsOf(policy, server, index), ({ hop, number }) => {
    const interval = hop.retryIntervalMs > 0 ? hop.retryIntervalMs : policy.t1Ms;
    const last = Math.ceil(full / (hop.retryIntervalMs > 0 ? interval : policy.t2Ms)) + 4;
    return around.targets(number) * (1 + hop.registerRetries + CHALLENGES) + last;
  });
}

function backoffMaxMs({ backoff }: RedundancyPolicy): number {
  const wait = backoff.kind === "fixed" ? backoff.intervalMs : backoff.maxMs;
  return Math.max(SHORTEST_BACKOFF_MS, wait);
}

/** RFC 5626 §4.5 waits at least half of the upper bound, which after one failure is twice the base. */
function backoffMinMs({ backoff }: RedundancyPolicy): number {
  const { kind } = backoff;
  const wait = kind === "fixed" ? backoff.intervalMs : Math.min(backoff.baseMs, backoff.maxMs / 2);
  return Math.max(SHORTEST_BACKOFF_MS, wait);
}

function registrars(policy: RedundancyPolicy): readonly ServerPolicy[] {
  const registering = policy.servers.filter((server) => server.register);
  return registering.length > 0 ? registering : policy.servers;
}

function sum<Item>(items: readonly Item[], of: (item: Item, index: number) => number): number {
  return items.reduce((total, item, index) => total + of(item, index), 0);
}
