/** Text of provisioning files → accounts, with the origin of every value and every fault at once. */

import type { AccountPolicy, FailbackMode } from "../redundancy/policy.ts";
import type { Dialect } from "../redundancy/policy-defaults.ts";
import { settingValue, unusedReason } from "./assemble.ts";
import type { Fault, PhoneConfiguration, SourceFile, StationSettings } from "./configuration.ts";
import { withoutConsequences } from "./consequences.ts";
import { error } from "./fault.ts";
import type { FindingCode } from "./finding.ts";
import { KeyIndex } from "./key-table.ts";
import { lint } from "./lint.ts";
import { buildNative } from "./native.ts";
import { NATIVE_KEYS } from "./native-keys.ts";
import { scanNative } from "./native-scan.ts";
import { buildPolycom } from "./polycom.ts";
import { POLYCOM_KEYS } from "./polycom-keys.ts";
import { type Assignment, Settings } from "./settings.ts";
import { scanXml } from "./xml-scan.ts";
import { buildYealink } from "./yealink.ts";
import { YEALINK_KEYS } from "./yealink-keys.ts";
import { scanYealink } from "./yealink-scan.ts";

/** Text beyond this is not read. */
const MAX_CHARACTERS = 4_000_000;
const NAME_A_FILE = "name a provisioning file";

/** What is found of a line whatever else there is. */
const OF_ONE_LINE: ReadonlySet<FindingCode> = new Set<FindingCode>([
  "unknown-key",
  "unfilled-placeholder",
  "duplicate-key",
  "blank-duplicate",
  "wrong-number",
  "bad-value",
  "out-of-range",
  "adjusted-value",
  "key-letters",
  "beyond-family",
]);

/** What files do not tell. */
export interface ReadOptions {
  /**
   * failBack.mode where a Polycom or Spectralink file has none. Manuals of the Spectralink 84 name newRequests in one
   * table and registration in another; newRequests unless given.
   */
  readonly failbackMode?: FailbackMode;
  /** How many phones have these files: findings about load count with it. Unless given, a thousand. */
  readonly phones?: number;
}

/** What the lines of all files come to. */
interface Understood {
  readonly settings: Settings;
  readonly accounts: readonly AccountPolicy[];
}

/** What makes a dialect: its keys, its syntax, and its rules. */
interface Reader {
  readonly index: KeyIndex;
  readonly scan: (file: SourceFile, faults: Fault[], given: readonly string[]) => Assignment[];
  readonly build: (settings: Settings, options: ReadOptions) => AccountPolicy[];
}

const READERS: Readonly<Record<Dialect, Reader>> = {
  native: { index: new KeyIndex(NATIVE_KEYS), scan: scanNative, build: buildNative },
  yealink: { index: new KeyIndex(YEALINK_KEYS), scan: scanYealink, build: buildYealink },
  polycom: {
    index: new KeyIndex(POLYCOM_KEYS),
    scan: scanXml,
    build: (settings, { failbackMode }) => buildPolycom(settings, failbackMode ?? "newRequests"),
  },
};

/**
 * Reads the files of one phone; later files overlay earlier ones key by key, and a file named after a MAC address
 * overlays common ones wherever it stands. No text makes it throw.
 */
export function readConfiguration(
  files: readonly SourceFile[],
  options: ReadOptions = {},
): PhoneConfiguration {
  const faults: Fault[] = [];
  const ordered = inOverlayOrder(files);
  const dialect = dialectOf(ordered[0]?.text ?? "");
  const reader = READERS[dialect];
  const assignments: Assignment[] = [];
  const given = files.map(({ name }) => name);
  for (const file of ordered) {
    const own = dialectOf(file.text);
    if (file.text.trim() === "") {
      faults.push(error(whole(file), "file-unfit", "the file is empty", NAME_A_FILE));
    } else if (file.text.length > MAX_CHARACTERS) {
      const wrong = `the file has more than ${MAX_CHARACTERS} characters`;
      faults.push(error(whole(file), "file-unfit", wrong, NAME_A_FILE));
    } else if (own === dialect) {
      for (const assignment of reader.scan(file, faults, given)) assignments.push(assignment);
    } else {
      const wrong = `this is a ${own} file and ${ordered[0]?.name} is a ${dialect} file`;
      faults.push(error(whole(file), "mixed-dialects", wrong, "give files of one family only"));
    }
  }
  const understood = (lines: readonly Assignment[]): Understood => {
    const settings = new Settings(reader.index, lines);
    const accounts = reader.build(settings, options);
    lint(settings, accounts, options.phones);
    return { settings, accounts };
  };
  const { settings, accounts } = understood(assignments);
  const certain = withoutConsequences(settings.faults, settings, (meant) => {
    const lines = assignments.map((at) => meant.get(at) ?? at);
    return understood(lines).settings.faults;
  });
  // After the place where XML breaks nothing is read: what the rest lacks, nobody knows.
  const broken = faults.some(({ key }) => key === "(xml)");
  const told = broken ? certain.filter(({ code }) => code && OF_ONE_LINE.has(code)) : certain;
  const unread = new Set(faults.filter(isUnread).map(placeOf));
  const lines = told.filter((fault) => !unread.has(placeOf(fault)));
  return finish(dialect, ordered, accounts, settings, [...faults, ...lines]);
}

