/** From flags to a session that is ready to run: every fault of the input at once, then the resources. */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { createSecureContext } from "node:tls";
import type { Fault } from "../../core/provisioning/configuration.ts";
import { formatFault } from "../../core/provisioning/fault.ts";
import type { Users } from "../../core/server/users.ts";
import { Resolver } from "../../worlds/node/resolver.ts";
import { readServers } from "../../worlds/node/resolver-servers.ts";
import { BadStoreName, openStore } from "../../worlds/node/stores/open-store.ts";
import type { TlsSettings } from "../../worlds/node/tls.ts";
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
  const tls = tlsOf(options, faults);
  const { servers, wrong } = readServers([...(flags.dns ?? [])]);
  for (const text of wrong) {
    const remedy = "write HOST or HOST:PORT";
    faults.push(commandFault("--dns", `"${text}" is no resolver`, remedy));
  }
  if (faults.some(({ severity }) => severity === "error")) {
    return { kind: "wrong", lines: faults.map(formatFault) };
  }
  try {
    const waiting: ServeSession[] = [];
    const store = await openStore(options.store, (event) => waiting[0]?.report(event));
    const resolver = new Resolver(servers.length === 0 ? {} : { servers });
    const session = new ServeSession(options, users, tls, store, resolver);
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

function tlsOf(options: ServeOptions, faults: Fault[]): TlsSettings | undefined {
  if (options.certificate === undefined || options.key === undefined) return undefined;
  const certificate = contentOf("--certificate", options.certificate, "utf8", faults);
  const key = contentOf("--key", options.key, "utf8", faults);
  if (certificate === undefined || key === undefined) return undefined;
  try {
    createSecureContext({ cert: certificate, key });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const wrong = `${options.certificate} and ${options.key} are no certificate with its key: ${why}`;
    faults.push(commandFault("--certificate", wrong, "name two PEM files that belong together"));
  }
  return { certificate, key };
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
