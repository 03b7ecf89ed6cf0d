/** SIP and SIPS URIs: parts, printing, equality (RFC 3261 §19.1). Other schemes stay opaque text. */
import {
  COLON,
  decimal,
  isDigitCode,
  isHexCode,
  isLetterCode,
  isUriText,
  matches,
  OPEN_BRACKET,
  SEMICOLON,
} from "./lexer.ts";
import { MAX_LIST_VALUES } from "./limits.ts";
import { paramList, paramOf } from "./params.ts";

/** A SIP or SIPS URI in its parts (RFC 3261 §19.1.1). */
export interface SipUri {
  readonly scheme: "sip" | "sips";
  /** As written, escapes kept; empty: none. */
  readonly user: string;
  /** Undefined: none. */
  readonly password?: string;
  /** Lower case, without the dot that ends an absolute name; an IPv6 address keeps its brackets. */
  readonly host: string;
  /** 1..65535; 0: none was given. */
  readonly port: number;
  /** `;name=value…` as written, or empty. */
  readonly params: string;
  /** `name=value&…` behind the question mark as written, or empty. */
  readonly headers: string;
}

/** Undefined if the text is no well-formed SIP or SIPS URI. */
export function parseUri(text: string): SipUri | undefined {
  const colon = text.indexOf(":");
  let scheme: "sip" | "sips";
  if (matches(text, 0, colon, "sip")) scheme = "sip";
  else if (matches(text, 0, colon, "sips")) scheme = "sips";
  else return undefined;
  if (!isUriText(text, colon + 1, text.length)) return undefined;
  // A user part may hold ";" and "?", a host may not, and "@" stands raw nowhere else but before the host.
  const at = text.indexOf("@", colon);
  const hostStart = at < 0 ? colon + 1 : at + 1;
  const hostEnd = endOfHost(text, hostStart);
  if (hostEnd < 0) return undefined;
  let next = hostEnd;
  let port = 0;
  if (text.charCodeAt(next) === COLON) {
    next += 1;
    while (next < text.length && isDigitCode(text.charCodeAt(next))) next += 1;
    port = decimal(text, hostEnd + 1, next, 65_536);
    if (port <= 0 || port > 65_535) return undefined;
  }
  const question = text.indexOf("?", next);
  const paramsEnd = question < 0 ? text.length : question;
  if (next < paramsEnd && text.charCodeAt(next) !== SEMICOLON) return undefined;
  let nameEnd = hostEnd;
  while (nameEnd > hostStart + 1 && text.charCodeAt(nameEnd - 1) === DOT) nameEnd -= 1;
  const host = lowerCase(text.slice(hostStart, nameEnd));
  const params = text.slice(next, paramsEnd);
  const headers = question < 0 ? "" : text.slice(question + 1);
  if (at < 0) return { scheme, user: "", host, port, params, headers };
  const user = text.slice(colon + 1, at);
  if (user === "" || !escapesAreSound(text)) return undefined;
  const split = user.indexOf(":");
  if (split < 0) return { scheme, user, host, port, params, headers };
  if (split === 0) return undefined;
  const password = user.slice(split + 1);
  return { scheme, user: user.slice(0, split), password, host, port, params, headers };
}

/** The URI as text. */
export function printUri(uri: SipUri): string {
  const secret = uri.password === undefined ? "" : `:${uri.password}`;
  const user = uri.user === "" ? "" : `${uri.user}${secret}@`;
  const port = uri.port === 0 ? "" : `:${uri.port}`;
  const headers = uri.headers === "" ? "" : `?${uri.headers}`;
  return `${uri.scheme}:${user}${uri.host}${port}${uri.params}${headers}`;
}

const DOT = 46;

/** One URI parameter; empty if it has no value, undefined if it is absent. */
export function uriParam(uri: SipUri, lowerName: string): string | undefined {
  return paramOf(uri.params, lowerName);
}

/**
 * The canonical key of an address-of-record (§10.3(5)): no parameters, password, headers or port; user unescaped,
 * host in lower case. A `sips` address is the `sip` one (§26.2.2 leaves one binding set).
 */
export function addressOfRecord(uri: SipUri): string {
  return uri.user === "" ? `sip:${uri.host}` : `sip:${unescapeUser(uri.user)}@${uri.host}`;
}

/** Parameters that make two URIs differ if only one has them (§19.1.4). */
const TELLING = new Set(["user", "ttl", "method", "maddr", "transport"]);

/** Equality of §19.1.4. The default port and its absence differ, as do `sip` and `sips`. */
export function sameUri(one: SipUri, other: SipUri): boolean {
  if (one.scheme !== other.scheme || one.host !== other.host || one.port !== other.port)
    return false;
  if (!sameText(one.user, other.user)) return false;
  if (one.password !== other.password && !sameText(one.password, other.password)) return false;
  if (one.params !== other.params && !sameParams(one.params, other.params)) return false;
  return one.headers === other.headers || sameHeaders(one.headers, other.headers);
}

/** Equality of two URIs as text: by §19.1.4 if both are SIP or SIPS, else letter for letter. */
export function sameUriText(one: string, other: string): boolean {
  if (one === other) return true;
  const left = parseUri(one);
  const right = left === undefined ? undefined : parseUri(other);
  return left !== undefined && right !== undefined && sameUri(left, right);
}

