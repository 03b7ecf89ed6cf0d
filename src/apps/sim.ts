/** `dialtone sim`: the same machines in virtual time. docs/sim.md tells how it is used. */
import { randomInt } from "node:crypto";
import { type Command, InvalidArgumentError } from "commander";
import { formatFault } from "../core/provisioning/fault.ts";
import { EXIT, exitWith, reserveFile, reserveFolder } from "./exit.ts";
import { hoursOf, whole } from "./flag-values.ts";
import { type Mode, refuseIdleFlags } from "./idle-flags.ts";
import { loadScenarios } from "./lab/catalogue.ts";
import { writeReport } from "./lab/report.ts";
import { lacksInSimulator, leftOutLine, sortOut } from "./scenario/left-out.ts";
import { StageFault } from "./scenario/stage.ts";
import { verdictLines } from "./scenario/verdict.ts";
import { simulateDecisions } from "./sim/decisions/command.ts";
import { simulateFleet } from "./sim/fleet/command.ts";
import { simulateMatrix } from "./sim/matrix/command.ts";
import { type PlayedInSimulator, playInSimulator } from "./sim/scenarios.ts";
import { simulateShrink } from "./sim/shrink/command.ts";
import { type SeedRange, simulateSwarm } from "./sim/swarm/command.ts";

interface SimFlags {
  readonly scenario?: string;
  readonly swarm?: number;
  readonly seeds?: SeedRange;
  readonly shrink?: number;
  readonly strict?: boolean;
  readonly matrix?: boolean;
  readonly decisions?: boolean;
  readonly write?: string;
  readonly phones: number;
  readonly hours: number;
  readonly capacity?: number;
  readonly calls?: number;
  readonly calm?: boolean;
  readonly seed?: number;
  readonly config?: readonly string[];
  readonly report?: string;
  readonly json?: boolean;
  readonly trace?: boolean;
}

const MOST_SEED = 0xffff_ffff;
const MOST_PHONES = 1_000_000;
const MOST_RUNS = 1_000_000;
const MOST_CAPACITY = 1_000_000;
const MOST_CALLS = 100_000;

/** In the order in which one goes before the other. */
const MODES: readonly Mode[] = [
  { by: ["matrix"], takes: ["write", "json"] },
  { by: ["decisions"], takes: ["write", "json"] },
  { by: ["shrink"], takes: ["write", "strict"] },
  { by: ["seeds"], takes: ["json", "strict"] },
  { by: ["swarm"], takes: ["seed", "json", "strict"] },
  { by: ["scenario"], takes: ["seed", "report", "json"] },
  {
    by: [],
    takes: "phones hours capacity calls calm config seed report json trace".split(" "),
  },
];

export function addSimCommand(program: Command): void {
  program
    .command("sim")
    .description("a fleet of phones, scenarios or a swarm of faults in virtual time")
    .option("--phones <n>", "the size of the fleet", whole(1, MOST_PHONES), 1000)
    .option("--hours <h>", "how long the fleet lives", hoursOf, 1)
    .option("--capacity <n>", "REGISTERs a second that a server can do", whole(1, MOST_CAPACITY))
    .option("--calls <n>", "calls a minute among all phones of the fleet", whole(0, MOST_CALLS))
    .option("--calm", "no server of the fleet fails")
    .option("--config <file...>", "provisioning files that all phones of the fleet have")
    .option("--scenario <name>", "play and judge instead: a name, a YAML file, or all")
    .option("--swarm <n>", "hold n small random towns to the invariants", whole(1, MOST_RUNS))
    .option("--seeds <from..to>", "the same for a range of seeds, telling what breaks", seedsOf)
    .option("--shrink <seed>", "the least that breaks the same, as a scenario", whole(0, MOST_SEED))
    .option("--strict", "with --swarm, --seeds, --shrink: by the younger checks, too")
    .option("--matrix", "play every transport, fault and method, and compare with the rules")
    .option("--decisions", "play every combination of each dialect's switches")
    .option(
      "--write <file>",
      "with --matrix, --decisions, --shrink: write the page or the scenario",
    )
    .option("--seed <n>", "the chance of everything: same seed, same run", whole(0, MOST_SEED))
    .option("--report <folder>", "write a page and JSON")
    .option("--json", "one JSON object a line on stdout")
    .option("--trace", "also every event of the fleet, as JSON")
    .action(sim);
}

