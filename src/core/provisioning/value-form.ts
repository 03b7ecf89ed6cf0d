/** How the text of one key becomes a value of the policy: ranges, words, units, and what to say when it does not. */

export type Value = string | number | boolean | readonly number[] | readonly string[];

interface NumberForm {
  readonly kind: "number";
  readonly least: number;
  readonly most: number;
  /** Factor from the key's unit to the policy's. */
  readonly times: number;
  readonly whole: boolean;
  /** Spellings with a meaning of their own; `undefined`: as if the key were not there. */
  readonly words: Readonly<Record<string, Value | undefined>>;
  /** Values from 1 to below this one are raised to it, as the manual says. */
  readonly raiseTo: number;
  /** Values are rounded up to a multiple of this, the greatest down. */
  readonly step: number;
}

interface ChoiceForm {
  readonly kind: "choice";
  /** `undefined`: as if the key were not there. */
  readonly choices: Readonly<Record<string, Value | undefined>>;
}

/** `500 ms`, `2 s`, `5 min`, `1 h`, or a bare number of seconds; given in `unitMs` to the policy. */
interface DurationForm {
  readonly kind: "duration";
  readonly unitMs: 1 | 1000;
  readonly leastMs: number;
  readonly words: Readonly<Record<string, Value | undefined>>;
}

interface NumbersForm {
  readonly kind: "numbers";
  readonly least: number;
  readonly most: number;
}

/** Text of one shape. */
interface PatternForm {
  readonly kind: "pattern";
  readonly pattern: string;
  /** For people: `a URN such as …`. */
  readonly what: string;
}

interface TextForm {
  readonly kind: "text" | "secret" | "host" | "ip" | "endpoints" | "users";
}

export type ValueForm =
  | NumberForm
  | ChoiceForm
  | DurationForm
  | NumbersForm
  | PatternForm
  | TextForm;

/** What to tell the operator of one text. */
export interface Complaint {
  readonly code: "bad-value" | "out-of-range" | "adjusted-value";
  readonly wrong: string;
  readonly remedy: string;
}

/** `value` undefined: as if the key were not there. A rejected text still gives the nearest legal value if any. */
export interface Parsed {
  readonly value: Value | undefined;
  readonly rejected: boolean;
  readonly complaint: Complaint | undefined;
}

/** Reads `text`, which is neither blank nor a mark for clearing. Never throws. */
export function parseValue(form: ValueForm, text: string): Parsed {
  switch (form.kind) {
    case "number":
      return parseNumber(form, text);
    case "choice":
      return parseChoice(form, text);
    case "duration":
      return parseDuration(form, text);
    case "numbers":
      return parseNumbers(form, text);
    case "host":
      return parseHost(text);
    case "ip":
      return isLiteral(text)
        ? accepted(text)
        : rejected(
            undefined,
            `${shown(text)} is not an IP address`,
            "write an IPv4 or IPv6 address",
          );
    case "endpoints":
      return parseEndpoints(text);
    case "users":
      return parseUsers(text);
    case "pattern":
      return new RegExp(form.pattern).test(text)
        ? accepted(text)
        : rejected(undefined, `${shown(text)} is not ${form.what}`, `write ${form.what}`);
    case "text":
    case "secret":
      return accepted(text);
  }
}

/** What may be written, in a few words, for tables and remedies. */
export function describeForm(form: ValueForm): string {
  switch (form.kind) {
    case "number": {
      const words = Object.keys(form.words).map((word) => `${word}, `);
      const most = form.most >= 2147483647 ? "2147483647" : String(form.most);
      return `${words.join("")}${form.least}..${most}`;
    }
    case "choice":
      return Object.keys(form.choices).join(", ");
    case "duration":
      return [timeOf(form), ...Object.keys(form.words)].join(" or ");
    case "numbers":
      return `numbers ${form.least}..${form.most}`;
    case "host":
      return "IP address or name";
    case "ip":
      return "IP address";
    case "endpoints":
      return "IP addresses, each with :PORT if not 53";
    case "users":
      return "users, apart by spaces or commas";
    case "pattern":
      return form.what;
    case "text":
    case "secret":
      return "text";
  }
}

function timeOf({ leastMs }: DurationForm): string {
  if (leastMs < 1000) return "a time (500 ms, 2 s, 5 min, 1 h)";
  return `a time of ${leastMs / 1000} s or more (2 s, 5 min, 1 h)`;
}

/** How a policy value is written in this form; the inverse of parsing, for remedies. */
export function spellValue(form: ValueForm, value: Value): string {
  const words = form.kind === "choice" ? form.choices : "words" in form ? form.words : {};
  // A number that is one needs no word that stands for it (Polycom's 0 retries are 3).
  const plain = form.kind === "number" && Number(value) / form.times >= form.least;
  if (!plain) {
    for (const [word, meaning] of Object.entries(words)) if (meaning === value) return word;
  }
  if (form.kind === "number") return String(Number(value) / form.times);
  if (form.kind === "duration" && value !== 0) {
    return `${Number(value) * form.unitMs} ms`.replace(/000 ms$/, " s");
  }
  return String(value);
}

