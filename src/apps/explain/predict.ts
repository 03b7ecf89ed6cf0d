/** Every failure that a configuration can meet, rehearsed in many phases of its renewals, as figures. */
import type { Bounds } from "../../core/redundancy/bounds.ts";
import { patienceMs } from "../../core/redundancy/patience.ts";
import type { AccountPolicy } from "../../core/redundancy/policy.ts";
import type { SimulatedEvent } from "../../worlds/sim/simulation.ts";
import type { RuleTeller } from "../sim/phone-config.ts";
import {
  type GroundServer,
  type Grounds,
  groundsOf,
  hopsOf,
  type Surroundings,
} from "./grounds.ts";
import { homeServer } from "./home.ts";
import {
  type Absence,
  boundsAmong,
  type FaultName,
  type Outage,
  Rehearsal,
  type Return,
} from "./rehearsal.ts";

/** Milliseconds; Infinity: never within the bound. */
export interface Spread {
  readonly least: number;
  readonly median: number;
  readonly p95: number;
  readonly worst: number;
}

export interface Prediction {
  /** For people: `primary of server 1`, `all of server 1`. */
  readonly victim: string;
  readonly fault: FaultName;
  /** As `Case.hangs`, of a silent one. */
  readonly hangs: boolean;
  readonly firstCall: Spread;
  readonly nextCall: Spread;
  readonly registered: Spread;
  /** Undefined: no working server is left. */
  readonly fullService: Spread | undefined;
  readonly unreachable: Spread;
  readonly back: Spread;
  /** Of the first call of the first phase. */
  readonly decisions: readonly SimulatedEvent[];
}

export interface Forecast {
  readonly account: AccountPolicy;
  readonly grounds: Grounds;
  readonly bounds: Bounds;
  /** Whether the phone registered anywhere while all was well. */
  readonly standing: boolean;
  readonly registersPerHour: number;
  readonly predictions: readonly Prediction[];
}

export interface ForecastRequest extends Surroundings {
  readonly account: AccountPolicy;
  readonly rule: RuleTeller;
  /** Failures of each kind, spread over one period of renewal and over one of keep-alives. */
  readonly phases: number;
  readonly seed: number;
  /** As `Case.hangs`; not of a forecast, which has both where it makes a difference. */
  readonly hangs?: boolean;
}

export type RehearsalRequest = Omit<ForecastRequest, keyof Surroundings>;

/** The golden section: steps of it meet everything soon and nothing twice. */
const GOLDEN = 0.618;
const HOUR_MS = 3_600_000;
/** Of the time from one renewal to the next: who waits for all of it has just renewed again. */
const NEARLY_ALL = 0.99;

export const FAULTS: readonly FaultName[] = ["closed", "silent", "503"];

export function forecast(request: ForecastRequest): Forecast {
  const { account, rule, seed } = request;
  const grounds = groundsOf(account, request);
  const calm = new Rehearsal({ account, rule, grounds, seed });
  const victims = calm.standing ? victimsOf(grounds) : [];
  const connects = isOverConnections(account, grounds);
  return {
    account,
    grounds,
    bounds: boundsAmong(account, grounds),
    standing: calm.standing,
    registersPerHour: calm.registersInAnHour(),
    predictions: victims.flatMap((victim) => [
      ...predictionsFor({ ...request, hangs: false }, grounds, victim, FAULTS),
      ...(connects ? predictionsFor({ ...request, hangs: true }, grounds, victim, ["silent"]) : []),
    ]),
  };
}

/** Whether the kernel of a server, which takes connections, has a part in what the phone meets. */
function isOverConnections({ redundancy }: AccountPolicy, { records }: Grounds): boolean {
  const streams = hopsOf(redundancy).some(
    ({ policy: { transport } }) => transport !== "udp" && transport !== "naptr",
  );
  return streams || records.some(({ type, name }) => type === "SRV" && /\._tcp\./.test(name));
}

/** What becomes of the phone when these machines fail in each of these ways. */
export function predictionsFor(
  request: RehearsalRequest,
  grounds: Grounds,
  { victim, servers }: Victim,
  faults: readonly FaultName[],
): Prediction[] {
  const begin = (phase: number): Rehearsal => begun(request, grounds, phase);
  const { account, phases } = request;
  const times = absencesOf(account, grounds, phases);
  const trialMs = trialPeriodMs(account, grounds);
  const absences = times.map((absentMs) => ({ absentMs, trialMs }));
  return faults.map((fault) => {
    const hangs = fault === "silent" && request.hangs === true;
    return { victim, fault, hangs, ...predict(begin, absences, servers, fault) };
  });
}

/** The way home of one phase, milliseconds. */
export function returnOf(
  request: RehearsalRequest,
  grounds: Grounds,
  { servers }: Victim,
  fault: FaultName,
  { phase, ...home }: Return & { readonly phase: number },
): number {
  const rehearsal = begun(request, grounds, phase);
  rehearsal.strike(servers, fault);
  return rehearsal.returnAfter(fault, home);
}

function begun(
  { account, rule, phases, seed, hangs }: RehearsalRequest,
  grounds: Grounds,
  phase: number,
): Rehearsal {
  const rehearsal = new Rehearsal({ account, rule, grounds, seed: seed + phase, hangs });
  const { keepAliveMs } = account.redundancy;
  const period = periodMs(account);
  const least = keepAliveMs > 0 ? Math.min(keepAliveMs, period) : period;
  // Who has never answered a keep-alive owes none: a connection has had its first one.
  rehearsal.pass(keepAliveMs);
  rehearsal.passToRenewal(period);
  rehearsal.pass(momentIn(phase, phases, period, least));
  return rehearsal;
}

