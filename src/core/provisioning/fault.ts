/** Faults as an operator sees them: one line each, where it is, what is wrong, what to write instead. */
import type { Fault, Origin } from "./configuration.ts";

/** Exactly `FILE:LINE: KEY: wrong; remedy`, on one line whatever the file held. */
export function formatFault(fault: Fault): string {
  const text = `${fault.file}:${fault.line}: ${fault.key}: ${fault.wrong}; ${fault.remedy}`;
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, "?");
}

export function warning(at: Origin, wrong: string, remedy: string): Fault {
  return { severity: "warning", file: at.file, line: at.line, key: at.key, wrong, remedy };
}

export function error(at: Origin, wrong: string, remedy: string): Fault {
  return { severity: "error", file: at.file, line: at.line, key: at.key, wrong, remedy };
}

const SECRET_NAME =
  /pass|pwd|pswd|secret|token|credential|private|(^|[._-])(pin|key|ha1)($|[._-])/i;

/** Whether a key that no table knows may hold a secret. */
export function looksSecret(key: string): boolean {
  return SECRET_NAME.test(key);
}

/** The value as a reading may show it: credentials inside URLs are masked. */
export function withoutCredentials(value: string): string {
  return value.replace(/\/\/[^/\s]*@/g, "//***@");
}
