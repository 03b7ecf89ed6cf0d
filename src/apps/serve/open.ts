/** From flags to a session that is ready to run: every fault of the input at once, then the resources. */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import type { Fault } from "../../core/provisioning/configuration.ts";
import { formatFault } from "../../core/provisioning/fault.ts";
import type { Users } from "../../core/server/users.ts";
import { Resolver } from "../../worlds/node/resolver.ts";
import { readServers } from "../../worlds/node/resolver-servers.ts";
import { BadStoreName, openStore } from "../../worlds/node/stores/open-store.ts";
import { machineClock } from "../../worlds/node/stores/store.ts";
import { readTls } from "../tls-files.ts";
import { readOptions, type ServeFlags, type ServeOptions } from "./options.ts";
import { ServeSession } from "./session.ts";

export type Opened =
  | { readonly kind: "ready"; readonly session: ServeSession }
  /** Lines for stderr, exit 2. */
  | { readonly kind: "wrong"; readonly lines: readonly string[] }
  /** A line for stderr, exit 3. */
  | { readonly kind: "missing"; readonly line: string };

export async function openServe(flags: ServeFlags): Promise<Opened> {
  const { options, faults: flagFaults } = readOptions(flags, hostname().replace(/[^\w.-]/g, "-"));
  const faults: Fault[] = [...flagFaults];
  const users = await usersOf(options, faults);
  const tls = await readTls(flags, options.domains, Date.now());
  faults.push(...tls.faults);
  const { servers, wrong } = readServers([...(flags.dns ?? [])]);
  for (const text of wrong) {
    const remedy = "write HOST or HOST:PORT";
    faults.push(commandFault("--dns", `"${text}" is no resolver`, remedy));
  }
  if (faults.some(({ severity }) => severity === "error")) {
    return { kind: "wrong", lines: faults.map(formatFault) };
  }
  for (const fault of faults) process.stderr.write(`${formatFault(fault)}\n`);
  try {
    const waiting: ServeSession[] = [];
    const store = await openStore(
      options.store,
      (event) => waiting[0]?.report(event),
      () => machineClock() + options.clockSkew,
    );
    const resolver = new Resolver(servers.length === 0 ? {} : { servers });
    const session = new ServeSession(options, users, tls.settings, store, resolver);
    waiting.push(session);
    return { kind: "ready", session };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (error instanceof BadStoreName) {
      return { kind: "wrong", lines: [`command line:1: --store: ${why}`] };
    }
    return { kind: "missing", line: why };
  }
}

/** YAML is loaded only where it is read: a server that is restarted is waited for. */
async function usersOf(options: ServeOptions, faults: Fault[]): Promise<Users | undefined> {
  if (options.usersFile === undefined) return undefined;
  const text = contentOf("--users", options.usersFile, "latin1", faults);
  if (text === undefined) return undefined;
  const { readUsers } = await import("../../core/server/users-file.ts");
  const reading = readUsers({ name: options.usersFile, text });
  faults.push(...reading.faults);
  return reading.users;
}

function contentOf(
  flag: string,
  file: string,
  encoding: "latin1" | "utf8",
  faults: Fault[],
): string | undefined {
  try {
    return readFileSync(file, encoding);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    faults.push(commandFault(flag, `${file} cannot be read: ${why}`, "name a file that can be"));
    return undefined;
  }
}

function commandFault(key: string, wrong: string, remedy: string): Fault {
  return { file: "command line", line: 1, key, severity: "error", wrong, remedy };
}
