/** CSeq (RFC 3261 §8.1.1.5, §20.16): a number below 2^31 and a method. */
import type { Headers } from "./headers.ts";
import { decimal, isBlankCode, isToken, skipBlank } from "./lexer.ts";

export interface CSeq {
  /** 0..2^31 - 1. */
  readonly number: number;
  readonly method: string;
}

/** The first number that no CSeq may have. */
export const CSEQ_END = 0x8000_0000;

/** Undefined if the text is no CSeq or its number is 2^31 or more. */
export function parseCSeq(value: string): CSeq | undefined {
  let end = 0;
  while (end < value.length && !isBlankCode(value.charCodeAt(end))) end += 1;
  const number = decimal(value, 0, end, CSEQ_END);
  if (number < 0 || number >= CSEQ_END) return undefined;
  const start = skipBlank(value, end, value.length);
  if (!isToken(value, start, value.length)) return undefined;
  return { number, method: value.slice(start) };
}

/** Of a message that was parsed it is always there. */
export function cseqOf(headers: Headers): CSeq | undefined {
  return headers.view("cseq", parseCSeq);
}

export function printCSeq(number: number, method: string): string {
  return `${number} ${method}`;
}
