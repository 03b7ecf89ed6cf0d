/**
 * A datagram, or one framed message of a stream, into a Message (RFC 3261 §7, §18.3). Checked here is what every
 * receiver relies on: start line, the six headers each request carries, lengths and ranges. All else is read where it
 * is asked for. It runs for each packet, so it knows the usual spelling of a line and has a slower way for any other.
 */
import { CSEQ_END, cseqOf } from "./cseq.ts";
import {
  CALL_ID,
  CONTENT_LENGTH,
  CSEQ,
  FROM,
  headerKey,
  knownName,
  MAX_FORWARDS,
  NO_NAME,
  prefixLength,
  SINGLES_END,
  singleBit,
  TO,
  usualNumber,
  VIA,
} from "./header-names.ts";
import { Headers } from "./headers.ts";
import {
  CR,
  decimal,
  isBlankCode,
  isLetterCode,
  isUriText,
  LF,
  matches,
  SLASH,
  skipBlank,
  trimEnd,
} from "./lexer.ts";
import { MAX_HEADERS, MAX_LINE_BYTES, MAX_MESSAGE_BYTES, MAX_URI_BYTES } from "./limits.ts";
import type { Malformed, Message, Request } from "./message.ts";
import { methodNamed } from "./method.ts";
import { fromOf, toOf } from "./name-addr.ts";
import { parseUri } from "./uri.ts";
import {
  addFirst,
  addFound,
  addUsualCall,
  MAX_USUAL_LINES,
  REQUEST_HEAD,
  RESPONSE_HEAD,
} from "./usual-lines.ts";
import { topVia } from "./via.ts";

const VERSION = " SIP/2.0\r\n";
const STATUS_AT = "SIP/2.0 ".length;

const VIA_INITIAL = VIA.prefix.charCodeAt(0);
const FROM_INITIAL = FROM.prefix.charCodeAt(0);
const LENGTH_NUMBER = CONTENT_LENGTH.number;
const PARTIES = FROM.single | TO.single;
const CALL_NAMES = PARTIES | CALL_ID.single | CSEQ.single;
const FIRST_NAMES = CALL_NAMES | MAX_FORWARDS.single;

/** @param text latin1: one character a byte. */
export function parseMessage(text: string): Message | Malformed {
  let start = 0;
  while (text.charCodeAt(start) === CR && text.charCodeAt(start + 1) === LF) start += 2;
  const usual = text.charCodeAt(start + 3) === SLASH ? RESPONSE_HEAD : REQUEST_HEAD;
  usual.lastIndex = start;
  if (usual.test(text)) {
    const found = usual.lastIndex;
    if (usual === REQUEST_HEAD) return usualRequest(text, start, found);
    return usualResponse(text, start, found);
  }
  const lineFeed = text.indexOf("\n", start);
  const lineEnd = lineFeed - 1;
  if (lineFeed < 1 || text.indexOf("\r", start) !== lineEnd) return dropped("no start line", start);
  const reading = new Reading(text, lineFeed + 1);
  return matches(text, start, start + 4, "sip/")
    ? oddResponse(reading, start, lineEnd)
    : oddRequest(reading, start, lineEnd);
}

/** @param found where what REQUEST_HEAD has found ends. */
function usualRequest(text: string, start: number, found: number): Message | Malformed {
  const uriStart = text.indexOf(" ", start) + 1;
  const method = methodNamed(text, start, uriStart - 1) as string;
  const end = text.indexOf("\r", uriStart) + 2;
  const uri = text.slice(uriStart, end - VERSION.length);
  const reading = new Reading(text, end);
  if (found > end) reading.takeFound(found);
  if (uri.length > MAX_URI_BYTES) reading.fail(414, "Request-URI too long", uriStart);
  return wholeRequest(reading, method, uri);
}

function usualResponse(text: string, start: number, found: number): Message | Malformed {
  const statusAt = start + STATUS_AT;
  const status = decimal(text, statusAt, statusAt + 3, 1000);
  const end = text.indexOf("\r", statusAt) + 2;
  const reading = new Reading(text, end);
  if (found > end) reading.takeFound(found);
  return wholeResponse(reading, status, text.slice(statusAt + 4, end - 2));
}