/**
 * Resolves `%hh` of every character that need not be escaped in a user part. What must stay escaped does, in upper
 * case: `%40` and `@` differ (§19.1.2, §19.1.4).
 */
export function unescapeUser(text: string): string {
  let percent = text.indexOf("%");
  if (percent < 0) return text;
  let plain = "";
  let from = 0;
  for (; percent >= 0; percent = text.indexOf("%", from)) {
    plain += text.slice(from, percent);
    const code = hexPair(text, percent + 1);
    const needed = code >= 0 && isUserCode(code) ? 3 : 1;
    if (needed === 3) plain += String.fromCharCode(code);
    else if (code >= 0) plain += text.slice(percent, percent + 3).toUpperCase();
    else plain += "%";
    from = percent + (code >= 0 ? 3 : 1);
  }
  return plain + text.slice(from);
}

/** Any text as the user part of a URI: all that the grammar does not allow there is escaped. */
export function escapeUser(text: string): string {
  let escaped = "";
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (isUserCode(code)) escaped += text.charAt(index);
    else escaped += `%${(code & 255).toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return escaped;
}

/** A user as people write it, as the user part of a URI: UTF-8 (§19.1.2, §25.1); what is escaped already stays so. */
export function userPart(user: string): string {
  if (PLAIN_USER.test(user)) return user;
  const utf8 = withSoundEscapes(user)
    .replace(/\p{Surrogate}/gu, "\ufffd")
    .replace(/[^\0-\x7f]+/g, (letters) => encodeURIComponent(letters));
  return escapeBetween(utf8);
}

/**
 * Under what a user of these bytes, as a users file or a digest names him, is found by the user part of his URI
 * (`unescapeUser`).
 */
export function userKey(user: string): string {
  return PLAIN_USER.test(user) ? user : unescapeUser(escapeBetween(withSoundEscapes(user)));
}

/** Whether that key is of a user who is named so. */
export function isKeyOf(key: string, user: string): boolean {
  return key === user || key === userKey(user);
}

function withSoundEscapes(user: string): string {
  return escapesAreSound(user) ? user : user.replaceAll("%", "%25");
}

/** What is escaped already stays so. */
function escapeBetween(user: string): string {
  return user.split("%").map(escapeUser).join("%");
}

const PLAIN_USER = /^[\w.-]*$/;
const USER_MARKS = "-_.!~*'()&=+$,;?/";

function isUserCode(code: number): boolean {
  return isLetterCode(code) || isDigitCode(code) || USER_MARKS.includes(String.fromCharCode(code));
}

function hexPair(text: string, at: number): number {
  if (!isHexCode(text.charCodeAt(at)) || !isHexCode(text.charCodeAt(at + 1))) return -1;
  return Number.parseInt(text.slice(at, at + 2), 16);
}

function escapesAreSound(text: string): boolean {
  for (let at = text.indexOf("%"); at >= 0; at = text.indexOf("%", at + 3)) {
    if (hexPair(text, at + 1) < 0) return false;
  }
  return true;
}

/** Host as name, IPv4 or bracketed IPv6 from `start`; -1 if there is none. */
function endOfHost(text: string, start: number): number {
  let index = start;
  if (text.charCodeAt(start) === OPEN_BRACKET) {
    const close = text.indexOf("]", start);
    for (index += 1; index < close; index += 1) {
      const code = text.charCodeAt(index);
      if (!isHexCode(code) && code !== COLON && code !== 46) return -1;
    }
    return close < start + 3 ? -1 : close + 1;
  }
  for (; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (isLetterCode(code) || isDigitCode(code) || code === 45 || code === 46 || code === 95)
      continue;
    break;
  }
  return index === start ? -1 : index;
}

/** toLowerCase costs a copy; most hosts need none. */
function lowerCase(host: string): string {
  for (let index = 0; index < host.length; index += 1) {
    const code = host.charCodeAt(index);
    if (code >= 65 && code <= 90) return host.toLowerCase();
  }
  return host;
}

function sameText(one: string | undefined, other: string | undefined): boolean {
  if (one === other) return true;
  if (one === undefined || other === undefined) return false;
  return unescapeUser(one) === unescapeUser(other);
}

function sameParams(one: string, other: string): boolean {
  const left = asMap(paramList(one));
  const right = asMap(paramList(other));
  for (const [name, value] of left) {
    const there = right.get(name);
    if (there === undefined ? TELLING.has(name) : there !== value) return false;
  }
  for (const name of right.keys()) {
    if (TELLING.has(name) && !left.has(name)) return false;
  }
  return true;
}

/** Header components never default: each must stand on both sides, in any order. */
function sameHeaders(one: string, other: string): boolean {
  const left = headerList(one);
  const right = headerList(other);
  return left.length === right.length && left.every((header, index) => header === right[index]);
}

function headerList(headers: string): string[] {
  const list = headers.split("&", MAX_LIST_VALUES).map((header) => {
    const equals = header.indexOf("=");
    const name = equals < 0 ? header : header.slice(0, equals);
    return `${unescapeUser(name).toLowerCase()}=${unescapeUser(equals < 0 ? "" : header.slice(equals + 1))}`;
  });
  return list.sort();
}

function asMap(params: [string, string][]): Map<string, string> {
  const map = new Map<string, string>();
  for (const [name, value] of params)
    map.set(unescapeUser(name).toLowerCase(), unescapeUser(value).toLowerCase());
  return map;
}
