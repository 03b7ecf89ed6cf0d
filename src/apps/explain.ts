/** `dialtone explain`: what a configuration will do when servers die, and what is wrong with it. docs/explain.md. */
import type { Command } from "commander";
import { ConfigurationError } from "../api/errors.ts";
import { readFiles } from "../api/phone-files.ts";
import { ruleTeller } from "../api/rule-teller.ts";
import type { PhoneConfiguration } from "../core/provisioning/configuration.ts";
import { formatFinding } from "../core/provisioning/fault.ts";
import { nativeSchema } from "../core/provisioning/native-schema.ts";
import { EXIT, exitWith } from "./exit.ts";
import { convert } from "./explain/convert.ts";
import { fleetLines, fleetRecord } from "./explain/fleet.ts";
import { forecast } from "./explain/predict.ts";
import { findingLines, forecastLines, forecastRecords, keyLines } from "./explain/print.ts";
import { whole } from "./flag-values.ts";
import { type Mode, refuseIdleFlags } from "./idle-flags.ts";

interface ExplainFlags {
  readonly config?: readonly string[];
  readonly account?: number;
  readonly targets: number;
  readonly ownLocations?: boolean;
  readonly phases: number;
  readonly seed: number;
  readonly phones?: number;
  readonly as?: string;
  readonly withSecrets?: boolean;
  readonly schema?: boolean;
  readonly json?: boolean;
}

const MOST_TARGETS = 8;
const MOST_PHASES = 1000;
const MOST_ACCOUNTS = 1000;
const MOST_PHONES = 10_000_000;
const MOST_SEED = 0xffff_ffff;

/** In the order in which one goes before the other. */
const MODES: readonly Mode[] = [
  { by: ["schema"], takes: [] },
  { by: ["as"], takes: ["config", "with-secrets"] },
  { by: [], takes: "config account targets own-locations phases phones seed json".split(" ") },
];

export function addExplainCommand(program: Command): void {
  program
    .command("explain")
    .description(
      "what a phone will do when each server dies, falls silent or answers 503, and its traps",
    )
    .option("--config <file...>", "provisioning files, overlaid as on the phone")
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
    .option("--as <dialect>", "native: only print the files as one of our own YAML")
    .option("--with-secrets", "with --as: passwords, too")
    .option("--schema", "only print the JSON Schema of our own YAML, for editors")
    .action(explain);
}

type Tell = (record: object) => void;

async function explain(flags: ExplainFlags, command: Command): Promise<void> {
  refuseIdleFlags(command, MODES);
  if (flags.schema === true) return say(JSON.stringify(nativeSchema(), null, 2));
  const wrong = flagFault(flags);
  if (wrong !== undefined) exitWith(EXIT.wrongInput, `command line: ${wrong}`);
  const files = flags.config ?? [];
  if (flags.as !== undefined) return await printNative(files, flags.withSecrets === true);
  return await foretell(flags, files);
}

function flagFault({ config, as }: ExplainFlags): string | undefined {
  if (config === undefined) return "--config: is missing; name a provisioning file";
  if (as !== undefined && as !== "native") return `--as: "${as}" is not known; write native`;
  return undefined;
}

async function printNative(files: readonly string[], secrets: boolean): Promise<void> {
  const converted = await orExit(() => convert(files, secrets), undefined);
  if (converted.kind === "text") process.stdout.write(converted.text);
  else exitWith(EXIT.wrongInput, ...converted.faults.map(formatFinding));
}

async function foretell(flags: ExplainFlags, files: readonly string[]): Promise<void> {
  const tell = teller();
  const reading = flags.phones === undefined ? {} : { phones: flags.phones };
  const configuration = await orExit(
    () => readFiles(files, reading),
    flags.json === true ? tell : undefined,
  );
  const accounts = configuration.accounts.filter(
    ({ enabled, index }) => enabled && (flags.account === undefined || flags.account === index),
  );
  if (accounts.length === 0) {
    const which =
      flags.account === undefined ? "none" : `account ${flags.account} is not there or not`;
    exitWith(EXIT.wrongInput, `${files[0]}:1: account: ${which} enabled; enable one`);
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

/** Errors end the process with exit 2; with `tell` every finding is told on stdout as well. */
async function orExit<Result>(
  read: () => Promise<Result>,
  tell: Tell | undefined,
): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    for (const fault of error.faults) tell?.({ event: "explain.found", ...fault });
    exitWith(EXIT.wrongInput, ...error.faults.map(formatFinding));
  }
}

function tellKeys({ readings, faults }: PhoneConfiguration, tell: Tell): void {
  for (const reading of readings) tell({ event: "explain.read", ...reading });
  for (const fault of faults) tell({ event: "explain.found", ...fault });
}
