/**
 * `dialtone lab`: real processes on loopback addresses, real faults. Plays and judges scenarios, or stays up for
 * whoever wants to pull plugs. docs/lab.md tells how it is used.
 */
import { rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { formatFault } from "../core/provisioning/fault.ts";
import { EXIT, exitWith, reserveFile, reserveFolder, SIGNAL_EXIT } from "./exit.ts";
import { FAULTS } from "./explain/predict.ts";
import type { FaultName } from "./explain/rehearsal.ts";
import { type HostPort, hostPort, whole } from "./flag-values.ts";
import { type Mode, refuseIdleFlags } from "./idle-flags.ts";
import { Blocks } from "./lab/block.ts";
import { type Catalogue, loadLab, loadScenarios, loadTopology } from "./lab/catalogue.ts";
import { crowd } from "./lab/crowd.ts";
import { measureFiles } from "./lab/files-command.ts";
import { whatLacks } from "./lab/guests/programs.ts";
import { goLive, printRecord } from "./lab/live.ts";
import { withheldText } from "./lab/machine-watch.ts";
import { LabPage } from "./lab/page.ts";
import { writeReport } from "./lab/report.ts";
import { type Played, playAll, type Spoilt } from "./lab/run.ts";
import type { LabStage } from "./lab/stage.ts";
import { StartGate } from "./lab/start-gate.ts";
import { type LeftOut, leftOutLine, sortOut } from "./scenario/left-out.ts";
import type { Scenario } from "./scenario/scenario.ts";
import { StageFault } from "./scenario/stage.ts";
import { verdictLines } from "./scenario/verdict.ts";
import { pcapOf } from "./trace/pcap.ts";
import type { TraceRecord } from "./trace/record.ts";

interface LabFlags {
  readonly scenario?: string;
  readonly phones?: number;
  readonly exit?: boolean;
  readonly report?: string;
  readonly pcap?: string;
  readonly keepGoing?: boolean;
  readonly json?: boolean;
  readonly jobs: number;
  readonly block?: number;
  readonly config?: readonly string[];
  readonly account?: number;
  readonly fault?: readonly FaultName[];
  readonly within: number;
  readonly targets: number;
  readonly ttl: number;
  readonly http?: HostPort;
  readonly topology?: string;
}

const PROGRAM = join(import.meta.dirname, "cli.js");
const MOST_PHONES = 200;
const MOST_JOBS = 8;
const PLAYS = ["report", "pcap", "keep-going", "jobs", "phones", "json", "block"];
/** In the order in which one goes before the other. */
const MODES: readonly Mode[] = [
  {
    by: ["config"],
    takes: ["account", "fault", "within", "targets", "ttl", "json", "block", "exit"],
  },
  { by: ["scenario", "exit"], takes: PLAYS },
  { by: ["scenario"], takes: [...PLAYS, "topology", "http"] },
  { by: [], takes: ["topology", "http", "phones", "json", "block"] },
];

export function addLabCommand(program: Command): void {
  program
    .command("lab")
    .description("servers, a resolver and phones as real processes; faults; the makers' sequences")
    .option("--scenario <name>", "play and judge: a name, a YAML file, or all")
    .option("--topology <name>", "what stays up: a scenario or YAML file, played to its end first")
    .option("--phones <n>", "at least so many phones", whole(1, MOST_PHONES))
    .option("--http <host:port>", "where the page is served (127.0.0.1:7060 or any port)", hostPort)
    .option("--exit", "end after the scenarios: status 0, or 1 if one failed")
    .option("--report <folder>", "write index.html, junit.xml and lab.json")
    .option("--pcap <file>", "write every message as a capture file")
    .option("--keep-going", "play the other scenarios after one has failed")
    .option("--json", "one JSON object a line on stdout")
    .option("--jobs <n>", "scenarios side by side", whole(1, MOST_JOBS), 3)
    .option("--block <n>", "use the addresses 127.0.N.x and no others", whole(0, 254))
    .option("--config <file...>", "measure what explain foretells of these files, and end")
    .option("--account <n>", "with --config: this account", whole(1, 1000))
    .addOption(
      new Option("--fault <kind...>", "with --config: what befalls the first server").choices([
        ...FAULTS,
      ]),
    )
    .option(
      "--within <seconds>",
      "with --config: what is to take longer is not waited for",
      whole(1, 86_400),
      120,
    )
    .option("--targets <n>", "with --config: addresses behind the name of server 1", whole(1, 8), 2)
    .option("--ttl <seconds>", "with --config: for which names are kept", whole(1, 86_400), 60)
    .action(lab);
}

async function lab(flags: LabFlags, command: Command): Promise<void> {
  refuseIdleFlags(command, MODES);
  await reserveFolder(flags.report);
  await reserveFile(flags.pcap);
  const stages = new Set<LabStage>();
  closeOnSignals(stages);
  try {
    if (flags.config !== undefined) await compared(flags.config, flags, stages);
    else if (flags.scenario === undefined) await stayUp(standing(flags), flags, stages);
    else await judged(flags.scenario, flags, stages);
  } catch (error) {
    await closeAll(stages);
    if (error instanceof StageFault) exitWith(EXIT.missing, ...missing(error.message));
    throw error;
  }
}

/** What cannot be had, and what mostly is the matter. */
function missing(what: string): readonly string[] {
  const taken = what.includes("EADDRINUSE");
  return taken ? [what, "is another lab up? end it, or write --block N, 1 to 254"] : [what];
}

/** Plays what was asked for; without `--exit` the lab then stays up. */
async function judged(wanted: string, flags: LabFlags, stages: Set<LabStage>): Promise<void> {
  const { playable, leftOut } = sortOut(checked(loadScenarios(wanted)), whatLacks);
  if (wanted !== "all")
    for (const one of leftOut) throw new StageFault(`${one.scenario} ${one.why}`);
  for (const one of leftOut) {
    process.stdout.write(`${leftOutLine(one, "lab", flags.json === true)}\n`);
  }
  const scenarios = playable.map((one) => crowd(one, flags.phones));
  const all = await playAll(scenarios, {
    program: PROGRAM,
    blocks: new Blocks(),
    gate: new StartGate(),
    jobs: flags.jobs,
    keepGoing: flags.keepGoing === true,
    stages,
    ...(flags.block === undefined ? {} : { block: flags.block }),
    ...(flags.json === true
      ? { watch: (scenario, record) => printRecord({ ...record, scenario: scenario.name }) }
      : {}),
    played: (played) => announce(played, flags.json === true),
    spoilt: (spoilt) => announceSpoilt(spoilt, flags.json === true),
  });
  await keep(all, leftOut, flags);
  const passed = all.length === scenarios.length && all.every(({ verdict }) => verdict.passed);
  if (flags.exit === true) process.exit(passed ? EXIT.ok : EXIT.failed);
  await stayUp(standing(flags), flags, stages);
}

/** Ends with status 0 if the lab measures what is foretold, else 1. */
async function compared(
  config: readonly string[],
  flags: LabFlags,
  stages: Set<LabStage>,
): Promise<void> {
  const asForetold = await measureFiles(
    { ...flags, config, fault: flags.fault ?? FAULTS },
    {
      program: PROGRAM,
      blocks: new Blocks(),
      stages,
      ...(flags.block === undefined ? {} : { block: flags.block }),
    },
  );
  process.exit(asForetold ? EXIT.ok : EXIT.failed);
}

function announce({ verdict, records }: Played, json: boolean): void {
  if (!json) {
    for (const line of verdictLines(verdict)) process.stdout.write(`${line}\n`);
    return;
  }
  const { scenario, passed, lastedMs, figures, failures } = verdict;
  const told = { node: "lab", event: "scenario.judged", scenario, passed, lastedMs, figures };
  const { at, time } = records.at(-1) as TraceRecord;
  process.stdout.write(`${JSON.stringify({ at, time, ...told, failures })}\n`);
}

/** On stdout stands one line a scenario: this is none of them. */
function announceSpoilt({ verdict, withheld }: Spoilt, json: boolean): void {
  const { scenario, failures } = verdict;
  if (json) {
    const time = new Date().toISOString();
    const told = { node: "lab", event: "scenario.spoilt", scenario, withheld, failures };
    process.stdout.write(`${JSON.stringify({ at: verdict.lastedMs, time, ...told })}\n`);
    return;
  }
  const lines = verdictLines(verdict).join("\n");
  process.stderr.write(`${lines}\n  ${withheldText(withheld)}: played again\n`);
}

/** Writes what was asked to be kept. */
async function keep(
  all: readonly Played[],
  leftOut: readonly LeftOut[],
  flags: LabFlags,
): Promise<void> {
  if (flags.report !== undefined) await writeReport(flags.report, all, leftOut);
  if (flags.pcap === undefined) return;
  const records = all.flatMap(({ records: some, epochMs }) =>
    some.map((record) => ({ ...record, at: record.at + epochMs })),
  );
  await writeFile(
    flags.pcap,
    pcapOf(
      records.sort((a, b) => a.at - b.at),
      0,
    ),
  );
}

async function stayUp(scenario: Scenario, flags: LabFlags, stages: Set<LabStage>): Promise<void> {
  const page = await openPage(flags);
  const live = await goLive(crowd(scenario, flags.phones), {
    program: PROGRAM,
    blocks: new Blocks(),
    gate: new StartGate(),
    block: flags.block ?? 0,
    json: flags.json === true,
    stages,
    page,
  });
  await live.quit;
  live.close();
  page.close();
  await closeAll(stages);
  if (flags.pcap !== undefined) {
    await writeFile(flags.pcap, pcapOf(live.stage.records, live.stage.epochMs));
  }
  process.exit(EXIT.ok);
}

/** Says where the page is; with `--json` the token goes to stderr, since events carry no secret. */
async function openPage(flags: LabFlags): Promise<LabPage> {
  const page = await LabPage.open(flags.http, process.env.DIALTONE_TOKEN);
  const { address, invitation } = page;
  if (flags.json === true) {
    const [at, time] = [0, new Date().toISOString()];
    printRecord({ at, time, node: "lab", event: "page.opened", address });
    process.stderr.write(`page: ${invitation}\n`);
  } else process.stdout.write(`page: ${invitation}\n`);
  return page;
}

/**
 * What the lab that stays up is made of.
 * @throws StageFault when something for it lacks.
 */
function standing({ topology }: LabFlags): Scenario {
  const scenario = only(topology === undefined ? loadLab() : loadTopology(topology));
  const lacks = whatLacks(scenario);
  if (lacks !== undefined) throw new StageFault(`${scenario.name} ${lacks}`);
  return scenario;
}

/** The one scenario of a catalogue that has exactly one. */
function only(catalogue: Catalogue): Scenario {
  return checked(catalogue)[0] as Scenario;
}

function checked({ scenarios, faults }: Catalogue): readonly Scenario[] {
  if (faults.length > 0) exitWith(EXIT.wrongInput, ...faults.map(formatFault));
  return scenarios;
}

async function closeAll(stages: Set<LabStage>): Promise<void> {
  await Promise.all([...stages].map((stage) => stage.close()));
  stages.clear();
}

/**
 * The first signal closes in order; a second one ends the process, and with it every child, at once. A terminal
 * that is closed may say so more than once.
 */
function closeOnSignals(stages: Set<LabStage>): void {
  let closing = false;
  process.on("exit", () => {
    for (const { folder } of stages) {
      if (folder !== "") rmSync(folder, { recursive: true, force: true });
    }
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (closing && signal === "SIGHUP") return;
      if (closing) process.exit(SIGNAL_EXIT[signal]);
      closing = true;
      void closeAll(stages).finally(() => process.exit(SIGNAL_EXIT[signal]));
    });
  }
}
