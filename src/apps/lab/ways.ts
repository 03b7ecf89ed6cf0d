/** Which faults befall ways, which processes, and how our own processes are told of the former. */
import type { ServerFault, WayFault } from "../scenario/scenario.ts";

/** As processes of ours are told it. */
export function controlOf(
  { kind, ...how }: WayFault,
  peers: readonly string[],
): Readonly<Record<string, unknown>> {
  return { do: kind, ...how, with: peers };
}

export function isOfWays(fault: ServerFault): fault is ServerFault & WayFault {
  return ["drop", "refuse", "delay", "heal"].includes(fault.kind);
}

export function isOfProcess({ kind }: ServerFault): boolean {
  return ["kill", "stop", "freeze", "revive"].includes(kind);
}
