// A reporter of Node's runner that keeps only what failed: where, its name, and the error in full.
import { relative } from "node:path";
import { inspect } from "node:util";

// biome-ignore lint/style/noDefaultExport: what a reporter of the runner has to be
export default async function* failures(source) {
  for await (const { type, data } of source) {
    if (type !== "test:fail" || data.details.error?.failureType === "subtestsFailed") continue;
    const { file = "", line = 0, name, details } = data;
    const where = file === "" ? "" : `${relative(process.cwd(), file)}:${line} `;
    const { error } = details;
    yield `✖ ${where}${name}\n${inspect(error?.cause ?? error).replaceAll(/^/gm, "  ")}\n`;
  }
}
