/** Method names. The usual ones come out as the same constant each time: comparing those compares pointers. */
import { isToken } from "./lexer.ts";

/** The method spelled in `text[start, end)`; undefined if that is no token. */
export function methodNamed(text: string, start: number, end: number): string | undefined {
  const method = text.slice(start, end);
  switch (method) {
    case "REGISTER":
      return "REGISTER";
    case "INVITE":
      return "INVITE";
    case "ACK":
      return "ACK";
    case "BYE":
      return "BYE";
    case "CANCEL":
      return "CANCEL";
    case "OPTIONS":
      return "OPTIONS";
    case "SUBSCRIBE":
      return "SUBSCRIBE";
    case "NOTIFY":
      return "NOTIFY";
    default:
      return isToken(method, 0, method.length) ? method : undefined;
  }
}
