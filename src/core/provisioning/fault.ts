/** Faults as an operator sees them: one line each, where it is, what is wrong, what to write instead. */
import type { Fault, Origin } from "./configuration.ts";
import type { FindingCode } from "./finding.ts";
import { shown } from "./value-form.ts";

/** Exactly `FILE:LINE: KEY: wrong; remedy`, on one line whatever the file held. */
export function formatFault(fault: Fault): string {
  const text = `${fault.file}:${fault.line}: ${fault.key}: ${fault.wrong}; ${fault.remedy}`;
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, "?");
}

/** As `formatFault`, with the code of the finding in brackets. */
export function formatFinding(fault: Fault): string {
  return `${formatFault(fault)} [${fault.code ?? fault.severity}]`;
}

/** What is found at one place, of whatever severity. */
export type Teller = (at: Origin, code: FindingCode, wrong: string, remedy: string) => Fault;

export const note: Teller = (at, code, wrong, remedy) => faultOf("note", at, code, wrong, remedy);

export const warning: Teller = (at, code, wrong, remedy) =>
  faultOf("warning", at, code, wrong, remedy);

export const error: Teller = (at, code, wrong, remedy) => faultOf("error", at, code, wrong, remedy);

/** Another file is named: what stands there is not known here. */
export function notFollowed(at: Origin, names: string): Fault {
  const wrong = `${shown(names)} is not read from here`;
  return warning(at, "include-not-followed", wrong, "name it with --config as well");
}

function faultOf(
  severity: Fault["severity"],
  { file, line, key }: Origin,
  code: FindingCode,
  wrong: string,
  remedy: string,
): Fault {
  return { severity, code, file, line, key, wrong, remedy };
}

/** What stands for a secret. */
export const MASK = "***";

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
