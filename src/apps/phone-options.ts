/** The flags of `dialtone phone`, and the provisioning files they name, as a checked configuration. */
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { dialled } from "../core/phone/dialled.ts";
import type { PhoneConfiguration, SourceFile } from "../core/provisioning/configuration.ts";
import { formatFault, withoutCredentials } from "../core/provisioning/fault.ts";
import { readConfiguration } from "../core/provisioning/read.ts";
import { EXIT, exitWith } from "./exit.ts";

/** A provisioning server must answer within this time, milliseconds. */
const DOWNLOAD_TIMEOUT_MS = 10_000;

/** The longest provisioning file that is read, bytes. */
const LONGEST_FILE = 1 << 20;

export interface PhoneFlags {
  readonly config: readonly string[];
  readonly account?: string;
  readonly dns?: readonly string[];
  readonly call?: string;
  readonly play?: string;
  readonly record?: string;
  readonly for?: string;
  readonly answer: string;
  readonly bind: string;
  readonly port?: string;
  readonly json?: boolean;
  readonly trace?: boolean;
  readonly control?: boolean;
}

/** Every fault of the flags themselves, as lines for stderr. */
export function flagFaults(flags: PhoneFlags): string[] {
  const faults: string[] = [];
  const wrong = (flag: string, what: string) => faults.push(`command line: --${flag}: ${what}`);
  if (!["auto", "ring", "busy"].includes(flags.answer)) {
    wrong("answer", `"${flags.answer}" is not known; write auto, ring or busy`);
  }
  if (isIP(flags.bind) === 0) {
    wrong("bind", `"${flags.bind}" is no address; write for instance 0.0.0.0 or 192.0.2.7`);
  }
  if (flags.for !== undefined && !(Number(flags.for) > 0)) {
    wrong("for", `"${flags.for}" is no time; write seconds, for instance 10`);
  }
  const port = Number(flags.port ?? 0);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
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

/** Reads and checks the files; warnings go to stderr, errors end the process with exit 2. */
export async function loadConfiguration(paths: readonly string[]): Promise<PhoneConfiguration> {
  const files: SourceFile[] = [];
  const faults: string[] = [];
  for (const path of paths) {
    try {
      files.push({ name: withoutCredentials(path), text: await readText(path) });
    } catch (error) {
      const name = withoutCredentials(path);
      faults.push(
        `${name}:1: file: cannot be read (${whyNot(error)}); name a provisioning file that exists`,
      );
    }
  }
  if (faults.length > 0) exitWith(EXIT.wrongInput, ...faults);
  const configuration = readConfiguration(files);
  const lines = configuration.faults.map(formatFault);
  if (configuration.faults.some((fault) => fault.severity === "error")) {
    exitWith(EXIT.wrongInput, ...lines);
  }
  for (const line of lines) process.stderr.write(`${line}\n`);
  return configuration;
}

async function readText(path: string): Promise<string> {
  if (!/^https?:\/\//.test(path)) return await readFile(path, "utf8");
  const url = new URL(path);
  const { username, password } = url;
  url.username = "";
  url.password = "";
  const account = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const basic = `Basic ${Buffer.from(account).toString("base64")}`;
  const response = await fetch(url, {
    ...(username === "" ? {} : { headers: { authorization: basic } }),
    signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const text = await response.text();
  if (text.length > LONGEST_FILE) throw new Error("longer than 1 MiB");
  return text;
}

/** A download that fails keeps the reason one error deeper. */
function whyNot(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer in ${DOWNLOAD_TIMEOUT_MS / 1000} s`;
  return error.cause instanceof Error ? error.cause.message : error.message;
}
