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
  return someToken(headers, name, (line, start, end) =>
    exact ? line.slice(start, end) === token : matches(line, start, end, lower),
  );
}

/** Whether `test` says so of one of the first tokens. */
function someToken(
  headers: Headers,
  name: string | HeaderName,
  test: (line: string, start: number, end: number) => boolean,
): boolean {
  let seen = 0;
  for (let at = headers.indexOf(name); at >= 0; at = headers.indexOf(name, at + 1)) {
    const line = headers.valueAt(at);
    for (let start = 0; start <= line.length && seen < MAX_LIST_VALUES; ) {
      const comma = line.indexOf(",", start);
      const end = comma < 0 ? line.length : comma;
      const from = skipBlank(line, start, end);
      const to = trimEnd(line, from, end);
      start = end + 1;
      if (to === from) continue;
      seen += 1;
      if (test(line, from, to)) return true;
    }
  }
  return false;
}
