/** How a command ends: the exit codes every command shares. */
import { access, constants, open, rm, stat } from "node:fs/promises";
import { makeFolder } from "../worlds/node/folder.ts";

/** As asked; an expectation failed; the user's input is wrong; a resource is missing. */
export const EXIT = { ok: 0, failed: 1, wrongInput: 2, missing: 3 } as const;

/** Exit status of a process that a signal ended, as shells count. */
export const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Says each line on stderr and ends the process. */
export function exitWith(code: number, ...lines: readonly string[]): never {
  for (const line of lines) process.stderr.write(`${line}\n`);
  process.exit(code);
}

/** Makes sure, before any work is done, that a file can be written; ends the process with exit 3 if not. */
export async function reserveFile(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  const there = await stat(path).catch(() => undefined);
  await open(path, "a").then((file) => file.close(), unwritable(path));
  if (there === undefined) await rm(path);
}

/** The same for a folder, which is made if it is not there. */
export async function reserveFolder(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  await Promise.resolve(path)
    .then(makeFolder)
    .then(() => stat(path))
    .then((there) => {
      if (!there.isDirectory()) throw new Error("it is no folder");
    })
    .then(() => access(path, constants.W_OK))
    .catch(unwritable(path));
}

/** Why a local address could not be bound, for people. */
export function whyUnbound(cause: string): string {
  if (cause === "in-use") return `the port is taken (${cause})`;
  if (cause !== "denied") return `it cannot be had (${cause})`;
  return `this machine has no such address, or does not let you have the port (${cause})`;
}

function unwritable(path: string): (error: Error) => never {
  return (error) => exitWith(EXIT.missing, `${path}: cannot be written (${error.message})`);
}
