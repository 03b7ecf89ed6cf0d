/** CPU per parsed message, beside the npm package `sip` and Sofia-SIP in C. */
import { execFile } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { findCommand } from "../lab/guests/find-command.ts";
import type { Core, Crew } from "./crew.ts";
import { inTurn } from "./figures.ts";
import { SHARED_SOURCES } from "./load.ts";
import { MESSAGES } from "./messages.ts";
import { loadSip } from "./npm-sip.ts";
import type { Outcome } from "./report.ts";

const PROGRAM = join(import.meta.dirname, "parse-program.js");
const SOFIA_SOURCE = join(SHARED_SOURCES, "parse_sofia.c");
const CORE: Core = 0;

/** `read`: what a registrar reads; `print`: the whole message again as well. */
type Task = "read" | "print";

interface Parser {
  readonly name: string;
  /** CPU in µs a message. */
  run(task: Task, messages: readonly string[], seconds: number): Promise<number>;
}

interface Series {
  readonly what: string;
  readonly task: Task;
  readonly messages: readonly string[];
}

const ALL: readonly string[] = [...MESSAGES.keys()];

const SERIES: readonly Series[] = [
  { what: "what a registrar reads", task: "read", messages: ["REGISTER"] },
  { what: "what a registrar reads", task: "read", messages: ALL },
  { what: "that, and printed again", task: "print", messages: ALL },
];

/**
 * @param folder where a peer may be built.
 * @param seconds of one run, with as much before it.
 */
export async function* benchParse(
  crew: Crew,
  folder: string,
  runs: number,
  seconds: number,
): AsyncGenerator<Outcome> {
  const sofia = await sofiaParser(crew, folder);
  const parsers = [script(crew, "dialtone", "dialtone")];
  const npmSip = npmSipParser(crew);
  if (npmSip !== undefined) parsers.push(npmSip);
  if (sofia !== undefined) parsers.push(sofia);
  for (const { what, task, messages } of SERIES) {
    const figures = await inTurn(parsers, runs, (parser) => parser.run(task, messages, seconds));
    const [ours, ...others] = parsers.map((parser) => {
      return { name: parser.name, runs: figures.get(parser) ?? [] };
    });
    if (ours === undefined) return;
    const sizes = messages.map((name) => MESSAGES.get(name)?.length ?? 0);
    const bytes = Math.round(sizes.reduce((sum, size) => sum + size, 0) / sizes.length);
    const named = `${messages.join(" ")} (${bytes} bytes), ${what}`;
    yield { bench: "parse", what: named, ours, others, notes: [] };
  }
}

/** What the parser of npm `sip` does now, for other figures to stand beside; undefined: it is not installed. */
export async function npmSipMessagesPerSecond(
  crew: Crew,
  seconds: number,
): Promise<number | undefined> {
  const microseconds = await npmSipParser(crew)?.run("read", ALL, seconds);
  return microseconds && 1e6 / microseconds;
}

function npmSipParser(crew: Crew): Parser | undefined {
  return loadSip() && script(crew, "npm sip", "sip");
}

function script(crew: Crew, name: string, argument: string): Parser {
  const run = async (task: Task, messages: readonly string[], seconds: number): Promise<number> => {
    const args = [PROGRAM, argument, task, `${seconds}`, ...messages];
    return Number(await crew.run(CORE, { program: process.execPath, args }));
  };
  return { name, run };
}

/** Reads every header there is, where it can be built: the sources beside the project, libsofia-sip-ua-dev. */
async function sofiaParser(crew: Crew, folder: string): Promise<Parser | undefined> {
  const [compiler, config] = [findCommand("cc"), findCommand("pkg-config")];
  if (compiler === undefined || config === undefined || !existsSync(SOFIA_SOURCE)) return undefined;
  const program = join(folder, "parse-sofia");
  try {
    const asked = ["--cflags", "--libs", "sofia-sip-ua"];
    const { stdout } = await promisify(execFile)(config, asked);
    const flags = stdout.trim().split(/\s+/);
    const built = ["-O2", "-w", "-o", program, SOFIA_SOURCE, ...flags, "-lm"];
    await promisify(execFile)(compiler, built);
  } catch {
    return undefined;
  }
  for (const [name, bytes] of MESSAGES) writeFileSync(join(folder, name), bytes);
  return {
    name: "Sofia-SIP in C",
    run: async (task, messages, seconds) => {
      const files = messages.map((name) => join(folder, name));
      const args = [task === "read" ? "parse" : "both", `${seconds}`, ...files];
      const { usPerMsg } = JSON.parse(await crew.run(CORE, { program, args })) as {
        usPerMsg: number;
      };
      return usPerMsg;
    },
  };
}
