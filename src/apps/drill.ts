/**
 * `dialtone drill`: rehearses the failure of real servers without touching them. The phone cuts itself off from one
 * after the other, and what becomes of calls is measured and compared with what `explain` foretells. docs/drill.md.
 */
import { isIP } from "node:net";
import type { Command } from "commander";
import { instanceOf, resolverOptions } from "../api/phone-setup.ts";
import { ruleTeller } from "../api/rule-teller.ts";
import { bindAddressFor } from "../core/phone/bind-address.ts";
import { dialled } from "../core/phone/dialled.ts";
import type { PhoneConfiguration } from "../core/provisioning/configuration.ts";
import { formatFault } from "../core/provisioning/fault.ts";
import type { AccountPolicy } from "../core/redundancy/policy.ts";
import type { TimedEvent } from "../worlds/node/driver.ts";
import { Resolver } from "../worlds/node/resolver.ts";
import { Drill, type Drilled, DrillFailure, type DrillSettings } from "./drill/drill.ts";
import { drilledLines, drilledRecord, planLines, verdictLine } from "./drill/print.ts";
import { writeDrillReport } from "./drill/report.ts";
import { EXIT, exitWith, reserveFolder } from "./exit.ts";
import { whole } from "./flag-values.ts";
import { loadConfiguration } from "./phone-options.ts";
import { readTls } from "./tls-files.ts";

interface DrillFlags {
  readonly config: readonly string[];
  readonly account?: number;
  readonly caller?: number;
  readonly to?: string;
  readonly cut?: readonly string[];
  readonly limit?: number;
  readonly patience: number;
  readonly report?: string;
  readonly dns?: readonly string[];
  readonly ca?: readonly string[];
  readonly pin?: readonly string[];
  readonly certificate?: string;
  readonly key?: string;
  readonly bind?: string;
  readonly phases: number;
  readonly seed: number;
  readonly json?: boolean;
}

const MOST_ACCOUNTS = 1000;
const MOST_SECONDS = 86_400;
const MOST_PHASES = 1000;
const MOST_SEED = 0xffff_ffff;
/** A drill that is broken off has so long to unregister, milliseconds. */
const FAREWELL_MS = 5000;

export function addDrillCommand(program: Command): void {
  program
    .command("drill")
    .description("rehearse the failure of real servers, which are not touched, and measure outages")
    .requiredOption("--config <file...>", "provisioning files, overlaid as on the phone")
    .option("--account <n>", "drill this account (the first enabled)", whole(1, MOST_ACCOUNTS))
    .option(
      "--caller <n>",
      "this account of the files calls it (another enabled one, or the same)",
      whole(1, MOST_ACCOUNTS),
    )
    .option("--to <uri>", "whom the phone calls (itself, through its servers)")
    .option("--cut <server...>", "only these: the number of a server, or an address")
    .option("--limit <seconds>", "exit 1 if calls are gone for longer", whole(1, MOST_SECONDS))
    .option(
      "--patience <seconds>",
      "wait no longer for anything, but beyond the limit",
      whole(1, MOST_SECONDS),
      60,
    )
    .option("--report <dir>", "write a page, JSON and the trace there")
    .option("--dns <host:port...>", "ask these resolvers instead of the system's")
    .option("--ca <file...>", "over TLS: PEM authorities to believe")
    .option("--pin <fingerprint...>", "over TLS: believe exactly these certificates (SHA-256)")
    .option("--certificate <file>", "over TLS: PEM chain to show to a server that asks for one")
    .option("--key <file>", "its PEM key")
    .option("--bind <address>", "local address (default: any of the servers' family)")
    .option("--phases <n>", "of the forecast, as for explain", whole(1, MOST_PHASES), 10)
    .option("--seed <n>", "of the forecast, as for explain", whole(0, MOST_SEED), 1)
    .option("--json", "one JSON object a line on stdout")
    .action(drill);
}

