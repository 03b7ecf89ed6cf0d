/** What a run took of the machine that played it: never the same twice. */
export interface FleetCost {
  /** CPU time of the whole process. */
  readonly cpuSeconds: number;
  /** Protocol events for each of these seconds. */
  readonly eventsPerSecond: number;
  /** The most memory that the process has had. */
  readonly peakBytes: number;
}

/** @param begun what had been used before. */
export function costOf(events: number, begun: NodeJS.CpuUsage): FleetCost {
  const { user, system } = process.cpuUsage(begun);
  const cpuSeconds = (user + system) / 1e6;
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  return { cpuSeconds, eventsPerSecond: events / Math.max(cpuSeconds, 1e-3), peakBytes };
}

/** For people. */
export function costLine(events: number, cost: FleetCost): string {
  const [seconds, perSecond] = [cost.cpuSeconds.toFixed(1), Math.round(cost.eventsPerSecond)];
  const gigabytes = (cost.peakBytes / 1e9).toFixed(2);
  return `${events} protocol events in ${seconds} s of CPU time, ${perSecond} a second; at most ${gigabytes} GB of memory`;
}
