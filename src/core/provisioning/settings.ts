/**
 * From `key = value` lines of all files to settings by policy path: overlay (the later line wins), ranges, old keys,
 * and the account of what became of each line. The dialects then take what they need and void what cannot work.
 */
import type { Fault, Origin, Reading } from "./configuration.ts";
import { error, looksSecret, MASK, note, warning, withoutCredentials } from "./fault.ts";
import type { FindingCode } from "./finding.ts";
import type { KeyIndex, KeyRow, Match } from "./key-table.ts";
import { keyMeant, type Stray, strays } from "./misplaced.ts";
import {
  isCertainPlaceholder,
  isPlaceholder,
  isSecretPlaceholder,
  unfilled,
} from "./placeholder.ts";
import { type Parsed, parseValue, type Value, type ValueForm } from "./value-form.ts";

/** One `key = value` as a file has it. */
export interface Assignment extends Origin {
  readonly value: string;
  /** The XML element that has this attribute a second time: the file is then no XML. */
  readonly twiceIn?: string;
  /** The value was written as a list. */
  readonly listed?: true;
}

/** A value that counts for its slot; the same object wherever it is handed out. */
export interface Setting {
  readonly value: Value;
  readonly origin: Origin;
  readonly row: KeyRow;
  readonly slot: string;
}

/** A line whose value is none that its key can have, nor near one. */
export interface Refused {
  readonly at: Assignment;
  readonly form: ValueForm;
}

/**
 * A line that was not meant as it stands: its key is in no table or has another's number, or it undoes an earlier
 * line of its key.
 */
export interface Misspelt {
  readonly at: Assignment;
  /** The key that it means. */
  readonly key: string;
  /** The value that it means. */
  readonly value: string;
}

type OpenReading = { -readonly [Field in keyof Reading]: Reading[Field] };

interface Candidate extends Setting {
  readonly reading: OpenReading;
  taken: boolean;
  /** Why some account was built without it; "": none was. */
  dropped: string;
}

export class Settings {
  readonly index: KeyIndex;
  readonly faults: Fault[] = [];
  readonly readings: OpenReading[] = [];
  readonly origins: Map<string, Origin> = new Map<string, Origin>();
  readonly refused: Refused[] = [];
  readonly misspelt: Misspelt[] = [];
  readonly #slots = new Map<string, Candidate[]>();
  readonly #hidden = new Set<Setting>();
  readonly #nearest = new Map<string, string>();
  readonly #assignments: readonly Assignment[];

  /** Assignments in the order of overlay: of two with one key, the later counts. */
  constructor(index: KeyIndex, assignments: readonly Assignment[]) {
    this.index = index;
    this.#assignments = assignments;
    const winners = new Map<string, { at: Assignment; match: Match; reading: OpenReading }>();
    for (const at of assignments) {
      const match = index.find(at.key);
      const reading = this.#open(at, match);
      if (match === undefined || match.row.noEffect !== "") this.#unfilled(at);
      if (match === undefined) {
        this.#unknown(at, reading);
        continue;
      }
      const earlier = winners.get(match.key);
      if (at.twiceIn !== undefined) {
        this.#twice(at, at.twiceIn, reading);
        continue;
      }
      if (earlier) {
        earlier.reading.outcome = "overridden";
        earlier.reading.reason = `set again at ${at.file}:${at.line}`;
        this.#repeated(earlier.at, at);
      }
      winners.set(match.key, { at, match, reading });
    }
    for (const stray of strays(assignments)) this.#stray(stray);
    for (const { at, match, reading } of winners.values()) this.#settle(at, match, reading);
  }

  /** The setting that counts among these slots, the first being the most particular; newer keys before old ones. */
  peek(slots: readonly string[]): Setting | undefined {
    return this.#candidates(slots)[0];
  }

  /** As `peek`, and records that it decides the policy field `path`; the others are overridden. */
  take(slots: readonly string[], path: string): Setting | undefined {
    const [best, ...others] = this.#candidates(slots);
    if (best === undefined) return undefined;
    best.taken = true;
    this.origins.set(path, best.origin);
    for (const other of others) other.dropped = preferred(best.origin);
    return best;
  }

  /** The next account is about to be built: what an earlier one was built without is there again. */
  begin(): void {
    this.#hidden.clear();
  }

  /** The setting cannot work as things stand: the account is built without it, told unless it is the default. */
  withdraw(setting: Setting, code: FindingCode, wrong: string, remedy: string): void {
    if (!isDefault(setting)) this.warn(setting.origin, code, wrong, remedy);
    this.drop(setting, wrong);
  }

  /** The account is built without the setting, for `reason`. */
  drop(setting: Setting, reason: string): void {
    this.#hidden.add(setting);
    for (const candidate of this.#slots.get(setting.slot) ?? []) {
      if (candidate === setting) candidate.dropped = reason;
    }
  }

