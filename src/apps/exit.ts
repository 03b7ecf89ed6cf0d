/** How a command ends: the exit codes every command shares. */
import { access, constants, open } from "node:fs/promises";
import { makeFolder } from "../worlds/node/folder.ts";

/** As asked; an expectation failed; the user's input is wrong; a resource is missing. */
export const EXIT = { ok: 0, failed: 1, wrongInput: 2, missing: 3 } as const;

/** Says each line on stderr and ends the process. */
export function exitWith(code: number, ...lines: readonly string[]): never {
  for (const line of lines) process.stderr.write(`${line}\n`);
  process.exit(code);
}

/** Makes sure, before any work is done, that a file can be written; ends the process with exit 3 if not. */
export async function reserveFile(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  await open(path, "a").then((file) => file.close(), unwritable(path));
}

/** The same for a folder, which is made if it is not there. */
export async function reserveFolder(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  await Promise.resolve(path)
    .then(makeFolder)
    .then(() => access(path, constants.W_OK))
    .catch(unwritable(path));
}

function unwritable(path: string): (error: Error) => never {
  return (error) => exitWith(EXIT.missing, `${path}: cannot be written (${error.message})`);
}
