/** Character classes and the few scans that every header's grammar is made of (RFC 3261 §25.1). */

export const TAB = 9;
export const LF = 10;
export const CR = 13;
export const SPACE = 32;
export const QUOTE = 34;
export const STAR = 42;
export const COMMA = 44;
export const SLASH = 47;
export const COLON = 58;
export const SEMICOLON = 59;
export const LESS = 60;
export const EQUALS = 61;
export const GREATER = 62;
export const OPEN_BRACKET = 91;
export const BACKSLASH = 92;
export const CLOSE_BRACKET = 93;

const TOKEN = 1;
const HEX = 2;
/** Allowed in a URI as such or as the start of an escape; raw UTF-8 is let through. */
const URI = 4;
/** A parameter's name: a token, or what a URI parameter may have besides. */
const NAME = 8;
/** A parameter's value outside quotes: anything but a separator, a blank or a control. */
const VALUE = 16;

const CLASS: Uint8Array = classes();

function classes(): Uint8Array {
  const table = new Uint8Array(256);
  const mark = (characters: string, bit: number) => {
    for (let index = 0; index < characters.length; index += 1) {
      const code = characters.charCodeAt(index);
      table[code] = (table[code] as number) | bit;
    }
  };
  const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  mark(`${letters}0123456789-.!%*_+\`'~`, TOKEN);
  mark("0123456789abcdefABCDEF", HEX);
  mark(`${letters}0123456789-_.!~*'();/?:@&=+$,%[]#|^{}\``, URI);
  mark(`${letters}0123456789-.!%*_+\`'~[]/:&$`, NAME);
  for (let code = 33; code < 256; code += 1) {
    const separator = code === QUOTE || code === COMMA || code === SEMICOLON || code === 127;
    table[code] = (table[code] as number) | (separator ? 0 : VALUE) | (code >= 128 ? URI : 0);
  }
  return table;
}

export function isTokenCode(code: number): boolean {
  return ((CLASS[code] as number) & TOKEN) !== 0;
}

export function isParamNameCode(code: number): boolean {
  return ((CLASS[code] as number) & NAME) !== 0;
}

export function isParamValueCode(code: number): boolean {
  return ((CLASS[code] as number) & VALUE) !== 0;
}

export function isHexCode(code: number): boolean {
  return ((CLASS[code] as number) & HEX) !== 0;
}

export function isDigitCode(code: number): boolean {
  return code >= 48 && code <= 57;
}

export function isLetterCode(code: number): boolean {
  return (code | 32) >= 97 && (code | 32) <= 122;
}

/** Space or tab: what folding leaves of LWS. */
export function isBlankCode(code: number): boolean {
  return code === SPACE || code === TAB;
}

/** Whether `text[start, end)` is a token of at least one character. */
export function isToken(text: string, start: number, end: number): boolean {
  for (let index = start; index < end; index += 1) {
    if (((CLASS[text.charCodeAt(index)] as number) & TOKEN) === 0) return false;
  }
  return end > start;
}

/** Whether `text[start, end)` has only characters that a URI may contain. */
export function isUriText(text: string, start: number, end: number): boolean {
  for (let index = start; index < end; index += 1) {
    if (((CLASS[text.charCodeAt(index)] as number) & URI) === 0) return false;
  }
  return end > start;
}

/** The first index from `at` that is not blank, at most `end`. */
export function skipBlank(text: string, at: number, end: number): number {
  let index = at;
  while (index < end && isBlankCode(text.charCodeAt(index))) index += 1;
  return index;
}

/** The end of `text[start, end)` without its trailing blanks. */
export function trimEnd(text: string, start: number, end: number): number {
  let index = end;
  while (index > start && isBlankCode(text.charCodeAt(index - 1))) index -= 1;
  return index;
}

/** The index after the quoted string that opens at `at`, or -1 if nothing closes it before `end`. */
export function quotedEnd(text: string, at: number, end: number): number {
  const close = text.indexOf('"', at + 1);
  if (close < 0 || close >= end) return -1;
  if (text.slice(at, close).indexOf("\\") < 0) return close + 1;
  for (let index = at + 1; index < end; index += 1) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) return index + 1;
    if (code === BACKSLASH) index += 1;
  }
  return -1;
}

/** Whether `text[start, end)` is `lower`, letters compared without case. */
export function matches(text: string, start: number, end: number, lower: string): boolean {
  if (end - start !== lower.length) return false;
  for (let index = 0; index < lower.length; index += 1) {
    const code = text.charCodeAt(start + index);
    const wanted = lower.charCodeAt(index);
    if (code !== wanted && !(isLetterCode(code) && (code | 32) === wanted)) return false;
  }
  return true;
}

/**
 * The end of the list value that starts at `start`: the next comma outside quotes and `<>`, or `end`. -1 if a quote
 * or bracket stays open.
 */
export function valueEnd(text: string, start: number, end: number = text.length): number {
  const comma = text.indexOf(",", start);
  if (comma < 0 || comma >= end) return end;
  let bracketed = false;
  for (let index = start; index < end; index += 1) {
    const code = text.charCodeAt(index);
    if (code === QUOTE && !bracketed) {
      index = quotedEnd(text, index, end) - 1;
      if (index < 0) return -1;
    } else if (code === LESS) bracketed = true;
    else if (code === GREATER) bracketed = false;
    else if (code === COMMA && !bracketed) return index;
  }
  return bracketed ? -1 : end;
}

/** The text inside a quoted string, escapes resolved; other text unchanged. */
export function unquote(text: string): string {
  if (text.charCodeAt(0) !== QUOTE) return text;
  const inner = text.slice(1, -1);
  if (inner.indexOf("\\") < 0) return inner;
  let plain = "";
  for (let index = 0; index < inner.length; index += 1) {
    if (inner.charCodeAt(index) === BACKSLASH) index += 1;
    plain += inner.charAt(index);
  }
  return plain;
}

/** `text` as a quoted string. Line ends, which no quoted string may hold, become spaces. */
export function quote(text: string): string {
  let quoted = '"';
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === QUOTE || code === BACKSLASH) quoted += "\\";
    quoted += code === CR || code === LF ? " " : text.charAt(index);
  }
  return `${quoted}"`;
}

/**
 * The decimal number `text[start, end)`; -1 if it is none, and at most `cap` however long it is, since no peer's
 * digits may overflow (RFC 4475 §3.1.2.4).
 */
export function decimal(text: string, start: number, end: number, cap: number): number {
  if (start >= end) return -1;
  let value = 0;
  for (let index = start; index < end; index += 1) {
    const digit = text.charCodeAt(index) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return Math.min(value, cap);
}
