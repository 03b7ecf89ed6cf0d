/**
 * What nearly every REGISTER is: a phone renews its only binding, at an unchanged Contact. That is seen by comparing
 * texts, and the record is written anew from its own pieces, several times faster than by reading both and deciding
 * (registration.ts). All that differs in anything but times and numbers is left to the long way.
 */
import { cseqOf } from "../message/cseq.ts";
import { MAX_DELTA, secondsOf } from "../message/delta.ts";
import { CALL_ID, CONTACT, EXPIRES, PATH, USER_AGENT } from "../message/header-names.ts";
import type { Headers } from "../message/headers.ts";
import { decimal, LESS, LF } from "../message/lexer.ts";
import { type Binding, FORMAT, inOnePiece } from "./binding.ts";
import { NEVER_TOO_BRIEF, type RegistrarLimits } from "./registration.ts";
import { grantedSeconds } from "./spread.ts";

/** A renewed binding and the record that holds it and nothing else. */
export interface Renewal {
  readonly binding: Binding;
  readonly value: string;
}

const EXPIRES_PARAM = ";expires=";

/**
 * Undefined: this is something else, or something is wrong with it.
 * @param stored a record as `encodeBindings` makes it.
 * @param holder see Binding.
 */
export function renewalOf(
  stored: string,
  headers: Headers,
  holder: string,
  epochSeconds: number,
  limits: RegistrarLimits,
): Renewal | undefined {
  const at = headers.find(CONTACT);
  if (at < 0 || headers.find(CONTACT, at + 1) >= 0 || headers.has(PATH)) return undefined;
  const contact = headers.valueAt(at);
  const head = sameContact(stored, contact);
  if (head < 0) return undefined;
  const paramsEnd = head - FORMAT.length - 1;
  const secondsAt = paramsEnd + EXPIRES_PARAM.length;
  if (paramsEnd < contact.length && contact.slice(paramsEnd, secondsAt) !== EXPIRES_PARAM)
    return undefined;
  const seconds =
    paramsEnd === contact.length
      ? (secondsOf(headers, EXPIRES) ?? limits.defaultExpires)
      : decimal(contact, secondsAt, contact.length, MAX_DELTA);
  if (seconds <= 0 || (seconds < NEVER_TOO_BRIEF && seconds < limits.minExpires)) return undefined;
  const now = Math.floor(epochSeconds);
  const callId = headers.get(CALL_ID) as string;
  const cseq = cseqOf(headers)?.number as number;
  if (!mayFollow(stored, head, epochSeconds, callId, cseq)) return undefined;
  const greater = contact.indexOf(">");
  const binding: Binding = {
    uri: contact.slice(1, greater),
    parameters: contact.slice(greater + 1, paramsEnd),
    flowKey: "",
    expires: now + grantedSeconds(seconds, limits, callId, cseq),
    callId,
    cseq,
    holder,
    path: "",
    userAgent: headers.get(USER_AGENT) ?? "",
  };
  // Few pieces: each costs as much again when they are put in one.
  const expires = `${binding.expires}\n`;
  const number = `\n${cseq}\n`;
  const value = `${stored.slice(0, head)}${expires}${callId}${number}${holder}\n\n${binding.userAgent}\n`;
  return { binding, value: inOnePiece(value) };
}

/**
 * Where the times of a stored binding begin if its URI and parameters are the very text that the Contact begins with,
 * else -1. What is equal to something that was read and found good needs not be read.
 */
function sameContact(stored: string, contact: string): number {
  const greater = contact.indexOf(">");
  if (greater < 0 || contact.charCodeAt(0) !== LESS) return -1;
  const uriEnd = FORMAT.length + greater - 1;
  if (stored.charCodeAt(uriEnd) !== LF) return -1;
  if (stored.slice(FORMAT.length, uriEnd) !== contact.slice(1, greater)) return -1;
  const paramsEnd = stored.indexOf("\n", uriEnd + 1);
  // The third line, the key of a flow, must be empty: what makes one is for the long way.
  if (stored.charCodeAt(paramsEnd + 1) !== LF) return -1;
  const params = stored.slice(uriEnd + 1, paramsEnd);
  if (contact.slice(greater + 1, greater + 1 + params.length) !== params) return -1;
  return params.includes("reg-id") ? -1 : paramsEnd + 2;
}

/** Whether the only binding of the record still stands, and may be followed by this REGISTER (§10.3 step 7). */
function mayFollow(
  stored: string,
  head: number,
  epochSeconds: number,
  callId: string,
  cseq: number,
): boolean {
  const expiresEnd = stored.indexOf("\n", head);
  if (decimal(stored, head, expiresEnd, Number.MAX_SAFE_INTEGER) <= epochSeconds) return false;
  const callIdEnd = stored.indexOf("\n", expiresEnd + 1);
  const cseqEnd = stored.indexOf("\n", callIdEnd + 1);
  if (stored.slice(expiresEnd + 1, callIdEnd) === callId) {
    if (cseq <= decimal(stored, callIdEnd + 1, cseqEnd, MAX_DELTA)) return false;
  }
  const holderEnd = stored.indexOf("\n", cseqEnd + 1);
  if (stored.charCodeAt(holderEnd + 1) !== LF) return false;
  return stored.indexOf("\n", holderEnd + 2) === stored.length - 1;
}
