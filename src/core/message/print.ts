/** A Message into bytes, and the messages that RFC 3261 derives from another: responses, ACK and CANCEL. */
import { cseqOf, printCSeq } from "./cseq.ts";
import { CONTENT_LENGTH } from "./header-names.ts";
import { Headers, onOneLine } from "./headers.ts";
import { valueEnd } from "./lexer.ts";
import type { Message, Request, Response } from "./message.ts";
import { toOf } from "./name-addr.ts";
import { reasonOf } from "./status.ts";

/**
 * Latin1 text, names in canonical spelling. Content-Length is always that of the body, whatever the header said, and no
 * value can end a line: a CR or LF in one becomes a space.
 */
export function printMessage(message: Message): string {
  const { headers, body } = message;
  const start =
    message.kind === "request"
      ? `${message.method} ${message.uri} SIP/2.0\r\n`
      : `SIP/2.0 ${message.status} ${onOneLine(message.reason)}\r\n`;
  return `${start}${headers.print(CONTENT_LENGTH)}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/**
 * A response with what §8.2.6.2 copies: every Via, From, To, Call-ID, CSeq. `toTag` is added to a To without tag,
 * except in a 100. Record-Route is the business of whoever makes a dialog.
 */
export function responseTo(
  request: Request,
  status: number,
  reason?: string,
  toTag?: string,
): Response {
  const { headers } = request;
  const made = new Headers();
  for (let at = headers.indexOf("via"); at >= 0; at = headers.indexOf("via", at + 1)) {
    made.add("via", headers.valueAt(at));
  }
  copyFirst(headers, made, "from");
  const to = headers.get("to");
  if (to !== undefined) {
    const tagged = toTag === undefined || status === 100 || toOf(headers)?.tag !== undefined;
    made.add("to", tagged ? to : `${to};tag=${toTag}`);
  }
  copyFirst(headers, made, "call-id");
  copyFirst(headers, made, "cseq");
  return { kind: "response", status, reason: reason ?? reasonOf(status), headers: made, body: "" };
}

/** The ACK that the client transaction sends for a final response other than 2xx (§17.1.1.3). */
export function ackFor(request: Request, response: Response): Request {
  return sibling(request, "ACK", response.headers.get("to") ?? "");
}

/** The CANCEL of a request (§9.1). */
export function cancelFor(request: Request): Request {
  return sibling(request, "CANCEL", request.headers.get("to") ?? "");
}

/** A request of the same hop: Request-URI, one Via with the same branch, Route, and CSeq number of the first. */
function sibling(request: Request, method: string, to: string): Request {
  const { headers } = request;
  const made = new Headers();
  const via = headers.get("via");
  if (via !== undefined) made.add("via", via.slice(0, Math.max(0, valueEnd(via, 0))));
  for (let at = headers.indexOf("route"); at >= 0; at = headers.indexOf("route", at + 1)) {
    made.add("route", headers.valueAt(at));
  }
  made.add("max-forwards", "70");
  copyFirst(headers, made, "from");
  made.add("to", to);
  copyFirst(headers, made, "call-id");
  made.add("cseq", printCSeq(cseqOf(headers)?.number ?? 0, method));
  return { kind: "request", method, uri: request.uri, headers: made, body: "" };
}

function copyFirst(from: Headers, to: Headers, name: string): void {
  const value = from.get(name);
  if (value !== undefined) to.add(name, value);
}
