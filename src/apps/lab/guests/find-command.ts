/** Finds a command as a shell does, and where systems keep servers. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Beside the search path: where systems keep servers. */
const FOLDERS = ["/usr/sbin", "/usr/local/sbin", "/usr/local/bin"];

/** The full path of a command, or undefined. */
export function findCommand(command: string): string | undefined {
  for (const folder of [...(process.env.PATH ?? "").split(delimiter), ...FOLDERS]) {
    const path = join(folder, command);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder; the next may have it.
    }
  }
  return undefined;
}