async function sim(flags: SimFlags, command: Command): Promise<void> {
  refuseIdleFlags(command, MODES);
  const lastFirst = MOST_SEED - (flags.swarm ?? 1) + 1;
  const seed = flags.seed ?? randomInt(lastFirst);
  if (seed > lastFirst) {
    const why = `with ${flags.swarm} runs it is at most ${lastFirst}; write a smaller one`;
    exitWith(EXIT.wrongInput, `command line: --seed: ${why}`);
  }
  await reserveFile(flags.write);
  await reserveFolder(flags.report);
  const { json = false, strict = false } = flags;
  if (flags.matrix === true) simulateMatrix({ write: flags.write, json });
  else if (flags.decisions === true) simulateDecisions({ write: flags.write, json });
  else if (flags.shrink !== undefined) await simulateShrink(flags.shrink, flags.write, strict);
  else if (flags.seeds !== undefined) simulateSwarm({ ...flags.seeds, json, strict, brief: true });
  else if (flags.swarm !== undefined) {
    simulateSwarm({ from: seed, to: seed + flags.swarm - 1, json, strict, brief: false });
  } else if (flags.scenario !== undefined) await playScenarios(flags.scenario, seed, flags);
  else {
    const { phones, hours, capacity, calls, calm, config = [], report, trace = false } = flags;
    const asked = { seed, phones, hours, capacity, calls, calm };
    await simulateFleet({ ...asked, config, report, json, trace });
  }
}

async function playScenarios(wanted: string, seed: number, flags: SimFlags): Promise<void> {
  const { scenarios, faults } = loadScenarios(wanted);
  if (faults.length > 0) exitWith(EXIT.wrongInput, ...faults.map(formatFault));
  const json = flags.json === true;
  const say = (line: string): unknown => process.stdout.write(`${line}\n`);
  if (!json) say(`seed ${seed}`);
  const all: PlayedInSimulator[] = [];
  const { playable, leftOut } = sortOut(scenarios, lacksInSimulator);
  if (wanted !== "all") {
    const told = leftOut.map(({ why }, at) => `${scenarios[at]?.file}:1: the scenario ${why}`);
    if (told.length > 0) exitWith(EXIT.wrongInput, ...told);
  }
  for (const one of leftOut) say(leftOutLine(one, "sim", json));
  for (const scenario of playable) {
    const watch = (record: object): unknown =>
      say(JSON.stringify({ ...record, scenario: scenario.name }));
    try {
      const played = await playInSimulator(scenario, seed, json ? watch : undefined);
      all.push(played);
      const { at, time } = played.records.at(-1) ?? { at: 0, time: "" };
      const judged = { at, time, node: "sim", event: "scenario.judged", seed, ...played.verdict };
      for (const line of json ? [JSON.stringify(judged)] : verdictLines(played.verdict)) say(line);
    } catch (error) {
      if (!(error instanceof StageFault)) throw error;
      exitWith(EXIT.wrongInput, `${scenario.file}:1: ${error.message}`);
    }
  }
  if (flags.report !== undefined) await writeReport(flags.report, all, leftOut);
  process.exitCode = all.every(({ verdict }) => verdict.passed) ? EXIT.ok : EXIT.failed;
}

function seedsOf(text: string): SeedRange {
  const [, from, to] = /^(\d{1,10})\.\.(\d{1,10})$/.exec(text) ?? [];
  const range = { from: Number(from), to: Number(to) };
  if (range.from <= range.to && range.to <= MOST_SEED) return range;
  throw new InvalidArgumentError(`write FROM..TO, two whole numbers from 0 to ${MOST_SEED}`);
}
