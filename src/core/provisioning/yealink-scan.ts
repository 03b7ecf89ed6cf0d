/** Lines of a Yealink / Matrix file: `key = value`, `#` comments, a version line first. */
import type { Fault, Origin, SourceFile } from "./configuration.ts";
import { error, notFollowed, warning, withoutCredentials } from "./fault.ts";
import { areGiven } from "./includes.ts";
import { isPlaceholder } from "./placeholder.ts";
import type { Assignment } from "./settings.ts";

export const VERSION_LINE = "#!version:1.0.0.1";

/** Every assignment of the file, in order; a line that is none is an error that does not repeat the line. */
export function scanYealink(
  file: SourceFile,
  faults: Fault[],
  given: readonly string[],
): Assignment[] {
  const assignments: Assignment[] = [];
  const text = file.text.startsWith("\uFEFF") ? file.text.slice(1) : file.text;
  const lines = text.split(/\r\n|\n|\r/);
  checkVersion(file, text, lines, faults);
  lines.forEach((line, at) => {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#")) return;
    const origin: Origin = { file: file.name, line: at + 1, key: "(line)" };
    if (isPassedOver(trimmed, origin, faults, given)) return;
    // Only the first sign divides: a password may hold another.
    const equals = trimmed.indexOf("=");
    const key = trimmed.slice(0, Math.max(0, equals)).trim();
    if (!/^[\w.%$-]{1,200}$/.test(key)) {
      if (isPlaceholder(trimmed)) {
        const wrong = "the line is a template's own";
        faults.push(error(origin, "unfilled-placeholder", wrong, "fill it in, or delete the line"));
        return;
      }
      const wrong = "the line is not `key = value`";
      faults.push(error(origin, "not-read", wrong, "write it so, or begin it with #"));
      const meant = asMeant(trimmed);
      if (meant) assignments.push({ file: file.name, line: at + 1, ...meant });
      return;
    }
    assignments.push({
      file: file.name,
      line: at + 1,
      key,
      value: trimmed.slice(equals + 1).trim(),
    });
  });
  return assignments;
}

/** A line with a blank in its key, or without its sign: what follows from its absence is no fault of its own. */
function asMeant(line: string): { readonly key: string; readonly value: string } | undefined {
  const equals = line.indexOf("=");
  const end = equals === -1 ? line.search(/[\s:]/) : equals;
  const key = line.slice(0, Math.max(0, Math.min(end, 200))).replace(/\s/g, "");
  const value = line.slice(end + 1).replace(/^[\s:]+/, "");
  return /^\w+(\.[\w-]+)+$/.test(key) ? { key, value } : undefined;
}

/** Boot files name further files, and templates have keys with nothing behind them: a phone goes on. */
function isPassedOver(
  line: string,
  origin: Origin,
  faults: Fault[],
  given: readonly string[],
): boolean {
  const included = /^include:config\s+(.*)$/i.exec(line)?.[1];
  if (included !== undefined) {
    const name = withoutCredentials(included.replace(/^["<“]|[">”]$/g, ""));
    if (!areGiven(name, given))
      faults.push(notFollowed({ ...origin, key: "include:config" }, name));
    return true;
  }
  if (!/^\w+(\.[\w%$-]+)+$/.test(line)) return false;
  const wrong = "the line has no = and is passed over";
  faults.push(warning(origin, "not-read", wrong, "write `key = value`, or delete the line"));
  return true;
}

/** What a phone would make of the first line; the file is read in any case. */
function checkVersion(file: SourceFile, text: string, lines: string[], faults: Fault[]): void {
  const origin: Origin = { file: file.name, line: 1, key: "#!version" };
  if (text !== file.text) {
    const wrong = "a byte-order mark stands before the version line, and a phone may miss the line";
    faults.push(
      warning(origin, "byte-order-mark", wrong, "save the file without a byte-order mark"),
    );
  }
  const first = lines[0]?.trim() ?? "";
  if (first === VERSION_LINE) return;
  const wrong = first.startsWith("#!version")
    ? "the version line is not the one that phones take"
    : "the first line is not the version line, and a phone refuses such a file";
  faults.push(warning(origin, "version-line", wrong, `write ${VERSION_LINE} as the first line`));
}