  /** The account is built without anything under `prefix`, because of `by`: what is lost by that. */
  dropUnder(prefix: string, by: Origin): Setting[] {
    const dropped: Setting[] = [];
    for (const [slot, candidates] of this.#slots) {
      if (!slot.startsWith(`${prefix}.`)) continue;
      for (const candidate of candidates) {
        this.drop(candidate, preferred(by));
        if (!isDefault(candidate)) dropped.push(candidate);
      }
    }
    return dropped;
  }

  /** Adds a warning that no setting is withdrawn for. */
  warn(at: Origin, code: FindingCode, wrong: string, remedy: string): void {
    this.faults.push(warning(at, code, wrong, remedy));
  }

  note(at: Origin, code: FindingCode, wrong: string, remedy: string): void {
    this.faults.push(note(at, code, wrong, remedy));
  }

  error(at: Origin, code: FindingCode, wrong: string, remedy: string): void {
    this.faults.push(error(at, code, wrong, remedy));
  }

  /** The first line that sets anything under `prefix`. */
  firstUnder(prefix: string): Origin | undefined {
    for (const [slot, [first]] of this.#slots) {
      if (first && slot.startsWith(`${prefix}.`)) return first.origin;
    }
    return undefined;
  }

  /** Names and addresses that lines have where such are wanted. */
  get hosts(): string[] {
    const found = [...this.#slots.values()].flat().filter(({ row }) => row.form.kind === "host");
    return [...new Set(found.map(({ value }) => String(value)))];
  }

  /** Every slot that is set. */
  slots(): Iterable<string> {
    return this.#slots.keys();
  }

  /** Says of each setting that nothing took why it has no effect. */
  finish(reasonFor: (slot: string) => string): void {
    for (const [slot, candidates] of this.#slots) {
      for (const { taken, dropped, reading } of candidates) {
        if (taken) continue;
        const outcome = dropped.startsWith(PREFERRED) ? "overridden" : "no-effect";
        close(reading, outcome, dropped || reasonFor(slot));
      }
    }
  }

  /** In order of preference. */
  #candidates(slots: readonly string[]): Candidate[] {
    const all: Candidate[] = [];
    for (const slot of slots) {
      for (const candidate of this.#slots.get(slot) ?? []) {
        if (!this.#hidden.has(candidate)) all.push(candidate);
      }
    }
    if (all.length < 2) return all;
    return [...all.filter(({ row }) => !row.old), ...all.filter(({ row }) => row.old)];
  }

  #open(at: Assignment, match: Match | undefined): OpenReading {
    const secret = match ? match.row.form.kind === "secret" : looksSecret(at.key);
    const reading: OpenReading = {
      file: at.file,
      line: at.line,
      key: at.key,
      value: secret && at.value !== "" ? MASK : withoutCredentials(at.value),
      outcome: match ? "honoured" : "unknown",
      reason: match ? "" : "no table of this dialect has the key",
      decides: match?.decides ?? "",
    };
    this.readings.push(reading);
    return reading;
  }

  /** Whatever a phone makes of it, no XML reader need take it. */
  #twice(at: Assignment, element: string, reading: OpenReading): void {
    const wrong = `<${element} ...> has the attribute twice, and XML forbids it`;
    const meant = keyMeant(this.#assignments, at);
    const remedy =
      meant === undefined
        ? "keep one of the two"
        : `it stands among the lines of another: write ${meant}`;
    const code = meant === undefined ? "duplicate-key" : "wrong-number";
    if (meant !== undefined) this.misspelt.push({ at, key: meant, value: at.value });
    this.error(at, code, wrong, remedy);
    close(reading, "rejected", wrong);
  }

