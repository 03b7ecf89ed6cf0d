#!/usr/bin/env node
/** The `dialtone` command: finds the subcommand and loads nothing else. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { EXIT } from "./exit.ts";

type AddCommand = (program: Command) => void;

/** In the order of `--help`. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  phone: async () => (await import("./phone.ts")).addPhoneCommand,
  serve: async () => (await import("./serve.ts")).addServeCommand,
  lab: async () => (await import("./lab.ts")).addLabCommand,
  explain: async () => (await import("./explain.ts")).addExplainCommand,
  drill: async () => (await import("./drill.ts")).addDrillCommand,
  sim: async () => (await import("./sim.ts")).addSimCommand,
  bench: async () => (await import("./bench.ts")).addBenchCommand,
};

function version(): string {
  const file = new URL("../../../package.json", import.meta.url);
  const parsed: unknown = JSON.parse(readFileSync(file, "utf8"));
  const found = parsed !== null && typeof parsed === "object" && "version" in parsed;
  return found ? String(parsed.version) : "unknown";
}

/** As of a process that a hang-up has ended. */
const HUNG_UP = 129;

/**
 * Nobody reads any more (`| head`, a terminal that was closed): the command ends in order and says nothing. An output
 * that cannot be written (a full disk) is named, and the end is exit 3 however the command goes about it.
 */
function endWhenUnread(): void {
  process.stdout.once("error", (error: NodeJS.ErrnoException) => {
    const unread = error.code === "EPIPE" || error.code === "EIO";
    if (!unread) {
      const remedy = "make room or write elsewhere";
      process.stderr.write(`the output cannot be written (${error.message}); ${remedy}\n`);
      process.on("exit", () => {
        process.exitCode = EXIT.missing;
      });
    }
    process.stdout.on("error", () => undefined);
    if (process.listenerCount("SIGHUP") > 0) process.kill(process.pid, "SIGHUP");
    else process.exit(process.exitCode ?? HUNG_UP);
  });
  process.stderr.on("error", () => undefined);
}

/** Help and version end well, wrong flags with exit 2; what was written by then may still turn out to be lost. */
async function run(program: Command): Promise<void> {
  try {
    if (process.argv.length === 2) program.outputHelp();
    else await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.wrongInput;
  }
}

endWhenUnread();
const program = new Command("dialtone")
  .description("SIP phones and servers that go on working when a server dies.")
  .version(version())
  .configureHelp({ sortSubcommands: false })
  .exitOverride();

const named = COMMANDS[process.argv[2] ?? ""];
const wanted = named === undefined ? Object.values(COMMANDS) : [named];
for (const load of wanted) (await load())(program);
await run(program);
