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
  if (wanted !== "all") return load([pathOf(wanted)], "--scenario", "a scenario file, all");
  return ours(scenarioNames().map((name) => join(FOLDER, `${name}.yaml`)));
}

/** @param wanted a name or a path to a YAML file: what stays up is one. */
export function loadTopology(wanted: string): Catalogue {
  return load([pathOf(wanted)], "--topology", "a scenario file");
}

/** The topology that `dialtone lab` brings up when no scenario is asked for. */
export function loadLab(): Catalogue {
  return ours([join(FOLDER, "lab", "lab.yaml")]);
}

function ours(paths: readonly string[]): Catalogue {
  return load(paths, "--scenario", "a scenario file");
}

function pathOf(wanted: string): string {
  return /[/\\]|\.ya?ml$/.test(wanted) ? wanted : join(FOLDER, `${wanted}.yaml`);
}

/**
 * @param flag that asked for them.
 * @param kinds what may be named there beside the names of ours.
 */
function load(paths: readonly string[], flag: string, kinds: string): Catalogue {
  const faults: Fault[] = [];
  const scenarios: Scenario[] = [];
  for (const path of paths) {
    const text = readText(path, faults, flag, kinds);
    if (text === undefined) continue;
    const reading = readScenario(path, text);
    faults.push(...reading.faults);
    if (reading.scenario !== undefined) scenarios.push(reading.scenario);
  }
  return { scenarios, faults };
}

function readText(path: string, faults: Fault[], flag: string, kinds: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const wrong = `cannot be read (${error instanceof Error ? error.message : String(error)})`;
    const remedy = `name ${kinds}, or one of ${scenarioNames().join(", ")}`;
    faults.push({ file: path, line: 1, key: flag, severity: "error", wrong, remedy });
    return undefined;
  }
}
