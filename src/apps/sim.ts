/** `dialtone sim`: the same machines in virtual time. docs/sim.md tells how it is used. */
import { randomInt } from "node:crypto";
import { type Command, InvalidArgumentError } from "commander";
import { formatFault } from "../core/provisioning/fault.ts";
import { EXIT, exitWith } from "./exit.ts";
import { loadScenarios } from "./lab/catalogue.ts";
import { StageFault } from "./scenario/stage.ts";
import { verdictLines } from "./scenario/verdict.ts";
import { playInSimulator } from "./sim/scenarios.ts";

interface SimFlags {
  readonly scenario?: string;
  readonly seed?: number;
  readonly json?: boolean;
}

const MOST_SEED = 0xffff_ffff;

export function addSimCommand(program: Command): void {
  program
    .command("sim")
    .description("scenarios in virtual time: real phones and servers, simulated network")
    .option("--scenario <name>", "play and judge: a name, a YAML file, or all", "all")
    .option("--seed <n>", "the chance of everything; the same seed, the same run", seedOf)
    .option("--json", "one JSON object a line on stdout")
    .action(sim);
}

async function sim(flags: SimFlags): Promise<void> {
  const { scenarios, faults } = loadScenarios(flags.scenario ?? "all");
  if (faults.length > 0) exitWith(EXIT.wrongInput, ...faults.map(formatFault));
  const seed = flags.seed ?? randomInt(MOST_SEED);
  const json = flags.json === true;
  if (!json) process.stdout.write(`seed ${seed}\n`);
  let passed = true;
  for (const scenario of scenarios) {
    const watch = (record: object): unknown =>
      process.stdout.write(`${JSON.stringify({ ...record, scenario: scenario.name })}\n`);
    try {
      const { verdict } = await playInSimulator(scenario, seed, json ? watch : undefined);
      passed &&= verdict.passed;
      const lines = json
        ? [JSON.stringify({ node: "sim", event: "scenario.judged", seed, ...verdict })]
        : verdictLines(verdict);
      for (const line of lines) process.stdout.write(`${line}\n`);
    } catch (error) {
      if (!(error instanceof StageFault)) throw error;
      exitWith(EXIT.wrongInput, `${scenario.file}:1: ${error.message}`);
    }
  }
  process.exitCode = passed ? EXIT.ok : EXIT.failed;
}

function seedOf(text: string): number {
  const seed = Number(text);
  if (/^\d+$/.test(text) && seed <= MOST_SEED) return seed;
  throw new InvalidArgumentError(`write a whole number from 0 to ${MOST_SEED}`);
}