async function drill(flags: DrillFlags): Promise<void> {
  const wrong = flagFaults(flags);
  if (wrong.length > 0) exitWith(EXIT.wrongInput, ...wrong);
  const { settings: tls, faults } = await readTls(flags, [], Date.now());
  if (faults.length > 0) exitWith(EXIT.wrongInput, ...faults.map(formatFault));
  const configuration = await loadConfiguration(flags.config);
  await reserveFolder(flags.report);
  const { options, wrong: unread } = resolverOptions(configuration, flags.dns);
  if (unread.length > 0) {
    const why = `"${unread[0]}" is no resolver; write HOST or HOST:PORT`;
    exitWith(EXIT.wrongInput, `command line: --dns: ${why}`);
  }
  const resolver = new Resolver(options);
  const trace: TimedEvent[] = [];
  const { account, caller } = accountsOf(flags, configuration);
  const absent = absentServers(flags.cut ?? [], account);
  if (absent.length > 0) exitWith(EXIT.wrongInput, ...absent);
  const bind = flags.bind ?? bindAddressFor([account]);
  const settings: DrillSettings = {
    ...{ account, caller, to: flags.to, cuts: flags.cut ?? [], bind, port: 0 },
    ...{ resolver, tls, phases: flags.phases, seed: flags.seed },
    rule: ruleTeller(configuration),
    instance: instanceOf(configuration),
    patienceMs: Math.max(flags.patience, (flags.limit ?? 0) + 1) * 1000,
    limitMs: flags.limit === undefined ? Number.POSITIVE_INFINITY : flags.limit * 1000,
    signal: interruption(),
    sink: (event) => void trace.push(event),
    warn: (why) => void process.stderr.write(`${why}\n`),
  };
  try {
    process.exitCode = await perform(flags, settings, trace);
  } catch (error) {
    if (!(error instanceof DrillFailure)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.code;
  } finally {
    resolver.close();
  }
}

async function perform(
  flags: DrillFlags,
  settings: DrillSettings,
  trace: readonly TimedEvent[],
): Promise<number> {
  const began = new Date();
  const say = flags.json === true ? () => undefined : sayLines;
  const tell = flags.json === true ? teller(began) : () => undefined;
  const drilling = await Drill.prepare(settings);
  say(planLines(drilling));
  tell(planRecord(drilling));
  const predictions = drilling.predictions();
  const all: Drilled[] = [];
  for await (const drilled of drilling.run(predictions)) {
    all.push(drilled);
    say(drilledLines(drilled));
    tell(drilledRecord(drilled));
  }
  const broken = settings.signal.aborted;
  const passed = !broken && all.every((one) => one.passed);
  const verdict = broken ? "The drill was broken off." : verdictLine(all, settings.limitMs);
  say([verdict]);
  tell({ event: "drill.ended", passed, verdict });
  if (flags.report !== undefined) {
    await writeDrillReport(flags.report, { drilling, all, verdict, passed, began, trace });
  }
  return passed ? EXIT.ok : EXIT.failed;
}

function sayLines(lines: readonly string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}

function teller(began: Date): (record: object) => void {
  return (record) => {
    const now = Date.now();
    const stamp = { at: now - began.getTime(), time: new Date(now).toISOString(), node: "drill" };
    process.stdout.write(`${JSON.stringify({ ...stamp, ...record })}\n`);
  };
}

function planRecord({ settings, grounds, victims, sharedLocations }: Drill): object {
  const servers = grounds.servers.map(({ title, server, spec }) => {
    return { title, server, address: spec.address };
  });
  const failures = victims.map(({ victim }) => victim);
  return {
    event: "drill.planned",
    account: settings.account.user,
    servers,
    sharedLocations,
    failures,
  };
}

/** Aborted by the first signal; the second ends the process at once. */
function interruption(): AbortSignal {
  const abort = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (abort.signal.aborted) process.exit(EXIT.failed);
      abort.abort();
      setTimeout(() => process.exit(EXIT.failed), FAREWELL_MS).unref();
    });
  }
  return abort.signal;
}

function flagFaults({ to, bind }: DrillFlags): string[] {
  const faults: string[] = [];
  if (to !== undefined && dialled(to) === undefined) {
    faults.push(`command line: --to: "${to}" cannot be dialled; write sip:USER@DOMAIN`);
  }
  if (bind !== undefined && isIP(bind) === 0) {
    faults.push(`command line: --bind: "${bind}" is no address; write for instance 192.0.2.7`);
  }
  return faults;
}

/** Numbers that no server of the account has, which needs no question; addresses are known when names are. */
function absentServers(cuts: readonly string[], { redundancy }: AccountPolicy): string[] {
  const numbers = redundancy.servers.map((_, at) => String(at + 1));
  return cuts
    .filter((cut) => /^\d+$/.test(cut) && !numbers.includes(cut))
    .map((cut) => {
      const remedy = `write one of ${numbers.join(", ")}, or an address`;
      return `command line: --cut: there is no server ${cut}; ${remedy}`;
    });
}

/** The account that is drilled, and the one that calls it: a number of its own is a more honest caller. */
function accountsOf(
  flags: DrillFlags,
  { accounts }: PhoneConfiguration,
): { account: AccountPolicy; caller: AccountPolicy } {
  const enabled = accounts.filter((one) => one.enabled);
  const find = (flag: string, index: number): AccountPolicy => {
    const found = enabled.find((one) => one.index === index);
    if (found !== undefined) return found;
    const known = enabled.map((one) => one.index).join(", ") || "an enabled account";
    const why = `${index} is not an enabled account; write one of ${known}`;
    return exitWith(EXIT.wrongInput, `command line: --${flag}: ${why}`);
  };
  const first = enabled[0];
  if (first === undefined) {
    exitWith(EXIT.wrongInput, `${flags.config[0]}:1: account: none is enabled; enable one`);
  }
  const account = flags.account === undefined ? first : find("account", flags.account);
  const other = enabled.find((one) => one.index !== account.index) ?? account;
  return { account, caller: flags.caller === undefined ? other : find("caller", flags.caller) };
}
