/**
 * Messages out of a stream of bytes (RFC 3261 §18.3) and the keep-alives between them (RFC 5626 §3.5.1, §4.4.1:
 * CRLF CRLF
 * is a ping, CRLF a pong). No byte is looked at twice, and nothing beyond one message is kept.
 */
import type { Bytes } from "../primitives.ts";
import { CONTENT_LENGTH, knownName, NO_NAME, usualNumber } from "./header-names.ts";
import { CR, decimal, isBlankCode, LF, trimEnd } from "./lexer.ts";
import { MAX_HEAD_BYTES, MAX_MESSAGE_BYTES, MAX_PARTS } from "./limits.ts";

/** Told what a stream brought, in order. */
export interface FrameUser {
  /** One whole message, latin1. */
  framed(text: string): void;
  /** CRLF CRLF: to be answered with CRLF. */
  pinged(): void;
  /** CRLF. */
  ponged(): void;
  /** The stream cannot be followed any further and is to be closed; nothing is told after this. */
  faulted(reason: string): void;
}

/**
 * Cuts the bytes of a stream into messages by Content-Length (RFC 3261 §18.3), in bounded memory.
 */
export class StreamFramer {
  readonly #bytes: Bytes;
  readonly #user: FrameUser;
  /** Chunks of a message that is not whole yet. */
  #parts: string[] = [];
  #size = 0;
  /** The last three characters of all chunks kept, so that an end of head cut in two is found. */
  #tail = "";
  /** Length of the whole message; 0: its head has not ended yet. */
  #wanted = 0;
  /** CR and LF seen between messages and not told yet: 0..3. */
  #idle = 0;
  #over = false;

  constructor(bytes: Bytes, user: FrameUser) {
    this.#bytes = bytes;
    this.#user = user;
  }

  /** Bytes kept of a message that is not whole. */
  get pending(): number {
    return this.#size;
  }

  /** Takes any cut of the stream. */
  feed(chunk: Uint8Array): void {
    if (this.#over) return;
    let text = this.#bytes.toText(chunk);
    while (text !== "" && !this.#over) text = this.#size === 0 ? this.#begin(text) : this.#go(text);
    // A lone CRLF at the end of a chunk is a pong: pings come as one (RFC 5626 §4.4.1 asks senders for that).
    if (this.#idle === 2) this.#endIdle();
  }

  /** Between messages: takes keep-alives off and returns what a message begins with. */
  #begin(text: string): string {
    let at = 0;
    for (; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (code !== (this.#idle % 2 === 0 ? CR : LF)) break;
      this.#idle += 1;
      if (this.#idle < 4) continue;
      this.#idle = 0;
      this.#user.pinged();
    }
    if (at === text.length) return "";
    if (this.#idle % 2 === 1) this.#fault("CR alone between messages");
    else {
      this.#endIdle();
      return this.#go(at === 0 ? text : text.slice(at));
    }
    return "";
  }

  #endIdle(): void {
    if (this.#idle === 2) this.#user.ponged();
    this.#idle = 0;
  }

  /** Adds to the message that has begun; returns what lies behind its end. */
  #go(text: string): string {
    if (this.#wanted === 0) this.#measure(text);
    if (this.#over) return "";
    if (this.#size === 0 && this.#wanted === text.length) {
      // What came is one message, as nearly always: nothing has been kept, and nothing is left.
      this.#wanted = 0;
      this.#user.framed(text);
      return "";
    }
    const missing = this.#wanted === 0 ? text.length : this.#wanted - this.#size;
    const part = missing >= text.length ? text : text.slice(0, missing);
    // A peer that sends byte by byte makes no heap of little strings.
    if (this.#parts.length === MAX_PARTS) this.#parts = [this.#parts.join("")];
    this.#parts.push(part);
    this.#size += part.length;
    if (this.#wanted === 0) {
      this.#tail = (this.#tail + part).slice(-3);
      if (this.#size > MAX_HEAD_BYTES) this.#fault("headers too large");
    } else if (this.#size === this.#wanted) {
      const whole = this.#parts.length === 1 ? part : this.#parts.join("");
      this.#forget();
      this.#user.framed(whole);
    }
    return missing >= text.length ? "" : text.slice(missing);
  }

  /** Looks for the end of the head in `text` and the three characters before it. */
  #measure(text: string): void {
    const { length } = this.#tail;
    let end = length === 0 ? -1 : (this.#tail + text.slice(0, 3)).indexOf("\r\n\r\n");
    if (end >= 0) end -= length;
    else {
      end = text.indexOf("\r\n\r\n");
      if (end < 0) return;
    }
    const headEnd = this.#size + end + 4;
    const head = this.#size === 0 ? text : this.#parts.join("") + text;
    const body = headEnd > MAX_HEAD_BYTES ? TOO_LARGE : contentLength(head, headEnd);
    if (body === TOO_LARGE) this.#fault("headers too large");
    else if (body < 0) this.#fault("no Content-Length that can be read");
    else if (headEnd + body > MAX_MESSAGE_BYTES) this.#fault("message too large");
    else this.#wanted = headEnd + body;
  }

  #fault(reason: string): void {
    this.#forget();
    this.#over = true;
    this.#user.faulted(reason);
  }

  #forget(): void {
    this.#parts = [];
    this.#size = 0;
    this.#tail = "";
    this.#wanted = 0;
  }
}

const TOO_LARGE = -2;

/** The Content-Length of a head that ends at `end`; -1 if there is none, or several, or no number. */
function contentLength(head: string, end: number): number {
  let found = -1;
  // The empty line is none to look at: what lies behind it may begin with a blank and is no fold of it.
  for (let start = head.indexOf("\n") + 1; start < end - 2; ) {
    let lineFeed = head.indexOf("\n", start);
    while (isBlankCode(head.charCodeAt(lineFeed + 1))) lineFeed = head.indexOf("\n", lineFeed + 1);
    if (mayTellLength(head.charCodeAt(start))) {
      const colon = head.indexOf(":", start);
      const named = colon > 0 && colon < lineFeed;
      if (named && namesLength(head, start, colon)) {
        const length = head.slice(colon + 1, lineFeed).trim();
        const value = decimal(length, 0, length.length, MAX_MESSAGE_BYTES + 1);
        if (found >= 0 || value < 0) return -1;
        found = value;
      }
    }
    start = lineFeed + 1;
  }
  return found;
}

/** Contact, Call-ID and CSeq begin like it, and in their usual spelling no copy of the name need be made. */
function namesLength(head: string, start: number, colon: number): boolean {
  const usual = usualNumber(head, start, head.charCodeAt(start));
  if (usual !== NO_NAME) return usual === CONTENT_LENGTH.number;
  return knownName(head, start, trimEnd(head, start, colon)) === CONTENT_LENGTH;
}

/** `Content-Length` or `l`, in whatever case. */
function mayTellLength(initial: number): boolean {
  return (initial | 32) === 99 || (initial | 32) === 108;
}
