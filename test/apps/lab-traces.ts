/** Traces written by hand for the tests of ladder, pcap and judge. Times in milliseconds. */
import type { TraceRecord } from "../../src/apps/trace/record.ts";

const PHONE = "127.0.0.21:40000";

export const PLACES: readonly TraceRecord[] = [
  place("alice", "127.0.0.21", 0),
  place("primary", "127.0.0.13", 5060),
  place("fallback", "127.0.0.15", 5060),
];

export function place(name: string, address: string, port: number): TraceRecord {
  return { at: 0, node: "stage", event: "place.named", name, address, port };
}

export function happened(
  at: number,
  node: string,
  event: string,
  fields: Record<string, string | number | boolean> = {},
): TraceRecord {
  return { at, node, event, ...fields };
}

export function request(method: string, branch: string, cseq = 1): string {
  return [
    `${method} sip:lab.test SIP/2.0`,
    `Via: SIP/2.0/UDP ${PHONE};branch=z9hG4bK${branch}`,
    "Max-Forwards: 70",
    "From: <sip:2001@lab.test>;tag=a",
    "To: <sip:2001@lab.test>",
    "Call-ID: one@lab.test",
    `CSeq: ${cseq} ${method}`,
    `Contact: <sip:2001@${PHONE}>`,
    "Content-Length: 0",
    "\r\n",
  ].join("\r\n");
}

export function response(status: number, reason: string, method: string, branch: string): string {
  return [
    `SIP/2.0 ${status} ${reason}`,
    `Via: SIP/2.0/UDP ${PHONE};branch=z9hG4bK${branch}`,
    "From: <sip:2001@lab.test>;tag=a",
    "To: <sip:2001@lab.test>;tag=b",
    "Call-ID: one@lab.test",
    `CSeq: 1 ${method}`,
    "Content-Length: 0",
    "\r\n",
  ].join("\r\n");
}

/** The two records of a message: `arrives` undefined when it was lost. */
export function message(
  at: number,
  arrives: number | undefined,
  from: [node: string, local: string],
  to: [node: string, local: string],
  text: string,
  transport = "udp",
): TraceRecord[] {
  const data = Buffer.from(text, "latin1").toString("base64");
  const records: TraceRecord[] = [
    {
      at,
      node: from[0],
      event: "message.sent",
      transport,
      local: from[1],
      remote: to[1],
      data,
    },
  ];
  if (arrives !== undefined) {
    records.push({
      at: arrives,
      node: to[0],
      event: "message.received",
      transport,
      local: to[1],
      remote: from[1],
      data,
    });
  }
  return records;
}

export const ALICE: [string, string] = ["alice", PHONE];
export const PRIMARY: [string, string] = ["primary", "127.0.0.13:5060"];
export const FALLBACK: [string, string] = ["fallback", "127.0.0.15:5060"];

/** A phone whose working server falls silent while it registers (R1 of the makers' sequences). */
export function fallbackTrace(): TraceRecord[] {
  const first = request("REGISTER", "1");
  const second = request("REGISTER", "2");
  return [
    ...PLACES,
    happened(0, "primary", "server.frozen"),
    ...[100, 600, 1600, 3600].flatMap((at) => message(at, undefined, ALICE, PRIMARY, first)),
    happened(7600, "alice", "request.failed-over", {
      method: "REGISTER",
      from: "udp:127.0.0.13:5060",
      to: "udp:127.0.0.15:5060",
      why: "timeout",
    }),
    ...message(7600, 7601, ALICE, FALLBACK, second),
    ...message(7602, 7603, FALLBACK, ALICE, response(200, "OK", "REGISTER", "2")),
    happened(7603, "alice", "registration.accepted", {
      account: 1,
      server: 2,
      target: "udp:127.0.0.15:5060",
      expires: 60,
    }),
    happened(7603, "alice", "server.fell-back", { account: 1, from: 1, to: 2 }),
  ];
}