/** What does not belong to any account, and the last word on every reading. */
function finish(
  dialect: Dialect,
  files: readonly SourceFile[],
  accounts: readonly AccountPolicy[],
  settings: Settings,
  told: readonly Fault[],
): PhoneConfiguration {
  const listed = settings.take(["resolvers"], "resolvers")?.value;
  const numbered = [1, 2]
    .map((number) => settings.take([`resolvers.${number}`], `resolvers.${number}`))
    .flatMap((setting) => (setting ? [String(setting.value)] : []));
  const resolvers = Array.isArray(listed) ? listed.map(String) : numbered;
  const localPort = settingValue(settings.take(["localPort"], "localPort"), 0);
  const station = stationOf(settings);
  settings.finish(unusedReason);
  const all = [...told];
  const first = files[0];
  const failed = all.some((fault) => fault.severity === "error");
  // With an error told already, the missing account is most likely its consequence.
  if (!failed && !accounts.some((account) => account.enabled) && !promoted(all)) {
    const wrong = "no account is switched on";
    const at = first ? whole(first) : { file: "(no file)", line: 1, key: "(file)" };
    all.push(error(at, "no-account", wrong, "describe an account with a user and a server"));
  }
  return {
    dialect,
    accounts,
    readings: settings.readings,
    faults: inFileOrder(all, files),
    origins: settings.origins,
    resolvers,
    localPort,
    station,
  };
}

function stationOf(settings: Settings): StationSettings {
  const fields = ["bind", "answer", "userAgent", "instance"] as const;
  const found = fields.flatMap((field) => {
    const setting = settings.take([field], field);
    return setting === undefined ? [] : [[field, setting.value]];
  });
  return Object.fromEntries(found);
}

/** The family of a file, by its first words. */
export function dialectOf(text: string): Dialect {
  const start = text.replace(/^\uFEFF/, "").trimStart();
  if (start.startsWith("#!version")) return "yealink";
  if (start.startsWith("<")) return "polycom";
  const line = /^(?!\s*(?:#|$)).*$/m.exec(start)?.[0] ?? "";
  if (/^\s*[\w.%$-]+\s*=/.test(line) || /^#!version/m.test(start)) return "yealink";
  return "native";
}

/** Common files first, then others as given, then those of one phone (named after its MAC address). */
function inOverlayOrder(files: readonly SourceFile[]): SourceFile[] {
  return files
    .map((file, at) => ({ file, at, rank: overlayRank(file.name) }))
    .sort((a, b) => a.rank - b.rank || a.at - b.at)
    .map(({ file }) => file);
}

/** As the phones rank them: what a user changed at the phone itself (`-phone`, `-web`, `-local`) is last. */
function overlayRank(name: string): number {
  const base = name.slice(name.search(/[^/\\]*$/));
  if (/^(y0{8,}\w*|0{12})\.(cfg|xml)$/i.test(base)) return 0;
  if (/^[0-9a-f]{12}-(phone|web|local)\.(cfg|xml)$/i.test(base)) return 3;
  return /^[0-9a-f]{12}(-\w+)?\.(cfg|xml|boot)$/i.test(base) ? 2 : 1;
}

/** A fault of a global key is found once for each account; it is told once. */
function inFileOrder(faults: readonly Fault[], files: readonly SourceFile[]): Fault[] {
  const rank = new Map(files.map((file, at) => [file.name, at]));
  const place = (fault: Fault): number => rank.get(fault.file) ?? 0;
  const seen = new Set<string>();
  return faults
    .filter((fault) => {
      const told = JSON.stringify(fault);
      if (seen.has(told)) return false;
      seen.add(told);
      return true;
    })
    .sort((a, b) => place(a) - place(b) || a.line - b.line);
}

/** With no account switched on, those that are not are why, or a file that is named and was not given. */
function promoted(faults: Fault[]): boolean {
  const codes = ["not-switched-on", "include-not-followed"] as const;
  const code = codes.find((each) => faults.some((fault) => fault.code === each));
  const at = faults.findIndex((fault) => fault.code === code);
  const fault = faults[at];
  if (fault) faults[at] = { ...fault, severity: "error" };
  return fault !== undefined;
}

function isUnread({ code }: Fault): boolean {
  return code === "not-read";
}

function placeOf({ file, line }: Fault): string {
  return `${file}:${line}`;
}

function whole(file: SourceFile): { file: string; line: number; key: string } {
  return { file: file.name, line: 1, key: "(file)" };
}