/** A request line in other characters, or one that is not quite one: what can be told of it goes into the answer. */
function oddRequest(reading: Reading, start: number, lineEnd: number): Message | Malformed {
  const { text } = reading;
  const methodEnd = text.indexOf(" ", start);
  const end = trimEnd(text, start, lineEnd);
  const versionStart = text.lastIndexOf(" ", end - 1) + 1;
  if (methodEnd < 0 || versionStart <= methodEnd) return dropped("no request line", start);
  if (!matches(text, versionStart, versionStart + 4, "sip/"))
    return dropped("not SIP", versionStart);
  const method = methodNamed(text, start, methodEnd);
  if (method === undefined) return dropped("no method", start);
  const uriStart = skipBlank(text, methodEnd, versionStart);
  const uri = text.slice(uriStart, trimEnd(text, uriStart, versionStart));
  if (text.slice(versionStart + 4, end) !== "2.0")
    reading.fail(505, "unknown SIP version", versionStart);
  else if (
    end < lineEnd ||
    uriStart + uri.length + 1 !== versionStart ||
    uriStart !== methodEnd + 1
  ) {
    reading.fail(400, "request line not parted by single spaces", methodEnd);
  } else if (uri.length > MAX_URI_BYTES) reading.fail(414, "Request-URI too long", uriStart);
  else if (!isRequestUri(uri)) reading.fail(400, "malformed Request-URI", uriStart);
  return wholeRequest(reading, method, uri);
}

function wholeRequest(reading: Reading, method: string, uri: string): Message | Malformed {
  reading.readHeaders();
  reading.checkRequest(method);
  const body = reading.readBody();
  const made: Request = { kind: "request", method, uri, headers: reading.headers, body };
  return reading.fault === undefined ? made : reading.malformed(made, reading.fault);
}

function oddResponse(reading: Reading, start: number, lineEnd: number): Message | Malformed {
  const { text } = reading;
  const status = decimal(text, start + 8, start + 11, 1000);
  const next = start + 11;
  if (!matches(text, start, start + STATUS_AT, "sip/2.0 "))
    return dropped("unknown SIP version", start);
  if (status < 100 || status > 699) return dropped("no status code", start + 8);
  if (next < lineEnd && !isBlankCode(text.charCodeAt(next))) return dropped("no status code", next);
  return wholeResponse(reading, status, next + 1 < lineEnd ? text.slice(next + 1, lineEnd) : "");
}

function wholeResponse(reading: Reading, status: number, reason: string): Message | Malformed {
  reading.readHeaders();
  reading.checkCommon();
  const body = reading.readBody();
  if (reading.fault !== undefined) return dropped(reading.fault.reason, reading.fault.offset);
  return { kind: "response", status, reason, headers: reading.headers, body };
}

function dropped(reason: string, offset: number): Malformed {
  return { kind: "malformed", status: 400, reason, offset };
}

/** What has been found sound in passing, beside the bits of names. */
const SOUND_VIA = SINGLES_END;
/** Of From, To, Call-ID and CSeq. */
const SOUND_CALL = SINGLES_END << 1;
const SOUND_HOPS = SINGLES_END << 2;

/** Bytes of a body whose Content-Length has not been met. */
const NOT_MET = -2;

/** One pass over a message. The first fault is kept; the rest is still read, so that it can be answered. */
class Reading {
  declare readonly text: string;
  declare readonly headers: Headers;
  declare at: number;
  /** Header lines so far. */
  declare lines: number;
  /** The bits of names that may stand once, and what is sound. */
  declare seen: number;
  /** What Content-Length in its usual spelling says; -1: nothing that can be read. */
  declare length: number;
  declare fault: Malformed | undefined;

  constructor(text: string, at: number) {
    this.text = text;
    this.headers = new Headers(text);
    this.at = at;
    this.lines = 0;
    this.seen = 0;
    this.length = NOT_MET;
    this.fault = undefined;
    if (text.length > MAX_MESSAGE_BYTES) this.fail(513, "message too large", MAX_MESSAGE_BYTES);
  }

  fail(status: number, reason: string, offset: number): void {
    this.fault ??= { kind: "malformed", status, reason, offset };
  }

  /** Without a Via nobody can be answered, and an ACK never is (§17). */
  malformed(request: Request, fault: Malformed): Malformed {
    if (request.method === "ACK" || topVia(this.headers) === undefined) return fault;
    return { ...fault, request };
  }

