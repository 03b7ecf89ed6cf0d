#!/usr/bin/env node
/** The `dialtone` command: finds the subcommand and loads nothing else. */
import { readFileSync } from "node:fs";
import { Command } from "commander";

type AddCommand = (program: Command) => void;

/** In the order of `--help`. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  phone: async () => (await import("./phone.ts")).addPhoneCommand,
  serve: async () => (await import("./serve.ts")).addServeCommand,
  lab: async () => (await import("./lab.ts")).addLabCommand,
  sim: async () => (await import("./sim.ts")).addSimCommand,
  bench: async () => (await import("./bench.ts")).addBenchCommand,
};

function version(): string {
  const file = new URL("../../../package.json", import.meta.url);
  const parsed: unknown = JSON.parse(readFileSync(file, "utf8"));
  const found = parsed !== null && typeof parsed === "object" && "version" in parsed;
  return found ? String(parsed.version) : "unknown";
}

/** Nobody reads any more (`| head`, a terminal that was closed): the command ends in order. */
function endWhenUnread(): void {
  process.stdout.once("error", (error: NodeJS.ErrnoException) => {
    const unread = error.code === "EPIPE" || error.code === "EIO";
    if (!unread) process.stderr.write(`the output cannot be written: ${error.message}\n`);
    process.stdout.on("error", () => undefined);
    process.kill(process.pid, "SIGHUP");
  });
  process.stderr.on("error", () => undefined);
}

endWhenUnread();
const program = new Command("dialtone")
  .description("SIP phones and servers that go on working when a server dies.")
  .version(version())
  .configureHelp({ sortSubcommands: false })
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));

const named = COMMANDS[process.argv[2] ?? ""];
const wanted = named === undefined ? Object.values(COMMANDS) : [named];
for (const load of wanted) (await load())(program);
if (process.argv.length === 2) program.outputHelp();
else await program.parseAsync();
