/**
 * Comma-separated lists of tokens: Supported, Require, Proxy-Require, Allow, Allow-Events, Unsupported (RFC
 * 3261 §7.3.1).
 */
import type { Headers } from "./headers.ts";
import { skipBlank, trimEnd } from "./lexer.ts";
import { MAX_LIST_VALUES } from "./limits.ts";

/** The values of all lines of that name, as written, in order; empty ones left out. */
export function tokensOf(headers: Headers, name: string): string[] {
  const tokens: string[] = [];
  for (let at = headers.indexOf(name); at >= 0; at = headers.indexOf(name, at + 1)) {
    const line = headers.valueAt(at);
    for (let start = 0; start <= line.length && tokens.length < MAX_LIST_VALUES; ) {
      const comma = line.indexOf(",", start);
      const end = comma < 0 ? line.length : comma;
      const from = skipBlank(line, start, end);
      const to = trimEnd(line, from, end);
      if (to > from) tokens.push(line.slice(from, to));
      start = end + 1;
    }
  }
  return tokens;
}

/** Whether a list names `token`: option tags without case, methods with it (§7.1) where `exact`. */
export function lists(headers: Headers, name: string, token: string, exact = false): boolean {
  const wanted = exact ? token : token.toLowerCase();
  return tokensOf(headers, name).some((found) => (exact ? found : found.toLowerCase()) === wanted);
}
