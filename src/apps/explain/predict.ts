/** Every failure that a configuration can meet, rehearsed in many phases of its renewals, as figures. */
import type { Bounds } from "../../core/redundancy/bounds.ts";
import type { AccountPolicy } from "../../core/redundancy/policy.ts";
import type { SimulatedEvent } from "../../worlds/sim/simulation.ts";
import type { RuleTeller } from "../sim/phone-config.ts";
import { type GroundServer, type Grounds, groundsOf } from "./grounds.ts";
import { boundsAmong, type FaultName, type Outage, Rehearsal } from "./rehearsal.ts";

/** Milliseconds; Infinity: never within the bound. */
export interface Spread {
  readonly median: number;
  readonly p95: number;
  readonly worst: number;
}

export interface Prediction {
  /** For people: `primary of server 1`, `all of server 1`. */
  readonly victim: string;
  readonly fault: FaultName;
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

export interface ForecastRequest {
  readonly account: AccountPolicy;
  readonly rule: RuleTeller;
  /** Addresses behind the name of the working server, where no static record tells. */
  readonly targets: number;
  /** Failures of each kind, spread over one period of renewal. */
  readonly phases: number;
  readonly seed: number;
}

const FAULTS: readonly FaultName[] = ["closed", "silent", "503"];

export function forecast(request: ForecastRequest): Forecast {
  const { account, rule, targets, phases, seed } = request;
  const grounds = groundsOf(account, targets);
  const calm = new Rehearsal({ account, rule, grounds, seed });
  const predictions: Prediction[] = [];
  if (calm.standing) {
    const begin = (phase: number): Rehearsal => {
      const rehearsal = new Rehearsal({ account, rule, grounds, seed: seed + phase });
      rehearsal.pass(((phase + 0.5) / phases) * periodMs(account));
      return rehearsal;
    };
    for (const { victim, servers } of victimsOf(grounds)) {
      for (const fault of FAULTS) {
        predictions.push({ victim, fault, ...predict(begin, phases, servers, fault) });
      }
    }
  }
  return {
    account,
    grounds,
    bounds: boundsAmong(account, grounds),
    standing: calm.standing,
    registersPerHour: calm.registersInAnHour(),
    predictions,
  };
}

function predict(
  begin: (phase: number) => Rehearsal,
  phases: number,
  servers: readonly GroundServer[],
  fault: FaultName,
): Omit<Prediction, "victim" | "fault"> {
  const outages: Outage[] = [];
  const first: number[] = [];
  const next: number[] = [];
  let decisions: readonly SimulatedEvent[] = [];
  for (let phase = 0; phase < phases; phase += 1) {
    const idle = begin(phase);
    idle.strike(servers, fault);
    outages.push(idle.outage(fault));
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

/** Each machine alone, and all that stand behind one name together. */
function victimsOf({ servers }: Grounds): { victim: string; servers: GroundServer[] }[] {
  const victims = servers.map((one) => ({ victim: one.title, servers: [one] }));
  const groups = new Map<string, GroundServer[]>();
  for (const one of servers) {
    groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  }
  for (const [name, group] of groups) {
    if (group.length > 1) victims.push({ victim: `all of ${name}`, servers: group });
  }
  return victims;
}

/** One period of renewal at the working server, an hour at most. */
function periodMs({ redundancy }: AccountPolicy): number {
  const { expiresSeconds, overlapSeconds } = redundancy.servers[0] ?? { expiresSeconds: 60 };
  const lead = typeof overlapSeconds === "number" ? overlapSeconds : expiresSeconds / 2;
  return Math.min(3600, Math.max(1, expiresSeconds - Math.min(lead, expiresSeconds / 2))) * 1000;
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { median: at(0.5), p95: at(0.95), worst: at(1) };
}
