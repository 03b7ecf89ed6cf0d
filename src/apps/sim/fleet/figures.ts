/** The figures of a fleet's run, from what was counted. */
import type { FleetPlan, Outage } from "./plan.ts";
import type { Tally } from "./tally.ts";

export interface ServerFigures {
  readonly server: string;
  readonly registers: number;
  /** REGISTERs in one second: the most, and what 99 of 100 seconds stay below. */
  readonly peak: number;
  readonly p99: number;
}

export interface OutageFigures extends Outage {
  /** Phones served just before, and the fewest during it. */
  readonly servedBefore: number;
  readonly servedLeast: number;
  /** Seconds until so many of those served before are served again; undefined: not while the run lasted. */
  readonly seconds50: number | undefined;
  readonly seconds99: number | undefined;
  readonly seconds100: number | undefined;
}

export interface FleetFigures {
  readonly seed: number;
  readonly phones: number;
  readonly servers: readonly ServerFigures[];
  readonly outages: readonly OutageFigures[];
  readonly calls: { readonly placed: number; readonly answered: number; readonly lost: number };
  readonly registeredAtEnd: number;
  /** Packets delivered to a process, and timers that rang in one. */
  readonly events: number;
  /** Equal for equal seeds. */
  readonly traceHash: string;
}

export function figuresOf(
  plan: FleetPlan,
  tally: Tally,
  events: number,
  traceHash: number,
): FleetFigures {
  return {
    seed: plan.seed,
    phones: plan.phones,
    servers: plan.servers.map(({ name }) => serverFigures(name, tally.registersAt(name))),
    outages: plan.outages.map((outage) => outageFigures(outage, tally.served)),
    calls: { ...tally.calls },
    registeredAtEnd: tally.servedNow,
    events,
    traceHash: traceHash.toString(16).padStart(8, "0"),
  };
}

function serverFigures(server: string, counts: Uint32Array): ServerFigures {
  const sorted = Uint32Array.from(counts).sort();
  const registers = counts.reduce((sum, count) => sum + count, 0);
  const p99 = sorted[Math.floor(0.99 * (sorted.length - 1))] ?? 0;
  return { server, registers, peak: sorted.at(-1) ?? 0, p99 };
}

function outageFigures(outage: Outage, served: Uint32Array): OutageFigures {
  const start = Math.floor(outage.atMs / 1000);
  const servedBefore = served[Math.max(0, start - 1)] ?? 0;
  let servedLeast = servedBefore;
  let lowestAt = start;
  const end = Math.min(served.length, start + Math.ceil(outage.forMs / 1000));
  for (let second = start; second < end; second += 1) {
    const now = served[second] ?? 0;
    if (now >= servedLeast) continue;
    servedLeast = now;
    lowestAt = second;
  }
  const until = (share: number): number | undefined => {
    for (let second = lowestAt; second < served.length; second += 1) {
      if ((served[second] ?? 0) >= share * servedBefore) return second - start;
    }
    return undefined;
  };
  const [seconds50, seconds99, seconds100] = [until(0.5), until(0.99), until(1)];
  return { ...outage, servedBefore, servedLeast, seconds50, seconds99, seconds100 };
}

/** For people: a line a server, a line an outage, a line for the calls. */
export function figureLines(figures: FleetFigures): string[] {
  const { servers, outages, calls, registeredAtEnd, phones, traceHash } = figures;
  const again = (seconds: number | undefined): string =>
    seconds === undefined ? "never" : `${seconds} s`;
  return [
    ...servers.map(
      ({ server, registers, peak, p99 }) =>
        `${server}: ${registers} REGISTERs, peak ${peak}/s, p99 ${p99}/s`,
    ),
    ...outages.map(
      (one) =>
        `${one.kind} of ${one.server}: ${one.servedBefore} served before, ${one.servedLeast} at worst; 50 % again after ${again(one.seconds50)}, 99 % after ${again(one.seconds99)}, 100 % after ${again(one.seconds100)}`,
    ),
    `calls: ${calls.placed} placed, ${calls.lost} lost`,
    `at the end ${registeredAtEnd} of ${phones} are served; trace ${traceHash}`,
  ];
}
