/** `dialtone explain`: what a configuration will do when servers die, and what is wrong with it. docs/explain.md. */
import type { Command } from "commander";
import { ruleTeller } from "../api/phone-setup.ts";
import type { PhoneConfiguration } from "../core/provisioning/configuration.ts";
import { EXIT, exitWith } from "./exit.ts";
import { type Forecast, forecast } from "./explain/predict.ts";
import { findingLines, forecastLines, forecastRecords, keyLines } from "./explain/print.ts";
import { whole } from "./flag-values.ts";
import { loadConfiguration } from "./phone-options.ts";

interface ExplainFlags {
  readonly config: readonly string[];
  readonly account?: number;
  readonly targets: number;
  readonly phases: number;
  readonly seed: number;
  readonly json?: boolean;
}

const MOST_TARGETS = 8;
const MOST_PHASES = 1000;
const MOST_ACCOUNTS = 1000;
const MOST_SEED = 0xffff_ffff;

export function addExplainCommand(program: Command): void {
  program
    .command("explain")
    .description(
      "what a phone will do when each server dies, falls silent or answers 503, and its traps",
    )
    .requiredOption("--config <file...>", "provisioning files, overlaid as on the phone")
    .option("--account <n>", "this account only", whole(1, MOST_ACCOUNTS))
    .option(
      "--targets <n>",
      "addresses behind the working server's name",
      whole(1, MOST_TARGETS),
      2,
    )
    .option(
      "--phases <n>",
      "failures of each kind, spread over one renewal",
      whole(1, MOST_PHASES),
      10,
    )
    .option("--seed <n>", "the chance of everything", whole(0, MOST_SEED), 1)
    .option("--json", "one JSON object a line on stdout")
    .action(explain);
}

async function explain(flags: ExplainFlags): Promise<void> {
  const started = Date.now();
  const configuration = await loadConfiguration(flags.config, false);
  const accounts = configuration.accounts.filter(
    ({ enabled, index }) => enabled && (flags.account === undefined || flags.account === index),
  );
  if (accounts.length === 0) {
    const which =
      flags.account === undefined ? "none" : `account ${flags.account} is not there or not`;
    exitWith(EXIT.wrongInput, `${flags.config[0]}:1: account: ${which} enabled; enable one`);
  }
  const say = (line: string): unknown => process.stdout.write(`${line}\n`);
  const tell = (record: object): unknown => {
    const at = Date.now() - started;
    return say(JSON.stringify({ at, time: new Date().toISOString(), node: "explain", ...record }));
  };
  for (const account of accounts) {
    const { targets, phases, seed } = flags;
    const seen = forecast({ account, rule: ruleTeller(configuration), targets, phases, seed });
    if (flags.json === true) for (const record of forecastRecords(seen)) tell(record);
    else printForecast(seen, say);
  }
  if (flags.json === true) tellKeys(configuration, tell);
  else for (const line of [...keyLines(configuration), ...findingLines(configuration)]) say(line);
}

function printForecast(seen: Forecast, say: (line: string) => unknown): void {
  for (const line of forecastLines(seen)) say(line);
}

function tellKeys(
  { readings, faults }: PhoneConfiguration,
  tell: (record: object) => unknown,
): void {
  for (const reading of readings) tell({ event: "explain.read", ...reading });
  for (const fault of faults) tell({ event: "explain.found", ...fault });
}
