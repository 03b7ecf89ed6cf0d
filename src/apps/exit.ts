/** How a command ends: the exit codes every command shares. */

/** As asked; an expectation failed; the user's input is wrong; a resource is missing. */
export const EXIT = { ok: 0, failed: 1, wrongInput: 2, missing: 3 } as const;

/** Says each line on stderr and ends the process. */
export function exitWith(code: number, ...lines: readonly string[]): never {
  for (const line of lines) process.stderr.write(`${line}\n`);
  process.exit(code);
}
