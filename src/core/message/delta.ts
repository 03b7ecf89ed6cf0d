/** Seconds as headers carry them: Expires, Min-Expires, Retry-After (RFC 3261 §20.19, §20.23, §20.33). */
import type { HeaderName } from "./header-names.ts";
import type { Headers } from "./headers.ts";
import { decimal, trimEnd } from "./lexer.ts";
import { paramOf } from "./params.ts";

/** The greatest delta-seconds; anything larger is this (§20.19). */
export const MAX_DELTA = 0xffff_ffff;

/** Undefined if the text is no row of digits. */
export function decimalSeconds(text: string): number | undefined {
  const seconds = decimal(text, 0, text.length, MAX_DELTA);
  return seconds < 0 ? undefined : seconds;
}

/** Undefined if there is no such header or it is malformed, which is to count as absent. */
export function secondsOf(headers: Headers, name: string | HeaderName): number | undefined {
  const index = headers.indexOf(name);
  const seconds = index < 0 ? -1 : headers.numberAt(index, MAX_DELTA);
  return seconds < 0 ? undefined : seconds;
}

/** When to come back. */
export interface RetryAfter {
  readonly seconds: number;
  /** Without parentheses; empty: none. */
  readonly comment: string;
  /** How long the callee will then be there, in seconds; undefined: not said. */
  readonly duration: number | undefined;
}

/** `18000;duration=3600`, `120 (I'm in a meeting)` (R51); undefined if it is neither. */
export function parseRetryAfter(value: string): RetryAfter | undefined {
  let end = 0;
  while (end < value.length && value.charCodeAt(end) >= 48 && value.charCodeAt(end) <= 57) end += 1;
  const seconds = decimal(value, 0, end, MAX_DELTA);
  if (seconds < 0) return undefined;
  const open = value.indexOf("(", end);
  const close = open < 0 ? -1 : value.lastIndexOf(")");
  const comment = close > open ? value.slice(open + 1, close) : "";
  const params = value.slice(close > open ? close + 1 : end).trimStart();
  const middle = value.slice(end, close > open ? open : trimEnd(value, end, end));
  if (middle.trim() !== "" || (params !== "" && !params.startsWith(";"))) return undefined;
  const duration = paramOf(params, "duration");
  return {
    seconds,
    comment,
    duration: duration === undefined ? undefined : decimalSeconds(duration),
  };
}

/** The Retry-After of a message (RFC 3261 §20.33); undefined if it has none that can be read. */
export function retryAfterOf(headers: Headers): RetryAfter | undefined {
  const value = headers.get("retry-after");
  return value === undefined ? undefined : parseRetryAfter(value);
}
