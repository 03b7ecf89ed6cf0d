/** Lines of a Yealink / Matrix file: `key = value`, `#` comments, a version line first. */
import type { Fault, Origin, SourceFile } from "./configuration.ts";
import { error, warning } from "./fault.ts";
import type { Assignment } from "./settings.ts";

export const VERSION_LINE = "#!version:1.0.0.1";

/** Every assignment of the file, in order; a line that is none is an error that does not repeat the line. */
export function scanYealink(file: SourceFile, faults: Fault[]): Assignment[] {
  const assignments: Assignment[] = [];
  const text = file.text.startsWith("\uFEFF") ? file.text.slice(1) : file.text;
  const lines = text.split(/\r\n|\n|\r/);
  checkVersion(file, text, lines, faults);
  lines.forEach((line, at) => {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#")) return;
    // Only the first sign divides: a password may hold another.
    const equals = trimmed.indexOf("=");
    const key = trimmed.slice(0, Math.max(0, equals)).trim();
    if (!/^[\w.%$-]{1,200}$/.test(key)) {
      const origin: Origin = { file: file.name, line: at + 1, key: "(line)" };
      faults.push(
        error(origin, "the line is not `key = value`", "write it so, or begin it with #"),
      );
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

/** What a phone would make of the first line; the file is read in any case. */
function checkVersion(file: SourceFile, text: string, lines: string[], faults: Fault[]): void {
  const origin: Origin = { file: file.name, line: 1, key: "#!version" };
  if (text !== file.text) {
    const wrong = "a byte-order mark stands before the version line, and a phone may miss the line";
    faults.push(warning(origin, wrong, "save the file without a byte-order mark"));
  }
  const first = lines[0]?.trim() ?? "";
  if (first === VERSION_LINE) return;
  const wrong = first.startsWith("#!version")
    ? "the version line is not the one that phones take"
    : "the first line is not the version line, and a phone refuses such a file";
  faults.push(warning(origin, wrong, `write ${VERSION_LINE} as the first line`));
}
