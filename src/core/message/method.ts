/** Method names. The usual ones come out as the same constant each time: comparing those compares pointers. */
import { isToken } from "./lexer.ts";

const USUAL = "REGISTER INVITE ACK BYE CANCEL OPTIONS SUBSCRIBE NOTIFY".split(" ");

/** Initial and length tell them apart. */
const BY_PLACE: readonly (string | undefined)[] = Array.from({ length: 32 }, (_, place) =>
  USUAL.find((method) => placeOf(method, 0, method.length) === place),
);

/** The method spelled in `text[start, end)`; undefined if that is no token. */
export function methodNamed(text: string, start: number, end: number): string | undefined {
  const method = text.slice(start, end);
  const usual = BY_PLACE[placeOf(text, start, end)];
  if (method === usual) return usual;
  return isToken(method, 0, method.length) ? method : undefined;
}

function placeOf(text: string, start: number, end: number): number {
  return (text.charCodeAt(start) + end - start) & 31;
}
