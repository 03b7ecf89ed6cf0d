/** `dialtone explain --as native`: either maker's files as one file of our own dialect, on stdout. */
import { isDeepStrictEqual } from "node:util";
import { readSources } from "../../api/phone-files.ts";
import type { Fault, Reading } from "../../core/provisioning/configuration.ts";
import { error } from "../../core/provisioning/fault.ts";
import { writeNative } from "../../core/provisioning/native-write.ts";
import { readConfiguration } from "../../core/provisioning/read.ts";

/** What becomes of a conversion: the text of the file, or the faults that stand against it. */
export type Converted =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "faulty"; readonly faults: readonly Fault[] };

/** @throws ConfigurationError if a file cannot be read. */
export async function convert(paths: readonly string[], secrets: boolean): Promise<Converted> {
  const configuration = readConfiguration(await readSources(paths));
  const { faults, readings, accounts } = configuration;
  if (faults.some(({ severity }) => severity === "error")) return { kind: "faulty", faults };
  const text = writeNative(configuration, { secrets });
  // What is said is only worth something if it is what will be done.
  const again = readConfiguration([{ name: "(converted)", text }]);
  const kept = again.accounts.map((account, at) =>
    secrets ? account : { ...account, password: accounts[at]?.password ?? "" },
  );
  if (!isDeepStrictEqual(kept, accounts)) {
    const at = { file: paths[0] ?? "", line: 1, key: "(file)" };
    const wrong = "our own dialect does not say the same";
    const remedy = "report it with this file, passwords taken out";
    return { kind: "faulty", faults: [error(at, "file-unfit", wrong, remedy)] };
  }
  return { kind: "text", text: `${headOf(paths, readings, secrets)}${text}` };
}

function headOf(paths: readonly string[], readings: readonly Reading[], secrets: boolean): string {
  const idle = readings.filter(({ outcome }) => outcome === "no-effect");
  const lines = [
    "yaml-language-server: $schema=./phone.schema.json",
    `Made of ${paths.map((path) => path.replace(/^.*[/\\]/, "")).join(", ")} by dialtone explain --as native.`,
    ...(secrets
      ? []
      : ["Without passwords: add them here, or in a second file that has nothing else."]),
    ...idle.map(({ file, line, key, reason }) => `Left out: ${key} (${file}:${line}): ${reason}`),
  ];
  return lines.map((line) => `# ${line.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, "?")}\n`).join("");
}
