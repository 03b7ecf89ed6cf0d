/** The flags of `dialtone phone`, and the provisioning files they name, as a checked configuration. */
import { isIP } from "node:net";
import { ConfigurationError } from "../api/errors.ts";
import { readFiles } from "../api/phone-files.ts";
import { dialled } from "../core/phone/dialled.ts";
import type { PhoneConfiguration } from "../core/provisioning/configuration.ts";
import { formatFault } from "../core/provisioning/fault.ts";
import { EXIT, exitWith } from "./exit.ts";
import type { HostPort } from "./flag-values.ts";

export interface PhoneFlags {
  readonly config: readonly string[];
  readonly account?: string;
  readonly dns?: readonly string[];
  readonly ca?: readonly string[];
  readonly pin?: readonly string[];
  readonly certificate?: string;
  readonly key?: string;
  readonly call?: string;
  readonly play?: string;
  readonly record?: string;
  readonly for?: string;
  readonly answer?: string;
  readonly bind?: string;
  readonly port?: string;
  readonly json?: boolean;
  readonly trace?: boolean;
  readonly control?: boolean;
  readonly http?: HostPort;
}

/** Of `--for`, seconds: a day. */
const LONGEST_CALL_S = 86_400;

/** Every fault of the flags themselves, as lines for stderr. */
export function flagFaults(flags: PhoneFlags): string[] {
  const faults: string[] = [];
  const wrong = (flag: string, what: string) => faults.push(`command line: --${flag}: ${what}`);
  if (!["auto", "ring", "busy"].includes(flags.answer ?? "auto")) {
    wrong("answer", `"${flags.answer}" is not known; write auto, ring or busy`);
  }
  if (flags.bind !== undefined && isIP(flags.bind) === 0) {
    wrong("bind", `"${flags.bind}" is no address; write for instance 0.0.0.0 or 192.0.2.7`);
  }
  const { port = "0", for: seconds = "1" } = flags;
  const timed = /^\d+(\.\d+)?$/.test(seconds) && Number(seconds) > 0;
  if (!timed || Number(seconds) > LONGEST_CALL_S) {
    wrong("for", `"${flags.for}" is no time; write seconds, for instance 10, at most a day`);
  }
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    wrong("port", `"${flags.port}" is no port; write 0 to 65535`);
  }
  if (flags.account !== undefined && !/^[1-9]\d*$/.test(flags.account)) {
    wrong("account", `"${flags.account}" is no account; write its number, 1 or more`);
  }
  if (flags.call !== undefined && dialled(flags.call) === undefined) {
    wrong("call", `"${flags.call}" cannot be dialled; write a number or sip:USER@DOMAIN`);
  }
  if (flags.call === undefined) {
    for (const flag of ["play", "record", "for"] as const) {
      if (flags[flag] !== undefined) wrong(flag, "needs --call; add --call URI");
    }
  }
  return faults;
}

/**
 * Reads and checks the files; errors end the process with exit 2.
 * @param warn whether warnings go to stderr: a command that shows them otherwise does not want that.
 */
export async function loadConfiguration(
  paths: readonly string[],
  warn = true,
): Promise<PhoneConfiguration> {
  try {
    const configuration = await readFiles(paths);
    const told = warn ? configuration.faults.filter(({ severity }) => severity !== "note") : [];
    for (const fault of told) process.stderr.write(`${formatFault(fault)}\n`);
    return configuration;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const told = error.faults.filter(({ severity }) => severity !== "note");
    exitWith(EXIT.wrongInput, ...told.map(formatFault));
  }
}

/** Why no account is left to register. */
export function nobody(
  { account, config }: { readonly account?: string | number; readonly config: readonly string[] },
  { accounts }: PhoneConfiguration,
): string {
  const enabled = accounts.filter((one) => one.enabled).map((one) => one.index);
  if (account === undefined || enabled.length === 0) {
    return `${config[0]}:1: account: none is enabled; enable one`;
  }
  return `command line: --account: ${account} is not an enabled account; write one of ${enabled.join(", ")}`;
}
