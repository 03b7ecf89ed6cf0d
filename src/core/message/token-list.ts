/**
 * Comma-separated lists of tokens: Supported, Require, Proxy-Require, Allow, Allow-Events, Unsupported (RFC
 * 3261 §7.3.1).
 */
import type { HeaderName } from "./header-names.ts";
import type { Headers } from "./headers.ts";
import { matches, skipBlank, trimEnd } from "./lexer.ts";
import { MAX_LIST_VALUES } from "./limits.ts";

/** The values of all lines of that name, as written, in order; empty ones left out. */
export function tokensOf(headers: Headers, name: string | HeaderName): string[] {
  const tokens: string[] = [];
  someToken(headers, name, (line, start, end) => {
    tokens.push(line.slice(start, end));
    return false;
  });
  return tokens;
}

/** Whether a list names `token`: option tags without case, methods with it (§7.1) where `exact`. */
export function lists(
  headers: Headers,
  name: string | HeaderName,
  token: string,
  exact = false,
): boolean {
  const lower = token.toLowerCase();
  return someToken(headers, name, (text, start, end) =>
    exact ? text.slice(start, end) === token : matches(text, start, end, lower),
  );
}

type TokenTest = (text: string, start: number, end: number) => boolean;

/** Whether `test` says so of one of the first tokens. */
function someToken(headers: Headers, name: string | HeaderName, test: TokenTest): boolean {
  let left = MAX_LIST_VALUES;
  const read = (text: string, lineStart: number, lineEnd: number): boolean => {
    for (let start = lineStart; start <= lineEnd && left > 0; ) {
      const comma = text.indexOf(",", start);
      const end = comma < 0 || comma > lineEnd ? lineEnd : comma;
      const from = skipBlank(text, start, end);
      const to = trimEnd(text, from, end);
      start = end + 1;
      if (to === from) continue;
      left -= 1;
      if (test(text, from, to)) return true;
    }
    return false;
  };
  for (let at = headers.indexOf(name); at >= 0; at = headers.indexOf(name, at + 1)) {
    if (headers.readAt(at, read) === true) return true;
  }
  return false;
}
