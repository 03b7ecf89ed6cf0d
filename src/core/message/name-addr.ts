/** From, To, Contact, Route, Record-Route, Path and their kin: `"Name" <uri>;params` and lists of it (RFC 3261 §20). */
import { decimalSeconds } from "./delta.ts";
import { CONTACT, FROM, TO } from "./header-names.ts";
import type { Headers } from "./headers.ts";
import {
  BACKSLASH,
  COLON,
  COMMA,
  isLetterCode,
  isTokenCode,
  isUriText,
  LESS,
  QUOTE,
  quote,
  quotedEnd,
  SEMICOLON,
  SPACE,
  STAR,
  skipBlank,
  trimEnd,
  unquote,
  valueEnd,
} from "./lexer.ts";
import { MAX_LIST_VALUES } from "./limits.ts";
import { COMPACT_PARAMS, ParamScan, paramOf } from "./params.ts";

/** A URI with display name and parameters: From, To, Contact, Route (RFC 3261 §20.10). */
export class NameAddr {
  /** The display name without quotes and escapes; empty: none. */
  declare readonly display: string;
  /** The URI as written. */
  declare readonly uri: string;
  /** The header's own parameters, `;name=value…` as written, or empty. */
  declare readonly params: string;
  /** The tag, once it has been looked for. With `#` it would need code of its own, and each object a call. */
  declare private known: string | undefined;

  constructor(display: string, uri: string, params: string) {
    this.display = display;
    this.uri = uri;
    this.params = params;
    this.known = undefined;
  }

  get tag(): string | undefined {
    const { params } = this;
    if (this.known !== undefined || params === "") return this.known;
    const alone = params.startsWith(TAG) && params.indexOf(";", TAG.length) < 0;
    this.known = alone ? unquote(params.slice(TAG.length)) : paramOf(params, "tag");
    return this.known;
  }

  /** `expires` of a Contact in seconds; undefined if it is absent, malformed counts as 3600 (§20.10). */
  get expires(): number | undefined {
    const expires = paramOf(this.params, "expires");
    return expires === undefined ? undefined : (decimalSeconds(expires) ?? 3600);
  }

  /** `q` of a Contact, 0..1; undefined if it is absent or no number of that range (§20.10). */
  get q(): number | undefined {
    const q = paramOf(this.params, "q");
    const value = q === undefined || q === "" ? Number.NaN : Number(q);
    return value >= 0 && value <= 1 ? value : undefined;
  }

  /** Any other parameter, unquoted; empty if it has no value. */
  param(lowerName: string): string | undefined {
    return paramOf(this.params, lowerName);
  }
}

/** From of a message, parsed once. */
export function fromOf(headers: Headers): NameAddr | undefined {
  return headers.view(FROM, parseNameAddr);
}

/** To of a message, parsed once. */
export function toOf(headers: Headers): NameAddr | undefined {
  return headers.view(TO, parseNameAddr);
}

/** The tag of a From or To value; undefined if it has none. */
export function tagOf(value: string): string | undefined {
  return parseNameAddr(value)?.tag;
}

/**
 * All Contacts: `*`, a list, or undefined if one of them is malformed (among those: header components in a URI without
 * brackets, and `*` beside anything else, R29). None gives an empty list.
 */
export function contactsOf(headers: Headers): "*" | NameAddr[] | undefined {
  const at = headers.find(CONTACT);
  if (at < 0) return [];
  if (headers.find(CONTACT, at + 1) >= 0) return nameAddrsOf(headers, CONTACT.key);
  return headers.readAt(at, readContacts);
}

function readContacts(text: string, start: number, end: number): "*" | NameAddr[] | undefined {
  if (end === start + 1 && text.charCodeAt(start) === STAR) return "*";
  return readList(text, start, end);
}

/** Every value of all lines of that name, in order; undefined if one is malformed. */
export function nameAddrsOf(headers: Headers, name: string): NameAddr[] | undefined {
  const list: NameAddr[] = [];
  for (let at = headers.indexOf(name); at >= 0; at = headers.indexOf(name, at + 1)) {
    const more = headers.readAt(at, readList);
    if (more === undefined) return undefined;
    for (const value of more) list.push(value);
  }
  return list;
}

/** One value and nothing behind it; undefined if it is malformed. */
export function parseNameAddr(
  text: string,
  start = 0,
  end: number = text.length,
): NameAddr | undefined {
  return usualNameAddr(text, start, end) ?? readNameAddr(text, start, end);
}

/**
 * The source of a pattern: a SIP URI in brackets, perhaps a quoted name without escapes before it, and compact
 * parameters. One pattern for all, since a pattern's start costs as much as thirty characters of its way.
 */
export const USUAL_NAME_ADDR: string = `(?:"[^"\\\\\\r\\n]*" ?)?<sip:[!-=?-\\xff]*>${COMPACT_PARAMS}`;
const USUAL = new RegExp(USUAL_NAME_ADDR, "y");