type NumberOptions = Partial<Omit<NumberForm, "kind" | "least" | "most">>;

export function number(least: number, most: number, options: NumberOptions = {}): ValueForm {
  return {
    kind: "number",
    times: 1,
    whole: true,
    words: {},
    raiseTo: 0,
    step: 1,
    ...options,
    least,
    most,
  };
}

/** A number of seconds for a policy field in milliseconds. */
export function seconds(least: number, most: number, options: NumberOptions = {}): ValueForm {
  return number(least, most, { times: 1000, ...options });
}

export function choice(choices: Readonly<Record<string, Value | undefined>>): ValueForm {
  return { kind: "choice", choices };
}

/**
 * A time for a policy field in milliseconds (`unitMs` 1) or seconds (1000). `words` are read for what they stand for,
 * though it be below the least.
 */
export function duration(
  unitMs: 1 | 1000,
  leastMs = 0,
  words: DurationForm["words"] = {},
): ValueForm {
  return { kind: "duration", unitMs, leastMs, words };
}

/** Several whole numbers with commas between. */
export function numbers(least: number, most: number): ValueForm {
  return { kind: "numbers", least, most };
}

/** Several words, each standing for itself. */
export function words(...choices: readonly string[]): ValueForm {
  return choice(Object.fromEntries(choices.map((word) => [word, word])));
}

/** Text that matches `pattern` whole; `what` says so to people. */
export function matching(pattern: string, what: string): ValueForm {
  return { kind: "pattern", pattern, what };
}

export const TEXT: ValueForm = { kind: "text" };
export const SECRET: ValueForm = { kind: "secret" };
export const HOST: ValueForm = { kind: "host" };
export const IP: ValueForm = { kind: "ip" };
export const ENDPOINTS: ValueForm = { kind: "endpoints" };
export const USERS: ValueForm = { kind: "users" };
export const DURATION_OR_HALF: ValueForm = {
  kind: "duration",
  unitMs: 1000,
  leastMs: 0,
  words: { half: "half" },
};
export const SWITCH: ValueForm = choice({ "0": false, "1": true });

/** Whether `host` is a literal IPv4 or IPv6 address rather than a name. */
export function isLiteral(host: string): boolean {
  return isIPv4(host) || isIPv6(host);
}

/** The text as it may stand in a message: one line, bounded. */
export function shown(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, "?");
  return `"${line.length > 60 ? `${line.slice(0, 57)}...` : line}"`;
}

function accepted(value: Value | undefined): Parsed {
  return { value, rejected: false, complaint: undefined };
}

function adjusted(value: Value | undefined, wrong: string, remedy: string): Parsed {
  return { value, rejected: false, complaint: { code: "adjusted-value", wrong, remedy } };
}

function rejected(value: Value | undefined, wrong: string, remedy: string): Parsed {
  return { value, rejected: true, complaint: { code: "bad-value", wrong, remedy } };
}

function outside(value: Value | undefined, wrong: string, remedy: string): Parsed {
  return { value, rejected: true, complaint: { code: "out-of-range", wrong, remedy } };
}

/** Out of range: rejected, and the nearest legal value stands in so that further faults are found, too. */
function parseNumber(form: NumberForm, text: string): Parsed {
  if (Object.hasOwn(form.words, text)) {
    const value = form.words[text];
    if (typeof value !== "number" || String(value) === text) return accepted(value);
    return adjusted(value, `${text} means ${value} here`, `write ${value}`);
  }
  const range = describeForm(form);
  const pattern = form.whole ? /^[+-]?\d{1,15}$/ : /^[+-]?\d{1,15}(\.\d{1,6})?$/;
  if (!pattern.test(text)) {
    const kind = form.whole ? "a whole number" : "a number";
    return rejected(undefined, `${shown(text)} is not ${kind}`, `write a value in ${range}`);
  }
  const given = Number(text);
  const policy = (plain: number): number => Math.round(plain * form.times * 1000) / 1000;
  if (form.raiseTo > 0 && given >= 1 && given < form.raiseTo) {
    const wrong = `${given} is raised to ${form.raiseTo}, the least there is`;
    return adjusted(policy(form.raiseTo), wrong, `write ${form.raiseTo} or more, or 0`);
  }
  const bounded = Math.min(form.most, Math.max(form.least, given));
  if (bounded !== given) {
    const wrong =
      given < form.least ? `below ${form.least}, the least` : `above ${form.most}, the most`;
    return outside(policy(bounded), `${given} is ${wrong}`, `write a value in ${range}`);
  }
  // Fractions have no step: rounding them would only disguise what was written.
  const highest = form.most - (form.most % form.step);
  const stepped = Math.min(highest, Math.ceil(given / form.step) * form.step);
  if (!form.whole || stepped === given) return accepted(policy(given));
  const wrong = `${given} is rounded to ${stepped}, the finest step is ${form.step}`;
  return adjusted(policy(stepped), wrong, `write ${stepped}`);
}

