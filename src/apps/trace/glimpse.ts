/**
 * What an onlooker reads off a SIP message without judging it (RFC 3261 §7): enough for a label and for telling
 * a retransmission from a new request. It takes anything, malformed too, since a trace must show what was there.
 */
import { textOfBase64 } from "../../api/base64.ts";

export interface Glimpse {
  /** `REGISTER`, `200 OK`, `keep-alive`, or `…` for bytes that are no SIP. */
  readonly label: string;
  /** Of the request, or of the request that a response answers. */
  readonly method: string;
  /** Of a response; 0 for a request. */
  readonly status: number;
  readonly callId: string;
  readonly cseq: number;
  readonly branch: string;
}

const NOTHING: Glimpse = { label: "…", method: "", status: 0, callId: "", cseq: 0, branch: "" };

/** Looks at the base64 bytes of a `message.sent` or `message.received`. */
export function glimpse(data: string): Glimpse {
  const text = textOfBase64(data);
  if (/^[\r\n\0]*$/.test(text)) return { ...NOTHING, label: "keep-alive" };
  const found = { callId: "", cseq: "", via: "" };
  const first = endOfLine(text, 0);
  for (let start = next(text, first); start < text.length; ) {
    const end = endOfLine(text, start);
    if (end === start) break;
    readLine(text, start, end, found);
    start = next(text, end);
  }
  const [number, cseqMethod] = found.cseq.split(/\s+/);
  const branch = /;\s*branch\s*=\s*([^;,\s]+)/i.exec(found.via)?.[1] ?? "";
  const common = { callId: found.callId, cseq: Number(number) || 0, branch };
  const startLine = text.slice(0, first);
  const response = /^SIP\/2\.0 +(\d{3}) *([^\r\n]*)/i.exec(startLine);
  if (response !== null) {
    const label = `${response[1]} ${response[2]}`.trim();
    return { ...common, label, method: cseqMethod ?? "", status: Number(response[1]) };
  }
  const request = /^([A-Z]+) +\S+ +SIP\/2\.0/i.exec(startLine);
  if (request === null) return NOTHING;
  const method = request[1] as string;
  return { ...common, label: method, method, status: 0 };
}

/** Where a line ends, its CR not counted. */
function endOfLine(text: string, start: number): number {
  const newline = text.indexOf("\n", start);
  const end = newline < 0 ? text.length : newline;
  return end > start && text[end - 1] === "\r" ? end - 1 : end;
}

function next(text: string, end: number): number {
  return end + (text[end] === "\r" ? 2 : 1);
}

const FIELDS: ReadonlyMap<string, "callId" | "cseq" | "via"> = new Map([
  ["call-id", "callId"],
  ["i", "callId"],
  ["cseq", "cseq"],
  ["via", "via"],
  ["v", "via"],
]);
/** The longest of their names, and some white space. */
const NAME_ROOM = 12;

/** The first of each header counts. */
function readLine(
  text: string,
  start: number,
  end: number,
  found: { callId: string; cseq: string; via: string },
): void {
  const colon = text.indexOf(":", start);
  if (colon < 0 || colon >= end || colon - start > NAME_ROOM) return;
  const key = FIELDS.get(text.slice(start, colon).trimEnd().toLowerCase());
  if (key !== undefined && found[key] === "") found[key] = text.slice(colon + 1, end).trim();
}