  /** It harms no call, and the file was not made ready. */
  #unfilled(at: Assignment): void {
    if (!isCertainPlaceholder(at.value)) return;
    const { wrong, remedy } = unfilled(at, at.value, looksSecret(at.key) ? MASK : undefined);
    this.warn(at, "unfilled-placeholder", wrong, remedy);
  }

  /** Phones have thousands of keys: only what is ours, or nearly spelled like ours, is worth a fault. */
  #unknown(at: Assignment, reading: OpenReading): void {
    if (at.twiceIn !== undefined) {
      this.#twice(at, at.twiceIn, reading);
      return;
    }
    if (this.index.isOther(at.key)) return;
    const { strict } = this.index.table;
    const ours = this.index.isOurs(at.key);
    const nearest = this.index.nearest(at.key, this.#nearest);
    const meant = nearest === undefined ? undefined : this.index.find(nearest);
    // A misspelled password is a password.
    if (meant?.row.form.kind === "secret") reading.value = MASK;
    if (nearest === undefined && !ours) return;
    if (nearest !== undefined && !this.#assignments.some(({ key }) => key === nearest)) {
      this.misspelt.push({ at, key: nearest, value: at.value });
    }
    const remedy =
      nearest === undefined
        ? "delete the line"
        : `did you mean ${nearest}? write that, or delete the line`;
    this.faults.push((strict ? error : warning)(at, "unknown-key", "no such key", remedy));
  }

  /** C2: in one file a repetition is a slip; across files it is what overlays are for, unless it blanks a value. */
  #repeated(earlier: Assignment, later: Assignment): void {
    const where = `${earlier.file}:${earlier.line}`;
    const cleared = later.value === this.index.table.clearMark;
    const undone = earlier.value !== "" && earlier.value !== this.index.table.clearMark;
    const here = cleared && earlier.file === later.file;
    if (undone && (later.value === "" || here)) {
      const remedy = "delete this line, or write a value";
      this.warn(later, "blank-duplicate", `blank, so the value of ${where} is undone`, remedy);
      this.misspelt.push({ at: later, key: later.key, value: earlier.value });
    } else if (earlier.file === later.file && !cleared) {
      const meant = keyMeant(this.#assignments, later);
      if (meant !== undefined) {
        const wrong = `set already at ${where}, and here among the lines of another, which has none`;
        this.warn(later, "wrong-number", wrong, `write ${meant}`);
        this.misspelt.push({ at: later, key: meant, value: later.value });
        return;
      }
      this.misspelt.push({ at: later, key: later.key, value: earlier.value });
      this.warn(
        later,
        "duplicate-key",
        `set already at ${where}, this later line counts`,
        "keep one of the two lines",
      );
    }
  }

  #stray({ at, meant }: Stray<Assignment>): void {
    const row = this.index.find(meant)?.row;
    if (row === undefined || row.noEffect !== "") return;
    const wrong =
      "it stands among the lines of another account, and its own has neither user nor server";
    this.warn(at, "wrong-number", wrong, `write ${meant}`);
    this.misspelt.push({ at, key: meant, value: at.value });
  }

  #settle(at: Assignment, match: Match, reading: OpenReading): void {
    const { row, beyond } = match;
    if (row.noEffect !== "") {
      close(reading, "no-effect", row.noEffect);
    } else if (at.value === "" || at.value === this.index.table.clearMark) {
      const standard = row.default === "" ? "blank" : row.default;
      close(reading, "honoured", `cleared: the default holds, ${standard}`);
    } else if (beyond) {
      const wrong = `there is no number ${beyond.number} here, the family ends at ${beyond.most}`;
      const remedy = `write a number in 1..${beyond.most}, or delete the line`;
      this.warn(at, "beyond-family", wrong, remedy);
      close(reading, "no-effect", wrong);
    } else {
      this.#put(at, match, reading);
    }
  }

  #put(at: Assignment, { row, slot, key }: Match, reading: OpenReading): void {
    if (this.index.table.exactKeys && at.key.replace(/\b0+(?=\d)/g, "") !== key) {
      const wrong = `XML tells letters apart, and a phone may pass this over: it is ${key} here`;
      this.warn(at, "key-letters", wrong, `write ${key}`);
    }
    const secret = row.form.kind === "secret";
    if (secret ? isSecretPlaceholder(at.value) : isPlaceholder(at.value)) {
      const fault = unfilled(at, at.value, secret ? MASK : undefined);
      this.faults.push(fault);
      close(reading, "rejected", fault.wrong);
      this.refused.push({ at, form: row.form });
      return;
    }
    const { value, rejected, complaint } =
      at.listed && !LISTS.has(row.form.kind) ? LISTED : parseValue(row.form, at.value);
    if (complaint) {
      const { code, wrong, remedy } = complaint;
      this.faults.push((rejected ? error : warning)(at, code, wrong, remedy));
      close(reading, rejected ? "rejected" : "honoured", complaint.wrong);
      if (rejected && value === undefined) this.refused.push({ at, form: row.form });
    }
    if (value === undefined) {
      if (!rejected) close(reading, "honoured", "inherits");
      return;
    }
    const origin: Origin = { file: at.file, line: at.line, key: at.key };
    const setting = { value, origin, row, slot, reading, taken: false, dropped: "" };
    const others = this.#slots.get(slot);
    if (others) others.push(setting);
    else this.#slots.set(slot, [setting]);
  }
}

/** Templates spell out times and modes that hold anyway; a switch that is written is meant. */
function isDefault({ row, value }: Setting): boolean {
  return typeof value !== "boolean" && parseValue(row.form, row.default).value === value;
}

const LISTS: ReadonlySet<ValueForm["kind"]> = new Set(["numbers", "endpoints", "users"]);
const LISTED: Parsed = {
  value: undefined,
  rejected: true,
  complaint: { code: "bad-value", wrong: "it is a list", remedy: "write one value" },
};

const PREFERRED = "overridden by ";

function preferred(by: Origin): string {
  return `${PREFERRED}${by.key} at ${by.file}:${by.line}`;
}

/** A rejected reading stays so, whatever else befalls its nearest legal value. */
function close(reading: OpenReading, outcome: Reading["outcome"], reason: string): void {
  if (reading.outcome === "rejected") return;
  reading.outcome = outcome;
  reading.reason = reason;
}
