/** A decision in words: what was decided, why, and which line of which file said so. */
import { field, type TraceRecord } from "../../../trace/record.ts";
import type { ShownPhone } from "../../protocol.ts";
import type { Trace } from "./trace.ts";

/** Why an attempt failed, for people. */
const REASONS: Readonly<Record<string, string>> = {
  refused:
    "the port is closed: the system there refused at once (ICMP port unreachable, or a refused connection)",
  unreachable: "there is no way to that address",
  reset: "the peer reset the connection",
  closed: "the peer closed the connection",
  timeout: "nobody answered, after all resends",
  tls: "the TLS handshake or the certificate failed",
  transport: "the transport failed",
  hedged: "nobody answered while another server did",
  "not-idle": "a call is up or ringing, and it is not to be disturbed",
  "no-targets": "the server's name led to no address",
  quiet: "every server had asked to be left alone for a while",
  rejected: "the server rejected it",
  "503": "the server answered 503 Service Unavailable",
};

const DECISIONS: readonly string[] = [
  "request.failed-over",
  "server.fell-back",
  "server.failed-back",
  "server.failback-deferred",
  "server.suspected",
  "server.restored",
  "server.resolved",
  "registration.accepted",
  "registration.failed",
  "registration.removed",
  "attempt.failed",
  "subscription.moved",
];

export function isDecision(record: TraceRecord): boolean {
  return DECISIONS.includes(record.event) || "rule" in record;
}

/** One sentence. */
export function sentenceOf(record: TraceRecord, trace: Trace): string {
  const place = (name: string): string => {
    const value = field(record, name);
    return trace.places.nameOf(value) ?? value;
  };
  const who = record.node;
  const method = field(record, "method");
  switch (record.event) {
    case "request.failed-over":
      return `${who} sends its ${method} to ${place("to")} instead of ${place("from")}`;
    case "attempt.failed":
      return `${method} of ${who} at ${place("target")} failed`;
    case "server.fell-back":
      return `${who} falls back from server ${field(record, "from")} to server ${field(record, "to")}`;
    case "server.failed-back":
      return field(record, "toTarget") === ""
        ? `${who} comes home from server ${field(record, "from")} to server ${field(record, "to")}`
        : `${who} comes home from ${place("fromTarget")} to ${place("toTarget")}`;
    case "server.failback-deferred":
      return `${who} stays at ${place("fromTarget")}, though it is time to come home to ${place("toTarget")}`;
    case "server.suspected":
      return `${who} suspects ${place("target")}`;
    case "server.restored":
      return `${who} trusts ${place("target")} again`;
    case "server.resolved":
      return `${who} finds ${field(record, "name")} at ${namesOf(field(record, "targets"), trace)}`;
    case "registration.accepted":
      return `${who} is registered at ${place("target")} for ${field(record, "expires")} s`;
    case "registration.failed":
      return `${who} could not register at server ${field(record, "server")}`;
    case "registration.removed":
      return `${who} took its registration at server ${field(record, "server")} back`;
    default:
      return `${who}: ${record.event}`;
  }
}

function namesOf(targets: string, trace: Trace): string {
  const names = targets.split(" ").map((target) => trace.places.nameOf(target) ?? target);
  return names.join(", then ");
}

/** Why it was decided so, or "". */
export function reasonOf(record: TraceRecord): string {
  const why = field(record, "why");
  const status = field(record, "status");
  const told = REASONS[why] ?? why;
  if (status !== "" && status !== "0" && !told.includes(status)) return `${told} (${status})`;
  const mode = field(record, "mode");
  return told === "" && mode !== "" ? `failback mode ${mode}` : told;
}

/** What the configuration said: `registerRetries=2`, and where. */
export interface Ground {
  readonly value: string;
  /** Undefined: nobody wrote it, so the default holds. */
  readonly file: string | undefined;
  readonly line: number;
  /** The line and its neighbours, if the file is known here. */
  readonly excerpt: readonly { readonly number: number; readonly text: string }[];
}

const AROUND = 2;

export function groundOf(record: TraceRecord, phones: readonly ShownPhone[]): Ground | undefined {
  const match = /^(.*) \((?:default|(.*):(\d+))\)$/.exec(field(record, "rule"));
  if (match === null) return undefined;
  const [, value = "", path, number] = match;
  const file = path?.slice(path.lastIndexOf("/") + 1);
  const line = Number(number ?? 0);
  const phone = phones.find(({ name }) => name === record.node);
  const text = phone?.files.find(({ name }) => name === file)?.text;
  if (text === undefined) return { value, file, line, excerpt: [] };
  const lines = text.split("\n").map((one, index) => ({ number: index + 1, text: one }));
  return { value, file, line, excerpt: lines.slice(Math.max(0, line - 1 - AROUND), line + AROUND) };
}
