/** `dialtone explain`: what a configuration will do when servers die, and what is wrong with it. docs/explain.md. */
import type { Command } from "commander";
import { ConfigurationError } from "../api/errors.ts";
import { readFiles } from "../api/phone-files.ts";
import { ruleTeller } from "../api/rule-teller.ts";
import type { PhoneConfiguration } from "../core/provisioning/configuration.ts";
import { formatFinding } from "../core/provisioning/fault.ts";
import { EXIT, exitWith } from "./exit.ts";
import { fleetLines, fleetRecord } from "./explain/fleet.ts";
import { forecast } from "./explain/predict.ts";
import { findingLines, forecastLines, forecastRecords, keyLines } from "./explain/print.ts";
import { whole } from "./flag-values.ts";

interface ExplainFlags {
  readonly config: readonly string[];
  readonly account?: number;
  readonly targets: number;
  readonly ownLocations?: boolean;
  readonly phases: number;
  readonly seed: number;
  readonly phones?: number;
  readonly json?: boolean;
}

const MOST_TARGETS = 8;
const MOST_PHASES = 1000;
const MOST_ACCOUNTS = 1000;
const MOST_PHONES = 10_000_000;
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
    .option("--own-locations", "working servers do not know what phones have told one another")
    .option(
      "--phases <n>",
      "failures of each kind, spread over one renewal",
      whole(1, MOST_PHASES),
      10,
    )
    .option("--phones <n>", "what so many of them do to their servers", whole(1, MOST_PHONES))
    .option("--seed <n>", "the chance of everything", whole(0, MOST_SEED), 1)
    .option("--json", "one JSON object a line on stdout")
    .action(explain);
}

type Tell = (record: object) => void;

async function explain(flags: ExplainFlags): Promise<void> {
  const tell = teller();
  const configuration = await configurationOf(flags, tell);
  const accounts = configuration.accounts.filter(
    ({ enabled, index }) => enabled && (flags.account === undefined || flags.account === index),
  );
  if (accounts.length === 0) {
    const which =
      flags.account === undefined ? "none" : `account ${flags.account} is not there or not`;
    exitWith(EXIT.wrongInput, `${flags.config[0]}:1: account: ${which} enabled; enable one`);
  }
  const { targets, phases, seed, phones, ownLocations } = flags;
  const rule = ruleTeller(configuration);
  for (const account of accounts) {
    const around = { targets, ownLocations: ownLocations === true };
    const seen = forecast({ account, rule, phases, seed, ...around });
    if (flags.json === true) {
      for (const record of forecastRecords(seen)) tell(record);
      if (phones !== undefined) tell(fleetRecord(account, phones));
    } else {
      for (const line of forecastLines(seen)) say(line);
      if (phones !== undefined) for (const line of fleetLines(account, phones)) say(line);
    }
  }
  if (flags.json === true) tellKeys(configuration, tell);
  else for (const line of [...keyLines(configuration), ...findingLines(configuration)]) say(line);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function teller(): Tell {
  const started = Date.now();
  return (record) => {
    const at = Date.now() - started;
    say(JSON.stringify({ at, time: new Date().toISOString(), node: "explain", ...record }));
  };
}

/** Errors end the process with exit 2; `--json` has every finding on stdout as well. */
async function configurationOf(
  { config, phones, json }: ExplainFlags,
  tell: Tell,
): Promise<PhoneConfiguration> {
  try {
    return await readFiles(config, phones === undefined ? {} : { phones });
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    if (json === true) for (const fault of error.faults) tell({ event: "explain.found", ...fault });
    exitWith(EXIT.wrongInput, ...error.faults.map(formatFinding));
  }
}

function tellKeys({ readings, faults }: PhoneConfiguration, tell: Tell): void {
  for (const reading of readings) tell({ event: "explain.read", ...reading });
  for (const fault of faults) tell({ event: "explain.found", ...fault });
}