/** Words in another case are taken, and told: old firmware spelled some differently. */
function parseChoice(form: ChoiceForm, text: string): Parsed {
  if (Object.hasOwn(form.choices, text)) return accepted(form.choices[text]);
  const folded = text.toLowerCase();
  for (const [word, value] of Object.entries(form.choices)) {
    if (word.toLowerCase() !== folded) continue;
    return adjusted(value, `${shown(text)} is read as ${word}`, `write ${word}`);
  }
  const choices = Object.keys(form.choices).join(", ");
  return rejected(undefined, `${shown(text)} is not one of ${choices}`, `write one of ${choices}`);
}

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  "": 1000,
  min: 60_000,
  h: 3_600_000,
};

function parseDuration(form: DurationForm, text: string): Parsed {
  if (Object.hasOwn(form.words, text)) return accepted(form.words[text]);
  const match = /^(\d{1,12}(?:\.\d{1,6})?) ?(ms|s|min|h|)$/.exec(text);
  const ms = match ? Number(match[1]) * (UNITS_MS[match[2] ?? ""] ?? 0) : -1;
  if (ms < 0) {
    return rejected(undefined, `${shown(text)} is not a time`, `write ${describeForm(form)}`);
  }
  if (ms < form.leastMs) {
    const remedy = `write ${form.leastMs} ms or more`.replace("000 ms", " s");
    return outside(form.leastMs / form.unitMs, `${shown(text)} is too short`, remedy);
  }
  if (ms > 2147483647_000) {
    return outside(undefined, `${shown(text)} is too long`, "write at most 596523 h");
  }
  return accepted(Math.round((ms / form.unitMs) * 1000) / 1000);
}

function parseNumbers(form: NumbersForm, text: string): Parsed {
  const list: number[] = [];
  for (const part of text.split(/[\s,]+/)) {
    const given = /^\d{1,9}$/.test(part) ? Number(part) : Number.NaN;
    if (!(given >= form.least && given <= form.most)) {
      const remedy = `write ${describeForm(form)} with commas between`;
      return outside(undefined, `${shown(part)} is not in ${form.least}..${form.most}`, remedy);
    }
    if (!list.includes(given)) list.push(given);
  }
  return accepted(list);
}

function parseEndpoints(text: string): Parsed {
  const endpoints = text.split(/[\s,]+/);
  const wrong = endpoints.find((endpoint) => {
    const match = /^(?:\[(.*)\]|([^:]*)):(\d{1,5})$/.exec(endpoint);
    const port = match ? Number(match[3]) : 53;
    return !isLiteral(match?.[1] ?? match?.[2] ?? endpoint) || port < 1 || port > 65535;
  });
  if (wrong === undefined) return accepted(endpoints);
  const remedy = "write addresses such as 192.0.2.53 or 127.0.0.1:5353";
  return rejected(undefined, `${shown(wrong)} is not an address of a resolver`, remedy);
}

function parseUsers(text: string): Parsed {
  const users = text.split(/[\s,]+/);
  const wrong = users.find((user) => !/^[\w.~!$&*+=-]+$/.test(user));
  if (wrong === undefined) return accepted(users);
  return rejected(undefined, `${shown(wrong)} is not a user`, "write the part before the @");
}

/** What languages print for a value that there is not. */
const NOTHING = /^(?:null|none|nil|undefined|nan|false)$/i;

/** Names may have underscores (SRV owners do) and end in a dot; a last label of digits is a broken address. */
function parseHost(text: string): Parsed {
  const bare = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  if (isLiteral(bare)) return accepted(bare);
  const name = text.endsWith(".") ? text.slice(0, -1) : text;
  const labels = name.split(".");
  const legal = labels.every((label) => /^[\w](?:[\w-]{0,61}[\w])?$/.test(label));
  const last = labels.at(-1) ?? "";
  if (NOTHING.test(text)) {
    return rejected(undefined, `${shown(text)} is a word for nothing`, "write a name, or no value");
  }
  if (legal && name.length <= 253 && !/^\d+$/.test(last)) return accepted(name.toLowerCase());
  if (/^sips?:/i.test(text)) {
    return rejected(undefined, `${shown(text)} is a URI`, "write the bare address or name");
  }
  if (/^[^:]+:\d+$/.test(text)) {
    const remedy = "write the bare address here and the port under its own key";
    return rejected(undefined, `${shown(text)} has a port in it`, remedy);
  }
  const remedy = "write an IPv4 or IPv6 address, or a domain name";
  return rejected(undefined, `${shown(text)} is neither an address nor a name`, remedy);
}

function isIPv4(text: string): boolean {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  // A leading zero is octal to some: 192.0.2.015 may be .13.
  return match?.slice(1).every((part) => Number(part) <= 255 && !/^0\d/.test(part)) ?? false;
}

/** RFC 4291 §2.2, all three forms; no zone. */
function isIPv6(text: string): boolean {
  if (!/^[0-9a-f:.]{2,45}$/i.test(text) || !text.includes(":")) return false;
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  const tail = groups.at(-1) ?? "";
  const dotted = tail.includes(".");
  if (dotted && !isIPv4(tail)) return false;
  const plain = dotted ? groups.slice(0, -1) : groups;
  if (!plain.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return false;
  const count = plain.length + (dotted ? 2 : 0);
  return halves.length === 2 ? count < 8 : count === 8;
}
