/** Where scenarios come from: the project's own folder by name, any file by path, or all of the folder. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Fault } from "../../core/provisioning/configuration.ts";
import { readScenario } from "../scenario/read-scenario.ts";
import type { Scenario } from "../scenario/scenario.ts";

/** `scenarios/` beside `dist/` and `src/`. */
const FOLDER = join(import.meta.dirname, "..", "..", "..", "..", "scenarios");

export interface Catalogue {
  readonly scenarios: readonly Scenario[];
  readonly faults: readonly Fault[];
}

/** The names of the project's own scenarios, sorted. */
export function scenarioNames(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => file.slice(0, -".yaml".length))
    .sort();
}

/** @param wanted a name, a path to a YAML file, or `all`. */
export function loadScenarios(wanted: string): Catalogue {
  if (wanted !== "all") return load([pathOf(wanted)]);
  return load(scenarioNames().map((name) => join(FOLDER, `${name}.yaml`)));
}

/** The topology that `dialtone lab` brings up when no scenario is asked for. */
export function loadLab(): Catalogue {
  return load([join(FOLDER, "lab", "lab.yaml")]);
}

function pathOf(wanted: string): string {
  return /[/\\]|\.ya?ml$/.test(wanted) ? wanted : join(FOLDER, `${wanted}.yaml`);
}

function load(paths: readonly string[]): Catalogue {
  const faults: Fault[] = [];
  const scenarios: Scenario[] = [];
  for (const path of paths) {
    const text = readText(path, faults);
    if (text === undefined) continue;
    const reading = readScenario(path, text);
    faults.push(...reading.faults);
    if (reading.scenario !== undefined) scenarios.push(reading.scenario);
  }
  return { scenarios, faults };
}

function readText(path: string, faults: Fault[]): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const wrong = `cannot be read (${error instanceof Error ? error.message : String(error)})`;
    const remedy = `name a scenario file, all, or one of ${scenarioNames().join(", ")}`;
    faults.push({ file: path, line: 1, key: "--scenario", severity: "error", wrong, remedy });
    return undefined;
  }
}
