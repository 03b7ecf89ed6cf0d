/**
 * Walks over `Scheme name=value, name="value", Scheme …`: the form of WWW-Authenticate, Authorization and their proxy
 * twins (RFC 3261 §20.7, RFC 7235 §2.1). One line may hold several challenges.
 */
import {
  COMMA,
  EQUALS,
  isBlankCode,
  isTokenCode,
  matches,
  QUOTE,
  quotedEnd,
  skipBlank,
  unquote,
} from "./lexer.ts";

export class AuthScan {
  readonly #text: string;
  /** Whether a quote may hold an escape: hardly any line has one. */
  readonly #escapes: boolean;
  #at = 0;
  #nameStart = 0;
  #nameEnd = 0;
  #valueStart = 0;
  #valueEnd = 0;
  /** False once the text was not of this form; nothing is read behind that point. */
  sound = true;

  constructor(text: string) {
    this.#text = text;
    this.#escapes = text.indexOf("\\") >= 0;
  }

  /**
   * Steps on: `scheme` when a new challenge begins, `param` when one has been read, `end` when nothing more can be
   * read. A scheme's opaque token68 counts as a parameter without value.
   */
  next(): "scheme" | "param" | "end" {
    const text = this.#text;
    const end = text.length;
    let at = this.#at;
    while (at < end && (isBlankCode(text.charCodeAt(at)) || text.charCodeAt(at) === COMMA)) at += 1;
    this.#nameStart = at;
    while (at < end && isTokenCode(text.charCodeAt(at))) at += 1;
    this.#nameEnd = at;
    if (at === this.#nameStart) return this.#stop(at === end);
    const equals = skipBlank(text, at, end);
    if (equals >= end || text.charCodeAt(equals) !== EQUALS) {
      this.#at = equals;
      return "scheme";
    }
    const start = skipBlank(text, equals + 1, end);
    let stop = start;
    if (text.charCodeAt(start) === QUOTE) {
      stop = this.#escapes ? quotedEnd(text, start, end) : text.indexOf('"', start + 1) + 1;
      if (stop <= 0) return this.#stop(false);
    } else {
      while (stop < end && !isBlankCode(text.charCodeAt(stop)) && text.charCodeAt(stop) !== COMMA) {
        stop += 1;
      }
    }
    this.#valueStart = start;
    this.#valueEnd = stop;
    this.#at = stop;
    return "param";
  }

  /** The parameter's name in lower case. */
  name(): string {
    return this.#text.slice(this.#nameStart, this.#nameEnd).toLowerCase();
  }

  /** Whether that is the name. */
  is(lowerName: string): boolean {
    return matches(this.#text, this.#nameStart, this.#nameEnd, lowerName);
  }

  value(): string {
    const quoted = this.#text.charCodeAt(this.#valueStart) === QUOTE;
    if (quoted && !this.#escapes) return this.#text.slice(this.#valueStart + 1, this.#valueEnd - 1);
    return unquote(this.#text.slice(this.#valueStart, this.#valueEnd));
  }

  #stop(sound: boolean): "end" {
    this.sound &&= sound;
    this.#at = this.#text.length;
    return "end";
  }
}