  /** Lines behind the start line are in the form of nearly all, up to `found`. */
  takeFound(found: number): void {
    const { text, headers, at } = this;
    const after = isBlankCode(text.charCodeAt(found)) ? 0 : addFound(headers, text, at, found);
    if (after === 0) return;
    this.#noteUsual(true, headers.size);
    this.at = after;
  }

  /** Leaves `at` behind the empty line. */
  readHeaders(): void {
    const { text } = this;
    let start = this.at;
    let first = text.charCodeAt(start);
    while (first !== CR) {
      const opens = first === VIA_INITIAL || first === FROM_INITIAL;
      const after = opens ? this.#readUsual(start, first) : 0;
      if (after > 0) {
        start = after;
        first = text.charCodeAt(after);
        continue;
      }
      let lineFeed = text.indexOf("\n", start);
      let following = text.charCodeAt(lineFeed + 1);
      const folded = isBlankCode(following);
      if (folded) {
        lineFeed = endOfFolded(text, lineFeed);
        following = text.charCodeAt(lineFeed + 1);
      }
      if (lineFeed < 0) break;
      const end = lineFeed - 1;
      if (end - start > MAX_LINE_BYTES || this.lines === MAX_HEADERS) {
        this.fail(513, "header too long, or too many", start);
        break;
      }
      if (text.charCodeAt(end) !== CR) this.fail(400, "LF without CR", start);
      else {
        const number = folded ? NO_NAME : usualNumber(text, start, first);
        const single = singleBit(number);
        const from = start + prefixLength(number);
        if (
          number === NO_NAME ||
          (this.seen & single) !== 0 ||
          isBlankCode(text.charCodeAt(from)) ||
          isBlankCode(text.charCodeAt(end - 1))
        ) {
          this.#readOddLine(start, end, folded);
        } else {
          this.seen |= single;
          this.headers.addSpan(number, from, end);
          if (number === LENGTH_NUMBER) this.length = decimal(text, from, end, CSEQ_END);
        }
      }
      this.lines += 1;
      start = lineFeed + 1;
      first = following;
    }
    this.at = start + 2;
    if (first !== CR || text.charCodeAt(start + 1) !== LF) {
      this.fail(400, "no empty line after the headers", start);
      this.at = text.length;
    }
  }

