/**
 * Via, From, To, Call-ID and CSeq as nearly every message has them. One pattern knows a line, or several that follow
 * each other, from the first name to the last line end: neither names, ends nor values need be looked for on their own.
 * Lines in any other form or order are read the slower way, with the same result.
 */
import { parseCSeq } from "./cseq.ts";
import { CALL_ID, CSEQ, FROM, MAX_FORWARDS, TO, VIA } from "./header-names.ts";
import { type Headers, holdsSpans, pureSpan } from "./headers.ts";
import { isBlankCode, SPACE } from "./lexer.ts";
import { readUsualNameAddr, USUAL_NAME_ADDR } from "./name-addr.ts";
import { readUsualVia, USUAL_VIA } from "./via.ts";

const LINE_END = "\\r\\n";

/** Most write Max-Forwards next, and two digits of it can never be too many. */
const VIA_LINES = new RegExp(
  `${VIA.prefix}${USUAL_VIA}${LINE_END}(?:${MAX_FORWARDS.prefix}\\d\\d?${LINE_END})?`,
  "y",
);

/** What VIA_LINES may add. */
export const MAX_VIA_LINES = 2;

/** Most write these one after the other, as RFC 3261's examples do; the last two may stand elsewhere. */
const CALL_LINES = new RegExp(
  [
    `${FROM.prefix}${USUAL_NAME_ADDR}${LINE_END}`,
    `${TO.prefix}${USUAL_NAME_ADDR}${LINE_END}`,
    `(?:${CALL_ID.prefix}[!-~]+${LINE_END}${CSEQ.prefix}\\d+ [A-Z]+${LINE_END})?`,
  ].join(""),
  "y",
);

/** What CALL_LINES may add. */
export const MAX_CALL_LINES = 4;

/**
 * Adds the line at `start`, and Max-Forwards if it follows, to `headers`, which have neither. Where they end, behind the
 * line feed; 0: nothing added.
 */
export function addUsualVia(headers: Headers, text: string, start: number): number {
  const after = endOf(VIA_LINES, text, start);
  if (after === 0) return 0;
  const from = start + VIA.prefix.length;
  const hops = hopsBefore(text, after);
  const end = hops === 0 ? after - 2 : hops - MAX_FORWARDS.prefix.length - 2;
  const via = readUsualVia(text, from, end);
  if (via === undefined) return 0;
  headers.addVia(pureSpan(VIA, from, end), via);
  if (hops > 0) headers.addMaxForwards(pureSpan(MAX_FORWARDS, hops, after - 2));
  return after;
}

/** Where the one or two digits of Max-Forwards begin; 0: the Via is last, which has no space so near its end. */
function hopsBefore(text: string, after: number): number {
  if (text.charCodeAt(after - 5) === SPACE) return after - 4;
  return text.charCodeAt(after - 4) === SPACE ? after - 3 : 0;
}

/**
 * Adds From and To, and Call-ID and CSeq if they follow, to `headers`, which have none of them. Where they end, behind
 * the line feed; 0: nothing added.
 */
export function addUsualCall(headers: Headers, text: string, start: number): number {
  const after = endOf(CALL_LINES, text, start);
  if (after === 0) return 0;
  const from = start + FROM.prefix.length;
  const fromEnd = text.indexOf("\r", from);
  const to = fromEnd + 2 + TO.prefix.length;
  const toEnd = text.indexOf("\r", to);
  const callId = toEnd + 2 + CALL_ID.prefix.length;
  const callIdEnd = callId < after ? text.indexOf("\r", callId) : 0;
  const cseq = callIdEnd + 2 + CSEQ.prefix.length;
  const cseqView = callIdEnd > 0 ? parseCSeq(text, cseq, after - 2) : undefined;
  if (callIdEnd > 0 && cseqView === undefined) return 0;
  const fromView = readUsualNameAddr(text, from, fromEnd);
  const toView = readUsualNameAddr(text, to, toEnd);
  headers.addParties(pureSpan(FROM, from, fromEnd), fromView, pureSpan(TO, to, toEnd), toView);
  if (cseqView === undefined) return after;
  const callIdSpan = pureSpan(CALL_ID, callId, callIdEnd);
  headers.addCall(callIdSpan, pureSpan(CSEQ, cseq, after - 2), cseqView);
  return after;
}

/** Where what the pattern finds ends; 0 if it finds nothing, too much, or what the next line continues. */
function endOf(pattern: RegExp, text: string, start: number): number {
  pattern.lastIndex = start;
  if (!pattern.test(text)) return 0;
  const after = pattern.lastIndex;
  return !holdsSpans(start, after) || isBlankCode(text.charCodeAt(after)) ? 0 : after;
}
