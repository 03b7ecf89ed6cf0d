/** `dialtone bench`: the project's own measurements, beside whatever peers are installed. docs/bench.md tells more. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { benchConnections } from "./bench/connections.ts";
import { Crew } from "./bench/crew.ts";
import { PHONES, type PhoneName } from "./bench/failover/cell.ts";
import { benchFailover } from "./bench/failover/run.ts";
import { findLoad, WINDOW } from "./bench/load.ts";
import { benchMemory } from "./bench/memory.ts";
import { benchParse } from "./bench/parse.ts";
import { benchRegister } from "./bench/register.ts";
import { isWanted, peers } from "./bench/registrars.ts";
import { type Outcome, printed, records } from "./bench/report.ts";
import { benchSimulator, failingFleet } from "./bench/simulator.ts";
import { EXIT, exitWith, SIGNAL_EXIT } from "./exit.ts";
import { hoursOf } from "./flag-values.ts";
import { canMeasure } from "./processor-time.ts";

interface BenchFlags {
  readonly runs: number;
  readonly count: number;
  readonly users: number;
  readonly phones?: number;
  readonly hours?: number;
  readonly held: number;
  readonly peers?: readonly string[];
  readonly over?: readonly string[];
  readonly expires: readonly number[];
  readonly cells: readonly string[];
  readonly maxWait: number;
  readonly jobs: number;
  readonly json?: boolean;
}

type Bench = (crew: Crew, folder: string, flags: BenchFlags) => AsyncGenerator<Outcome>;

/** Parsing is measured for as long as this many REGISTERs would take. */
const REGISTERS_A_SECOND = 100_000;

const BENCHES: Readonly<Record<string, Bench>> = {
  register: async function* (crew, folder, { runs, count, users, peers, over }) {
    if (!canMeasure()) throw new Missing("/proc: CPU time of processes is only told by Linux");
    const load = await findLoad(crew, folder);
    yield* benchRegister(crew, load, folder, { runs, count, users, peers, over });
  },
  parse: (crew, folder, { runs, count }) =>
    benchParse(crew, folder, runs, count / REGISTERS_A_SECOND),
  connections: (crew, folder, { held }) => connections(crew, folder, held),
  memory: (crew, _folder, { phones = MANY }) => benchMemory(crew, MEMORY_RUNS, phones),
  simulator: (crew, _folder, { phones, hours }) => {
    if (phones === undefined && hours === undefined) return benchSimulator(crew, MEMORY_RUNS);
    const fleet = failingFleet(phones ?? MANY, hours ?? QUARTER);
    return benchSimulator(crew, MEMORY_RUNS, [fleet]);
  },
  failover,
};

/** It takes as long as the slowest phone, and no core: only done when asked for. */
const LONG = "failover";

const FAULTS = ["closed", "silent"] as const;
const SCENARIOS = ["call", "register"] as const;

function failover(crew: Crew, folder: string, flags: BenchFlags): AsyncGenerator<Outcome> {
  const { runs, expires, cells, maxWait, jobs, peers } = flags;
  const known = Object.keys(PHONES) as PhoneName[];
  const others = known.filter((phone) => isWanted(PHONES[phone], peers));
  return benchFailover(crew, folder, {
    runs,
    phones: ["dialtone", ...others.filter((phone) => phone !== "dialtone")],
    lifetimes: expires,
    faults: chosen(FAULTS, cells),
    scenarios: chosen(SCENARIOS, cells),
    maxWait,
    jobs,
  });
}

/** All of them if none is named. */
function chosen<Word extends string>(words: readonly Word[], named: readonly string[]): Word[] {
  const some = words.filter((word) => named.includes(word));
  return some.length === 0 ? [...words] : some;
}

/** Linux tells how much memory another process has. */
async function* connections(crew: Crew, folder: string, count: number): AsyncGenerator<Outcome> {
  if (!canMeasure()) throw new Missing("/proc: memory of processes is only told by Linux");
  yield* benchConnections(crew, folder, count);
}

/** Phones of memory, and of a fleet whose hours alone are told. */
const MANY = 100_000;
/** Hours of a fleet whose phones alone are told. */
const QUARTER = 0.25;

/** The same phones take the same room and do the same: a second run only shows that. */
const MEMORY_RUNS = 2;

class Missing extends Error {
  override readonly name = "Missing";
}

