/**
 * What an onlooker reads off a SIP message without judging it (RFC 3261 §7): enough for a label and for telling
 * a retransmission from a new request. It takes anything, malformed too, since a trace must show what was there.
 */

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
  const text = Buffer.from(data, "base64").toString("latin1");
  if (/^[\r\n\0]*$/.test(text)) return { ...NOTHING, label: "keep-alive" };
  const end = text.search(/\r?\n\r?\n/);
  const head = end < 0 ? text : text.slice(0, end);
  const cseq = header(head, "cseq").split(/\s+/);
  const common = {
    callId: header(head, "call-id|i"),
    cseq: Number(cseq[0]) || 0,
    branch: /;\s*branch\s*=\s*([^;,\s]+)/i.exec(header(head, "via|v"))?.[1] ?? "",
  };
  const response = /^SIP\/2\.0 +(\d{3}) *([^\r\n]*)/i.exec(head);
  if (response !== null) {
    const label = `${response[1]} ${response[2]}`.trim();
    return { ...common, label, method: cseq[1] ?? "", status: Number(response[1]) };
  }
  const request = /^([A-Z]+) +\S+ +SIP\/2\.0/i.exec(head);
  if (request === null) return NOTHING;
  const method = request[1] as string;
  return { ...common, label: method, method, status: 0 };
}

function header(head: string, names: string): string {
  return new RegExp(`^(?:${names})[ \\t]*:[ \\t]*(.*)$`, "im").exec(head)?.[1]?.trim() ?? "";
}