/** From just renewed to about to be renewed: the ends are where the worst and the least are. */
function shareOf(phase: number, phases: number): number {
  return phases === 1 ? 0.5 : (NEARLY_ALL * phase) / (phases - 1);
}

function predict(
  begin: (phase: number) => Rehearsal,
  absences: readonly Absence[],
  servers: readonly GroundServer[],
  fault: FaultName,
): Omit<Prediction, "victim" | "fault" | "hangs"> {
  const outages: Outage[] = [];
  const first: number[] = [];
  const next: number[] = [];
  let decisions: readonly SimulatedEvent[] = [];
  for (const [phase, absence] of absences.entries()) {
    const idle = begin(phase);
    idle.strike(servers, fault);
    outages.push(idle.outage(fault, absence));
    const calling = begin(phase);
    calling.strike(servers, fault);
    const delays = calling.calls();
    first.push(delays.firstMs);
    next.push(delays.nextMs);
    if (phase === 0) decisions = delays.decisions;
  }
  const full = outages.flatMap(({ fullServiceMs }) => fullServiceMs ?? []);
  return {
    firstCall: spreadOf(first),
    nextCall: spreadOf(next),
    registered: spreadOf(outages.map(({ registeredMs }) => registeredMs)),
    fullService: full.length === 0 ? undefined : spreadOf(full),
    unreachable: spreadOf(outages.map(({ unreachableMs }) => unreachableMs)),
    back: spreadOf(outages.map(({ backMs }) => backMs)),
    decisions,
  };
}

/** Machines that fail together. */
export interface Victim {
  /** For people. */
  readonly victim: string;
  readonly servers: readonly GroundServer[];
}

/** Each machine alone, first the one that the phone should use, and all that stand behind one name together. */
export function victimsOf({ servers }: Grounds): readonly Victim[] {
  const victims: Victim[] = servers.map((one) => ({ victim: one.title, servers: [one] }));
  const groups = new Map<string, GroundServer[]>();
  for (const one of servers) {
    groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  }
  for (const [name, group] of groups) {
    if (group.length > 1) victims.push({ victim: `all of ${name}`, servers: group });
  }
  return victims;
}

/** One period of renewal at the first server that is registered at, an hour at most. */
export function periodMs({ redundancy }: AccountPolicy): number {
  const home = redundancy.servers[homeServer(redundancy) - 1];
  const { expiresSeconds, overlapSeconds } = home ?? { expiresSeconds: 60 };
  const lead = typeof overlapSeconds === "number" ? overlapSeconds : expiresSeconds / 2;
  return Math.min(3600, Math.max(1, expiresSeconds - Math.min(lead, expiresSeconds / 2))) * 1000;
}

/**
 * How long servers stay away in each phase, milliseconds: spread over the longest period of trials of the way home and
 * over the shortest as well, or steps that are multiples of it would meet one moment of it only. The order is another
 * than that of the phases of renewal, so that the two do not go together.
 */
function absencesOf(account: AccountPolicy, grounds: Grounds, phases: number): number[] {
  const periods = trialPeriodsMs(account, grounds);
  const least = Math.min(...periods);
  const longest = Math.max(...periods);
  return shuffled(phases).map((phase) => momentIn(phase, phases, longest, least));
}

/** So many moments, spread evenly over the longer of two periods, and so over the shorter one that runs beside it. */
function momentIn(phase: number, phases: number, longest: number, least: number): number {
  const share = shareOf(phase, phases);
  if (2 * longest < least * phases) return share * longest;
  return (Math.floor((share * longest) / least) + share) * least;
}

/** The middles of so many equal parts of 0..1, in an order that has nothing to do with theirs. */
export function shuffledPhases(phases: number): number[] {
  return shuffled(phases).map((phase) => (phase + 0.5) / phases);
}

function shuffled(phases: number): number[] {
  const step = coprimeStep(phases);
  return Array.from({ length: phases }, (_none, phase) => (phase * step) % phases);
}

function coprimeStep(phases: number): number {
  const divides = (a: number, b: number): boolean => (b === 0 ? a === 1 : divides(b, a % b));
  let step = Math.max(1, Math.round(phases * GOLDEN));
  while (!divides(phases, step)) step += 1;
  return step;
}

/** The longest from one trial of what is better to the next, an hour at most. */
export function trialPeriodMs(account: AccountPolicy, grounds: Grounds): number {
  return Math.max(...trialPeriodsMs(account, grounds));
}

/** From one trial of what is better to the next, for each reason that there is: the wait, and a trial in vain. */
function trialPeriodsMs(account: AccountPolicy, grounds: Grounds): number[] {
  const { servers, proxies, registration, probeIntervalMs, proxyProbeIntervalMs, returnSpread } =
    account.redundancy;
  const periods = [periodMs(account)];
  if (servers.length > 1 && registration === "successive") periods.push(probeIntervalMs);
  if (proxies.length > 1) periods.push(proxyProbeIntervalMs);
  for (const { failbackMode, failbackSeconds } of [...servers.slice(0, 1), ...proxies]) {
    if (failbackMode === "duration") periods.push(failbackSeconds * 1000);
    if (failbackMode === "DNSTTL") periods.push(grounds.ttlSeconds * 1000);
  }
  const [first] = servers;
  const hop = first?.throughProxy === true && proxies[0] !== undefined ? proxies[0] : first;
  const vain = hop === undefined ? 0 : patienceMs(account.redundancy, hop, "REGISTER");
  return periods.map((period) => Math.min(HOUR_MS, period * (1 + returnSpread) + vain));
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { least: at(0), median: at(0.5), p95: at(0.95), worst: at(1) };
}
