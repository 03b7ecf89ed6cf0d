/**
 * The start line, Via, Max-Forwards, From, To, Call-ID and CSeq as nearly every message has them. One pattern knows a
 * line, or several that follow each other, from the first character to the last line end: neither names, ends nor
 * values need be looked for on their own; and the fewer patterns the better, since to start one costs as much as thirty
 * characters of its way. Lines in any other form or order are read the slower way, with the same result.
 */
import { CSEQ_END } from "./cseq.ts";
import { CALL_ID, CSEQ, FROM, MAX_FORWARDS, TO, VIA } from "./header-names.ts";
import { type Headers, holdsSpans, pureSpan } from "./headers.ts";
import { CR, decimal, isBlankCode } from "./lexer.ts";
import { methodNamed } from "./method.ts";
import { readUsualNameAddr, USUAL_NAME_ADDR } from "./name-addr.ts";
import { readUsualVia, USUAL_VIA } from "./via.ts";

const LINE_END = "\\r\\n";

/** Most write these one after the other, as RFC 3261's examples do; the last two may stand elsewhere. */
const CALL_LINES = [
  `${FROM.prefix}${USUAL_NAME_ADDR}${LINE_END}`,
  `${TO.prefix}${USUAL_NAME_ADDR}${LINE_END}`,
  `(?:${CALL_ID.prefix}[!-~]+${LINE_END}${CSEQ.prefix}\\d+ [A-Z]+${LINE_END})?`,
].join("");

/** Many write them behind Max-Forwards, two digits of which can never be too many. */
const FIRST_LINES = [
  `${VIA.prefix}${USUAL_VIA}${LINE_END}`,
  `(?:${MAX_FORWARDS.prefix}\\d\\d?${LINE_END}(?:${CALL_LINES})?)?`,
].join("");

/** Letters, digits and marks that are both a token's and a URI's. */
const PLAIN = "[\\w\\-.!*+`'~]+";

/** `METHOD sip:user@host:port;params SIP/2.0`, all plain, and FIRST_LINES if they are next. */
export const REQUEST_HEAD: RegExp = new RegExp(
  `[A-Z]+ sips?:(?:${PLAIN}@)?[A-Za-z\\d.-]+(?::(?:[1-5]\\d{4}|[1-9]\\d{0,3}))?` +
    `(?:;${PLAIN}(?:=${PLAIN})?)* SIP/2\\.0${LINE_END}(?:${FIRST_LINES})?`,
  "y",
);
export const RESPONSE_HEAD: RegExp = new RegExp(
  `SIP/2\\.0 [1-6]\\d\\d [^\\r\\n]*${LINE_END}(?:${FIRST_LINES})?`,
  "y",
);

const FIRST = new RegExp(FIRST_LINES, "y");
const CALL = new RegExp(CALL_LINES, "y");

/** Of a whole line of Max-Forwards, at most. */
const HOPS_LENGTH = `${MAX_FORWARDS.prefix}70\r\n`.length;

/** What may be added at once. */
export const MAX_USUAL_LINES = 6;

/**
 * Adds what FIRST_LINES find at `start` to `headers`, which have none of it: Via; Max-Forwards too; From and To too; or
 * all six. Where they end, behind the line feed; 0: nothing added.
 */
export function addFirst(headers: Headers, text: string, start: number): number {
  const after = endOf(FIRST, text, start);
  return after === 0 ? 0 : addFound(headers, text, start, after);
}

/** Adds what FIRST_LINES have found at `[start, after)`, as far as `addFirst` would. */
export function addFound(headers: Headers, text: string, start: number, after: number): number {
  const from = start + VIA.prefix.length;
  const end = text.indexOf("\r", from);
  const next = end + 2;
  if (!holdsSpans(start, next + HOPS_LENGTH)) return 0;
  const via = readUsualVia(text, from, end);
  if (via === undefined) return 0;
  headers.addVia(pureSpan(VIA, from, end), via);
  if (next === after) return after;
  const hops = next + MAX_FORWARDS.prefix.length;
  const hopsEnd = text.charCodeAt(hops + 1) === CR ? hops + 1 : hops + 2;
  headers.addMaxForwards(pureSpan(MAX_FORWARDS, hops, hopsEnd));
  const call = hopsEnd + 2;
  return (call < after && addCall(headers, text, call, after)) || call;
}

/**
 * Adds From and To, and Call-ID and CSeq if they follow, to `headers`, which have none of them. Where they end, behind
 * the line feed; 0: nothing added.
 */
export function addUsualCall(headers: Headers, text: string, start: number): number {
  const after = endOf(CALL, text, start);
  return after === 0 ? 0 : addCall(headers, text, start, after);
}

function addCall(headers: Headers, text: string, start: number, after: number): number {
  if (!holdsSpans(start, after)) return 0;
  const from = start + FROM.prefix.length;
  const fromEnd = text.indexOf("\r", from);
  const to = fromEnd + 2 + TO.prefix.length;
  const toEnd = text.indexOf("\r", to);
  const callId = toEnd + 2 + CALL_ID.prefix.length;
  if (callId > after) {
    addParties(headers, text, from, fromEnd, to, toEnd);
    return after;
  }
  const callIdEnd = text.indexOf("\r", callId);
  const cseq = callIdEnd + 2 + CSEQ.prefix.length;
  const space = text.indexOf(" ", cseq);
  const number = decimal(text, cseq, space, CSEQ_END);
  const method = methodNamed(text, space + 1, after - 2);
  if (number === CSEQ_END || method === undefined) return 0;
  addParties(headers, text, from, fromEnd, to, toEnd);
  const callIdSpan = pureSpan(CALL_ID, callId, callIdEnd);
  headers.addCall(callIdSpan, pureSpan(CSEQ, cseq, after - 2), { number, method });
  return after;
}

function addParties(
  headers: Headers,
  text: string,
  from: number,
  fromEnd: number,
  to: number,
  toEnd: number,
): void {
  const fromView = readUsualNameAddr(text, from, fromEnd);
  const toView = readUsualNameAddr(text, to, toEnd);
  headers.addParties(pureSpan(FROM, from, fromEnd), fromView, pureSpan(TO, to, toEnd), toView);
}

/** Where what the pattern finds ends; 0 if it finds nothing, or what the next line continues. */
function endOf(pattern: RegExp, text: string, start: number): number {
  pattern.lastIndex = start;
  if (!pattern.test(text)) return 0;
  const after = pattern.lastIndex;
  return isBlankCode(text.charCodeAt(after)) ? 0 : after;
}