export function addBenchCommand(program: Command): void {
  program
    .command("bench")
    .description("measure, beside whatever peers are installed")
    .argument("[name...]", `${Object.keys(BENCHES).join(", ")}; all but ${LONG} if none is given`)
    .option("--runs <n>", "of each contender, in turn", whole, 5)
    .option("--count <n>", "REGISTERs of a run", whole, 200_000)
    .option("--users <n>", `who register, ${WINDOW} or more`, population, 10_000)
    .option(
      "--phones <n>",
      `phones of memory (default: ${MANY}), or of a fleet of simulator`,
      whole,
    )
    .option("--hours <h>", "how long a fleet of simulator lives", hoursOf)
    .option("--held <n>", "connections that are held open", whole, 10_000)
    .option("--peers <name...>", "only these: a part of the name is enough")
    .addOption(
      new Option("--over <transport...>", "REGISTERs over these only").choices([
        "udp",
        "tcp",
        "tls",
      ]),
    )
    .option("--expires <seconds,…>", "lifetimes of registrations in failover", list, [60, 600])
    .addOption(
      new Option("--cells <what...>", "of failover: only these")
        .choices([...FAULTS, ...SCENARIOS])
        .default([]),
    )
    .option("--max-wait <seconds>", "failover: what has not come by then never comes", whole, 120)
    .option("--jobs <n>", "failover: so many phones side by side", whole, 10)
    .option("--json", "one JSON object a line on stdout")
    .action(bench);
}

async function bench(names: string[], flags: BenchFlags): Promise<void> {
  const wrong = names.filter((name) => BENCHES[name] === undefined);
  if (wrong.length > 0) {
    const known = Object.keys(BENCHES).join(", ");
    exitWith(
      EXIT.wrongInput,
      ...wrong.map((name) => `command line:1: NAME: '${name}' is no benchmark, write ${known}`),
    );
  }
  const wanted = names.length === 0 ? Object.keys(BENCHES).filter((name) => name !== LONG) : names;
  const folder = mkdtempSync(join(tmpdir(), "dialtone-bench-"));
  const crew = new Crew();
  const strange = strangePeers(wanted, flags.peers ?? [], crew, folder);
  if (strange.length > 0) {
    rmSync(folder, { recursive: true, force: true });
    exitWith(EXIT.wrongInput, ...strange);
  }
  let code: number = EXIT.ok;
  let ended: number | undefined;
  const leave = async (): Promise<never> => {
    await crew.dismiss();
    rmSync(folder, { recursive: true, force: true });
    process.exit(ended ?? code);
  };
  // However often it is asked: whoever ends a group of processes asks twice.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      ended = SIGNAL_EXIT[signal];
      void leave();
    });
  }
  try {
    for (const name of wanted) await show(BENCHES[name]?.(crew, folder, flags), flags.json);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (ended === undefined) process.stderr.write(`${why}\n`);
    code = error instanceof Missing ? EXIT.missing : EXIT.failed;
  }
  await leave();
}

/** What is wrong with the names of peers, each on a line. */
function strangePeers(
  wanted: readonly string[],
  named: readonly string[],
  crew: Crew,
  folder: string,
): string[] {
  const known = [
    ...(wanted.includes("register") ? peers(crew, folder).map(({ name }) => name) : []),
    ...(wanted.includes(LONG) ? Object.values(PHONES) : []),
  ];
  if (known.length === 0 && named.length > 0) {
    return [`command line:1: --peers: means nothing without register or ${LONG}; leave it out`];
  }
  return named
    .filter((part) => !known.some((name) => isWanted(name, [part])))
    .map((part) => {
      const remedy = `write a part of ${known.join(", ")}`;
      return `command line:1: --peers: '${part}' is no peer that is here, ${remedy}`;
    });
}

async function show(
  outcomes: AsyncGenerator<Outcome> | undefined,
  json: boolean | undefined,
): Promise<void> {
  for await (const outcome of outcomes ?? []) {
    if (json !== true) process.stdout.write(`${printed(outcome)}\n`);
    else {
      for (const record of records(outcome)) {
        const at = Math.round(performance.now());
        const time = new Date().toISOString();
        process.stdout.write(`${JSON.stringify({ at, time, node: "bench", ...record })}\n`);
      }
    }
  }
}

/** Fewer, and a user would be under way twice, his REGISTERs overtaking each other. */
function population(text: string): number {
  const users = whole(text);
  if (users >= WINDOW) return users;
  throw new InvalidArgumentError(`write ${WINDOW} or more`);
}

function list(text: string): readonly number[] {
  return text.split(",").map(whole);
}

function whole(text: string): number {
  const value = Number(text);
  if (/^\d{1,9}$/.test(text) && value > 0) return value;
  throw new InvalidArgumentError("write a whole number above 0");
}
