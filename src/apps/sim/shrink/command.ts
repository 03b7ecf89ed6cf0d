/** `dialtone sim --shrink SEED`: the smallest plan that breaks the same promise, as a scenario file. */
import { writeFileSync } from "node:fs";
import { EXIT, exitWith } from "../../exit.ts";
import { readScenario } from "../../scenario/read-scenario.ts";
import { playInSimulator } from "../scenarios.ts";
import { drawPlan } from "../swarm/draw-plan.ts";
import { asScenario } from "./as-scenario.ts";
import { shrinkPlan } from "./shrink-plan.ts";

/** @param file where the scenario goes; undefined: to stdout. @param strict see SwarmWatch. */
export async function simulateShrink(
  seed: number,
  file: string | undefined,
  strict: boolean,
): Promise<void> {
  const tell = (line: string): unknown => process.stderr.write(`${line}\n`);
  const plan = drawPlan(seed);
  const shrunk = shrinkPlan(plan, { strict });
  if (shrunk === undefined) {
    tell(`seed ${seed} breaks no invariant`);
    return;
  }
  const { violation, runs } = shrunk;
  const { text, untold } = asScenario(shrunk.plan, violation);
  const name = file ?? `seed-${seed}.yaml`;
  const { scenario, faults } = readScenario(name, text);
  if (scenario === undefined) {
    const wrong = faults.map(({ line, key, wrong: what }) => `${name}:${line}: ${key}: ${what}`);
    exitWith(EXIT.failed, `${name}: what is left of seed ${seed} cannot be written down`, ...wrong);
  }
  if (file === undefined) process.stdout.write(text);
  else writeFileSync(file, text);
  const { faults: befell, calls, accounts, servers } = shrunk.plan;
  tell(`${violation.invariant}: ${violation.what}`);
  tell(
    `${runs} runs; left: ${befell.length} of ${plan.faults.length} faults, ${calls.length} of ${plan.calls.length} calls, ${accounts.length} of ${plan.accounts.length} accounts, ${servers.length} of ${plan.servers.length} servers`,
  );
  for (const words of untold) tell(`not in the file: ${words}`);
  const { verdict } = await playInSimulator(scenario, seed);
  tell(verdict.passed ? "played, it does not show the fault" : "played, it shows the fault");
  process.exitCode = EXIT.failed;
}
