/**
 * What the simulator does in a second, and the memory that a whole fleet takes with its servers: `dialtone sim` itself.
 * Beside it, in the same minute, what a known parser does in a second: a machine's mood moves both.
 */
import { join } from "node:path";
import type { FleetCost } from "../sim/fleet/cost.ts";
import type { Crew } from "./crew.ts";
import { npmSipMessagesPerSecond } from "./parse.ts";
import type { Outcome, Unit } from "./report.ts";

const PROGRAM = join(import.meta.dirname, "..", "cli.js");
const SEED = 7;
const RATE: Unit = {
  ...{ key: "eventsPerSecond", words: "protocol events a second of CPU time" },
  ...{ digits: 0, rises: true },
};
const BYTES: Unit = { key: "bytes", words: "bytes at the most", digits: 0 };
/** Of the yardstick. */
const SECONDS = 2;

interface Fleet {
  readonly what: string;
  readonly args: readonly string[];
}

/** What is played if no other fleet is asked for. */
const FLEETS: readonly Fleet[] = [
  {
    what: "3000 calm phones for 2 h that do not call",
    args: ["--phones", "3000", "--hours", "2", "--calm", "--calls", "0"],
  },
  {
    what: "3000 calm phones for 1 h, 20 calls a minute",
    args: ["--phones", "3000", "--hours", "1", "--calm", "--calls", "20"],
  },
  {
    what: "1000 phones for 4 h with calls, their servers failing",
    args: ["--phones", "1000", "--hours", "4"],
  },
];

/** @returns a fleet through what fails in it; @param hours that it lives. */
export function failingFleet(phones: number, hours: number): Fleet {
  return {
    what: `a fleet of ${phones} phones for ${hours} h`,
    args: ["--phones", `${phones}`, "--hours", `${hours}`],
  };
}

/** Starting and compiling included, which is four to seven seconds. @param fleets one after the other. */
export async function* benchSimulator(
  crew: Crew,
  runs: number,
  fleets: readonly Fleet[] = FLEETS,
): AsyncGenerator<Outcome> {
  for (const { what, args } of fleets) {
    const costs: FleetCost[] = [];
    const parsed: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      costs.push(await play(crew, args));
      const messages = await npmSipMessagesPerSecond(crew, SECONDS);
      if (messages !== undefined) parsed.push(messages);
    }
    const told = { bench: "simulator", what: `${what}, seed ${SEED}`, notes: [] };
    const figures = (of: (cost: FleetCost) => number): Outcome["ours"] => {
      return { name: "dialtone", runs: costs.map(of) };
    };
    const others = parsed.length < runs ? [] : [{ name: "messages npm sip parses", runs: parsed }];
    yield { ...told, unit: RATE, ours: figures((cost) => cost.eventsPerSecond), others };
    yield { ...told, unit: BYTES, ours: figures((cost) => cost.peakBytes), others: [] };
  }
}

async function play(crew: Crew, args: readonly string[]): Promise<FleetCost> {
  const whole = [PROGRAM, "sim", "--seed", `${SEED}`, "--json", ...args];
  const said = await crew.run(0, { program: process.execPath, args: whole });
  const finished = said.trimEnd().split("\n").at(-1) ?? "";
  return (JSON.parse(finished) as { cost: FleetCost }).cost;
}