/** Undefined for any other form. */
function usualNameAddr(text: string, start: number, end: number): NameAddr | undefined {
  USUAL.lastIndex = start;
  const usual = USUAL.test(text) && USUAL.lastIndex === end;
  return usual ? readUsualNameAddr(text, start, end) : undefined;
}

/** What the pattern has found. What is in the brackets is only looked at closely when it is used. */
export function readUsualNameAddr(text: string, start: number, end: number): NameAddr {
  let display = "";
  let less = start;
  if (text.charCodeAt(start) === QUOTE) {
    const close = text.indexOf('"', start + 1);
    display = text.slice(start + 1, close);
    less = text.charCodeAt(close + 1) === SPACE ? close + 2 : close + 1;
  }
  const greater = text.indexOf(">", less);
  const uri = text.slice(less + 1, greater);
  return new NameAddr(display, uri, greater + 1 === end ? "" : text.slice(greater + 1, end));
}

const TAG = ";tag=";

/** `"Display" <uri>;params`. */
export function printNameAddr(display: string, uri: string, params = ""): string {
  return display === "" ? `<${uri}>${params}` : `${quote(display)} <${uri}>${params}`;
}

/** The values of one line; undefined if one is malformed. */
function readList(text: string, from: number, end: number): NameAddr[] | undefined {
  const stop = valueEnd(text, from, end);
  const first = stop < 0 ? undefined : parseNameAddr(text, from, stop);
  if (first === undefined) return undefined;
  const list = [first];
  for (let start = stop + 1; start <= end; ) {
    const next = valueEnd(text, start, end);
    const value = next < 0 ? undefined : parseNameAddr(text, start, next);
    if (value === undefined || list.length === MAX_LIST_VALUES) return undefined;
    list.push(value);
    start = next + 1;
  }
  return list;
}

function readNameAddr(text: string, start: number, end: number): NameAddr | undefined {
  const from = skipBlank(text, start, end);
  let display = "";
  let less = from;
  const first = text.charCodeAt(from);
  if (first === QUOTE) {
    const close = quotedEnd(text, from, end);
    if (close < 0 || close > end) return undefined;
    display = unquote(text.slice(from, close));
    less = skipBlank(text, close, end);
    if (text.charCodeAt(less) !== LESS) return undefined;
  } else if (first !== LESS) {
    less = text.indexOf("<", from);
    if (less < 0 || less >= end) return readBareAddr(text, from, end);
    const displayEnd = trimEnd(text, from, less);
    if (!isDisplay(text, from, displayEnd)) return readBareAddr(text, from, end);
    display = text.slice(from, displayEnd);
  }
  const greater = text.indexOf(">", less);
  if (greater < 0 || greater >= end || !isUri(text, less + 1, greater)) return undefined;
  const paramsStart = skipBlank(text, greater + 1, end);
  if (!areParams(text, paramsStart, end)) return undefined;
  const params = paramsStart < end ? text.slice(paramsStart, trimEnd(text, paramsStart, end)) : "";
  return new NameAddr(display, text.slice(less + 1, greater), params);
}

/** Without brackets, all from the first semicolon on belongs to the header, and no `?` may stand (§20). */
function readBareAddr(text: string, start: number, end: number): NameAddr | undefined {
  const semicolon = text.indexOf(";", start);
  const uriEnd = semicolon < 0 || semicolon >= end ? end : semicolon;
  const uri = text.slice(start, trimEnd(text, start, uriEnd));
  if (!isUri(uri, 0, uri.length) || uri.indexOf("?") >= 0 || uri.indexOf(",") >= 0)
    return undefined;
  if (!areParams(text, uriEnd, end)) return undefined;
  return new NameAddr("", uri, uriEnd < end ? text.slice(uriEnd, trimEnd(text, uriEnd, end)) : "");
}

/**
 * Tokens and blanks by the grammar. Dots aside, phones write much else unquoted; only what would leave the end of the
 * name in doubt is refused (RFC 4475 §3.1.2.15).
 */
function isDisplay(text: string, start: number, end: number): boolean {
  for (let index = start; index < end; index += 1) {
    const code = text.charCodeAt(index);
    if (isTokenCode(code)) continue;
    if (
      code === COMMA ||
      code === SEMICOLON ||
      code === QUOTE ||
      code === BACKSLASH ||
      code === COLON
    )
      return false;
  }
  return true;
}

/** Whether `text[start, end)` has a scheme and nothing that no URI may contain. */
function isUri(text: string, start: number, end: number): boolean {
  const colon = text.indexOf(":", start);
  if (colon <= start || colon >= end || !isLetterCode(text.charCodeAt(start))) return false;
  return isUriText(text, start, end);
}

function areParams(text: string, start: number, end: number): boolean {
  if (start === end) return true;
  const scan = new ParamScan(text, start, end);
  while (scan.next());
  return scan.sound && scan.at === end;
}