  /** Via or From, each with what follows, if it is the first and in the form of nearly all: where that ends; else 0. */
  #readUsual(start: number, first: number): number {
    const { text, headers } = this;
    const fromVia = first === VIA_INITIAL;
    if ((this.seen & (fromVia ? FIRST_NAMES : CALL_NAMES)) !== 0) return 0;
    if (this.lines > MAX_HEADERS - MAX_USUAL_LINES || (fromVia && headers.find(VIA) >= 0)) return 0;
    const before = headers.size;
    const after = fromVia ? addFirst(headers, text, start) : addUsualCall(headers, text, start);
    if (after > 0) this.#noteUsual(fromVia, headers.size - before);
    return after;
  }

  /** So many lines have been added: of FIRST_LINES, or from From on. */
  #noteUsual(fromVia: boolean, added: number): void {
    if (fromVia) this.seen |= added > 1 ? SOUND_VIA | SOUND_HOPS | MAX_FORWARDS.single : SOUND_VIA;
    const call = fromVia ? added - 2 : added;
    if (call > 0) this.seen |= call > 2 ? CALL_NAMES | SOUND_CALL : PARTIES;
    this.lines += added;
  }

  /** A line with another spelling, a name of its own, blanks around its value or folds, or a second of its name. */
  #readOddLine(start: number, end: number, folded: boolean): void {
    const { text } = this;
    const colon = text.indexOf(":", start);
    if (colon < 0 || colon >= end) {
      this.fail(400, "header without colon", start);
      return;
    }
    const nameEnd = trimEnd(text, start, colon);
    const known = knownName(text, start, nameEnd);
    const name = known?.key ?? headerKey(text, start, nameEnd);
    const single = known?.single ?? 0;
    if (name === undefined) this.fail(400, "malformed header name", start);
    else if ((this.seen & single) !== 0) this.fail(400, `second ${name}`, start);
    else if (folded) {
      const value = unfold(text, colon + 1, end);
      if (value === undefined) this.fail(400, "CR or LF alone in a fold", start);
      else this.headers.add(name, value);
    } else {
      const from = skipBlank(text, colon + 1, end);
      this.headers.add(name, text.slice(from, trimEnd(text, from, end)));
    }
    this.seen |= single;
  }

  /** What a response must have as well as a request. */
  checkCommon(): void {
    const { headers } = this;
    if ((this.seen & SOUND_VIA) === 0 && topVia(headers)?.sound !== true) this.#failFor("via");
    if ((this.seen & SOUND_CALL) !== 0) return;
    const at = headers.find(CALL_ID);
    if (at < 0 || headers.readAt(at, isCallId) !== true) this.#failFor("call-id");
    if (fromOf(headers) === undefined) this.#failFor("from");
    if (toOf(headers) === undefined) this.#failFor("to");
    if (cseqOf(headers) === undefined) this.#failFor("cseq");
  }

  checkRequest(method: string): void {
    this.checkCommon();
    const { headers } = this;
    const cseq = cseqOf(headers);
    if (cseq !== undefined && cseq.method !== method)
      this.fail(400, "cseq names another method", this.at);
    if ((this.seen & SOUND_HOPS) !== 0) return;
    const hops = headers.number(MAX_FORWARDS, CSEQ_END);
    if (hops !== undefined && (hops < 0 || hops > 255))
      this.fail(400, "malformed max-forwards", this.at);
  }

  #failFor(name: string): void {
    this.fail(400, `${this.headers.has(name) ? "malformed" : "no"} ${name}`, this.at);
  }

  /**
   * By Content-Length if there is one: what lies behind is no part of the message, and too little is a fault
   * (§18.3).
   */
  readBody(): string {
    const { text, length } = this;
    const bytes = length === NOT_MET ? this.headers.number(CONTENT_LENGTH, CSEQ_END) : length;
    const rest = text.length - this.at;
    if (bytes === undefined) return rest > 0 ? text.slice(this.at) : "";
    if (bytes < 0) this.fail(400, "malformed content-length", this.at);
    else if (bytes > rest) this.fail(400, "body shorter than content-length", this.at);
    else if (bytes > 0) return text.slice(this.at, this.at + bytes);
    return "";
  }
}

/** The line feed that ends a folded line whose first line feed is given; -1 if none does. */
function endOfFolded(text: string, first: number): number {
  let lineFeed = first;
  while (lineFeed >= 0 && isBlankCode(text.charCodeAt(lineFeed + 1))) {
    lineFeed = text.indexOf("\n", lineFeed + 1);
  }
  return lineFeed;
}

/** A folded value on one line, each fold one space; undefined if a CR or LF stands alone in it. */
function unfold(text: string, start: number, end: number): string | undefined {
  let value = "";
  for (let from = start; from <= end; ) {
    const carriage = text.indexOf("\r", from);
    if (text.indexOf("\n", from) !== carriage + 1) return undefined;
    const begin = skipBlank(text, from, carriage);
    const part = text.slice(begin, trimEnd(text, begin, carriage));
    value = value === "" || part === "" ? value + part : `${value} ${part}`;
    from = carriage + 2;
  }
  return value;
}

/**
 * A scheme, no blanks or brackets around it, and no header components, which a Request-URI must not have (§19.1.1).
 */
function isRequestUri(uri: string): boolean {
  const colon = uri.indexOf(":");
  if (colon <= 0 || !isLetterCode(uri.charCodeAt(0)) || !isUriText(uri, 0, uri.length))
    return false;
  const bare = uri.indexOf("@") < 0 && uri.indexOf("?") < 0 && uri.indexOf(":", colon + 1) < 0;
  if (bare) return true;
  const parsed = parseUri(uri);
  if (parsed !== undefined) return parsed.headers === "";
  return !matches(uri, 0, colon, "sip") && !matches(uri, 0, colon, "sips");
}

function isCallId(text: string, start: number, end: number): boolean {
  return start < end && !holds(text, " ", start, end) && !holds(text, "\r", start, end);
}

function holds(text: string, character: string, start: number, end: number): boolean {
  const at = text.indexOf(character, start);
  return at >= 0 && at < end;
}
