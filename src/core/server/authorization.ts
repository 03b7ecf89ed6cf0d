/** The credentials a client sends: Authorization and Proxy-Authorization of the Digest scheme (RFC 7616 §3.4). */
import {
  COMMA,
  EQUALS,
  isBlankCode,
  matches,
  QUOTE,
  quotedEnd,
  trimEnd,
  unquote,
} from "../message/lexer.ts";

export interface Authorization {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  /** As written; empty: none, which means MD5. */
  readonly algorithm: string;
  readonly cnonce: string;
  /** Eight hexadecimal digits as written; empty without qop. */
  readonly nc: string;
  readonly qop: string;
}

type Field = keyof Authorization;

const FIELDS: ReadonlySet<string> = new Set<Field>([
  "username",
  "realm",
  "nonce",
  "uri",
  "response",
  "algorithm",
  "cnonce",
  "nc",
  "qop",
]);

/** Parameters looked at: more is no credentials. */
const MAX_PARAMETERS = 32;

/** Undefined if it is another scheme, or no sound list of parameters. */
export function parseAuthorization(value: string): Authorization | undefined {
  if (!matches(value, 0, 6, "digest") || !isBlankCode(value.charCodeAt(6))) return undefined;
  const found: { -readonly [name in Field]: string } = {
    username: "",
    realm: "",
    nonce: "",
    uri: "",
    response: "",
    algorithm: "",
    cnonce: "",
    nc: "",
    qop: "",
  };
  let at = 7;
  for (let count = 0; count < MAX_PARAMETERS; count += 1) {
    while (at < value.length && isSeparator(value.charCodeAt(at))) at += 1;
    if (at >= value.length) return found;
    const equals = value.indexOf("=", at);
    if (equals < 0) return undefined;
    const name = value.slice(at, trimEnd(value, at, equals)).toLowerCase();
    let start = equals + 1;
    while (start < value.length && isBlankCode(value.charCodeAt(start))) start += 1;
    let end: number;
    if (value.charCodeAt(start) === QUOTE) {
      end = quotedEnd(value, start, value.length);
      if (end < 0) return undefined;
      at = end;
    } else {
      end = start;
      while (end < value.length && !ends(value.charCodeAt(end))) end += 1;
      at = end;
    }
    if (FIELDS.has(name)) found[name as Field] = unquote(value.slice(start, end));
  }
  return undefined;
}

function isSeparator(code: number): boolean {
  return code === COMMA || isBlankCode(code);
}

function ends(code: number): boolean {
  return code === COMMA || code === EQUALS || isBlankCode(code);
}
