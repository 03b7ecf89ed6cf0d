/** CSeq (RFC 3261 §8.1.1.5, §20.16): a number below 2^31 and a method. */
import { CSEQ } from "./header-names.ts";
import type { Headers } from "./headers.ts";
import { skipBlank } from "./lexer.ts";
import { methodNamed } from "./method.ts";

/** A CSeq: a number below 2^31, and a method. */
export interface CSeq {
  /** 0..2^31 - 1. */
  readonly number: number;
  readonly method: string;
}

/** The first number that no CSeq may have. */
export const CSEQ_END = 0x8000_0000;

/** Undefined if the text is no CSeq or its number is 2^31 or more. */
export function parseCSeq(text: string, from = 0, end: number = text.length): CSeq | undefined {
  let at = from;
  let number = 0;
  for (; at < end; at += 1) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) break;
    number = number * 10 + digit;
    if (number >= CSEQ_END) return undefined;
  }
  const start = skipBlank(text, at, end);
  if (at === from || start === at) return undefined;
  const method = methodNamed(text, start, end);
  return method === undefined ? undefined : { number, method };
}

/** Of a message that was parsed it is always there. */
export function cseqOf(headers: Headers): CSeq | undefined {
  return headers.view(CSEQ, parseCSeq);
}

/** `1 INVITE`. */
export function printCSeq(number: number, method: string): string {
  return `${number} ${method}`;
}
