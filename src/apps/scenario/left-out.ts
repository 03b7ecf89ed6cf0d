/** Scenarios that cannot be played here and now: named with what they lack, never passed over in silence. */
import { programsOf } from "./read-guests.ts";
import type { Scenario } from "./scenario.ts";

export interface LeftOut {
  readonly scenario: string;
  /** `needs kamailio; install it: …`. */
  readonly why: string;
}

export interface Sorted {
  readonly playable: readonly Scenario[];
  readonly leftOut: readonly LeftOut[];
}

/** @param lacks what a scenario lacks; undefined: nothing. */
export function sortOut(
  scenarios: readonly Scenario[],
  lacks: (scenario: Scenario) => string | undefined,
): Sorted {
  const playable: Scenario[] = [];
  const leftOut: LeftOut[] = [];
  for (const scenario of scenarios) {
    const why = lacks(scenario);
    if (why === undefined) playable.push(scenario);
    else leftOut.push({ scenario: scenario.name, why });
  }
  return { playable, leftOut };
}

/** What the simulator lacks: only what is ours exists there. */
export function lacksInSimulator({ topology }: Scenario): string | undefined {
  const programs = programsOf(topology);
  if (programs.length === 0) return undefined;
  return `has ${programs.join(" and ")}, and programs of others run as real processes only: dialtone lab plays it`;
}

/** `NAME left out: WHY`, or an event of the command. */
export function leftOutLine({ scenario, why }: LeftOut, node: string, json: boolean): string {
  if (!json) return `${scenario} left out: ${why}`;
  const time = new Date().toISOString();
  return JSON.stringify({ at: 0, time, node, event: "scenario.left-out", scenario, why });
}
