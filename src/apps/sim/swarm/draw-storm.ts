/** What befalls a small town, drawn from a seed: faults, and calls meanwhile. */
import type { Prng } from "../../../worlds/sim/prng.ts";
import type { ServerSpec } from "../town.ts";
import type { FaultKind, PlannedCall, PlannedFault, PlannedRestart } from "./plan.ts";

const KINDS: readonly FaultKind[] = [
  "kill",
  "kill",
  "kill",
  "freeze",
  "freeze",
  "partition",
  "partition",
  "refuse-all",
  "delay",
  "dns-silent",
  "dns-failing",
  "store-away",
];

export function drawFaults(
  prng: Prng,
  servers: readonly ServerSpec[],
  stormMs: number,
): PlannedFault[] {
  const count = prng.between(1, 8);
  return Array.from({ length: count }, () => {
    const kind = prng.pick(KINDS);
    const everybody = kind.startsWith("dns") || kind === "store-away";
    return {
      atMs: prng.between(0, stormMs),
      forMs: prng.pick([500, 5000, 20_000, 60_000, 400_000]),
      kind,
      server: everybody ? undefined : prng.pick(servers).name,
      amount: kind === "delay" ? prng.between(100, 3000) : prng.pick([0, 0, 10, 60]),
    };
  }).sort((one, other) => one.atMs - other.atMs);
}

export function drawCalls(prng: Prng, phones: number, stormMs: number): PlannedCall[] {
  return Array.from({ length: prng.between(1, 5) }, () => {
    const from = prng.between(0, phones - 1);
    const to = (from + prng.between(1, phones - 1)) % phones;
    return { atMs: prng.between(1000, stormMs), from, to, ...drawLength(prng) };
  });
}

/** Half of all runs have none. */
export function drawRestarts(prng: Prng, phones: number, stormMs: number): PlannedRestart[] {
  return Array.from({ length: prng.pick([0, 0, 1, 2]) }, () => ({
    atMs: prng.between(0, stormMs),
    forMs: prng.pick([10, 500, 5000, 60_000]),
    phone: prng.between(0, phones - 1),
  })).sort((one, other) => one.atMs - other.atMs);
}

type Length = Pick<PlannedCall, "forMs" | "holdMs">;

/** Audio is what costs most: long calls are on hold, at both ends, for most of their time. */
function drawLength(prng: Prng): Length {
  switch (prng.pick(["cut", "short", "short", "short", "talk", "held"] as const)) {
    case "cut":
      return { forMs: prng.between(1, 400), holdMs: undefined };
    case "short":
      return { forMs: prng.between(100, 600), holdMs: undefined };
    case "talk":
      return { forMs: prng.between(600, 3000), holdMs: undefined };
    case "held":
      return { forMs: prng.pick([5, 20, 60, 100]) * 1000, holdMs: prng.between(200, 500) };
  }
}
