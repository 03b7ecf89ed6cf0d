/**
 * The playground's sliders: each stands for a key in every dialect, and moving it writes the value into the file, so that
 * one sees where it belongs.
 */
import type { ShownPhone } from "../../protocol.ts";

type Files = ShownPhone["files"];

export interface Knob {
  readonly name: string;
  readonly unit: string;
  readonly least: number;
  readonly most: number;
  readonly step: number;
  readonly keys: Readonly<Partial<Record<Dialect, readonly Key[]>>>;
}

type Dialect = "yealink" | "native" | "polycom";

interface Key {
  readonly key: string;
  /** As it is written: the default is the number alone. */
  readonly write?: (value: number) => string;
  /** From what is written. */
  readonly read?: (text: string) => number;
}

const inSeconds = { write: (value: number): string => `${value} s` };
const milliseconds = {
  write: (value: number): string => `${value} ms`,
  read: (text: string): number => (text.endsWith("ms") ? 1 : 1000) * Number.parseFloat(text),
};

export const KNOBS: readonly Knob[] = [
  {
    name: "Resends before giving up",
    unit: "",
    least: 1,
    most: 6,
    step: 1,
    keys: {
      yealink: [{ key: "sip_server.1.retry_counts" }, { key: "sip_server.1.invite_retry_counts" }],
      native: [{ key: "register-retries" }, { key: "invite-retries" }],
      polycom: [{ key: "reg.1.server.1.retryMaxCount" }],
    },
  },
  {
    name: "First resend after",
    unit: "ms",
    least: 500,
    most: 2000,
    step: 100,
    keys: {
      yealink: [
        {
          key: "sip.timer_t1",
          write: (value) => String(value / 1000),
          read: (text) => Number(text) * 1000,
        },
      ],
      native: [{ key: "t1", ...milliseconds }],
      polycom: [{ key: "reg.1.server.1.retryTimeOut" }],
    },
  },
  {
    name: "Registration lasts",
    unit: "s",
    least: 30,
    most: 600,
    step: 10,
    keys: {
      yealink: [{ key: "sip_server.1.expires" }],
      native: [{ key: "expires", ...inSeconds }],
      polycom: [{ key: "reg.1.server.1.expires" }],
    },
  },
  {
    name: "Looks for the primary every",
    unit: "s",
    least: 5,
    most: 120,
    step: 5,
    keys: {
      yealink: [{ key: "fallback.timeout" }],
      native: [{ key: "probe-interval", ...inSeconds }],
    },
  },
];

export function dialectOf(text: string): Dialect {
  if (/^\s*</.test(text)) return "polycom";
  return /^#!version|^account\.\d/m.test(text) ? "yealink" : "native";
}

/** The value that the files have, or undefined. */
export function readKnob(knob: Knob, files: Files): number | undefined {
  for (const { text } of files) {
    const dialect = dialectOf(text);
    const [first] = knob.keys[dialect] ?? [];
    if (first === undefined) continue;
    const written = patternOf(dialect, first.key).exec(text)?.[2];
    if (written === undefined) continue;
    const value = first.read?.(written) ?? Number.parseFloat(written);
    if (Number.isFinite(value)) return value;
  }
  return undefined;
}

/** The files with the value in every key that the knob stands for. */
export function writeKnob(knob: Knob, files: Files, value: number): Files {
  return files.map(({ name, text }) => {
    const dialect = dialectOf(text);
    let turned = text;
    for (const { key, write } of knob.keys[dialect] ?? []) {
      turned = written(dialect, turned, key, write?.(value) ?? String(value));
    }
    return { name, text: turned };
  });
}

function written(dialect: Dialect, text: string, key: string, value: string): string {
  const pattern = patternOf(dialect, key);
  if (pattern.test(text)) {
    return text.replace(pattern, (_whole, before: string) => before + value);
  }
  switch (dialect) {
    case "yealink":
      return `${text.trimEnd()}\n${key.startsWith("sip.") ? key : `account.1.${key}`} = ${value}\n`;
    case "polycom":
      return text.replace(/(<reg\b)/, `$1 ${key}="${value}"`);
    case "native":
      return ofServer(key)
        ? text.replace(/\{ address:/, `{ ${key}: ${value}, address:`)
        : text.replace(/^( *)(servers:)/m, `$1${key}: ${value}\n$1$2`);
  }
}

function ofServer(key: string): boolean {
  return ["expires", "register-retries", "invite-retries"].includes(key);
}

/** What stands before the value, and the value. */
function patternOf(dialect: Dialect, key: string): RegExp {
  const name = key.replaceAll(".", "\\.");
  switch (dialect) {
    case "yealink":
      return new RegExp(`^((?:account\\.1\\.)?${name}[ \\t]*=[ \\t]*)([^\\s#]+)`, "m");
    case "polycom":
      return new RegExp(`(\\b${name}=")([^"]*)`);
    case "native":
      return new RegExp(`(\\b${name}:[ \\t]*)([\\d.]+(?: ?m?s)?)`);
  }
}
