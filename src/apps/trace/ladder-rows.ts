/** What a ladder shows of a trace, in order: messages as they were delivered, decisions, and servers' fates. */
import type { Tone } from "./canvas.ts";
import { type Delivery, deliveries } from "./deliveries.ts";
import { field, Places, type TraceRecord } from "./record.ts";
import { Registrations } from "./registrations.ts";

/** How a lifeline stands from a row on. */
export type Life = "up" | "suspect" | "frozen" | "down";

export type LadderRow =
  | {
      readonly kind: "message";
      readonly at: number;
      readonly from: string;
      readonly to: string;
      readonly label: string;
      readonly tone: Tone;
      readonly again: boolean;
      readonly lost: boolean;
      /** It arrived long after: whoever it is for was frozen, or the network slow. */
      readonly late: boolean;
    }
  | {
      /** Words beside one lifeline. */
      readonly kind: "note";
      readonly at: number;
      readonly on: string;
      readonly mark: string;
      readonly text: string;
      readonly tone: Tone;
      readonly life?: Life;
    }
  | {
      /** A request that leaves one target for the next, and why. */
      readonly kind: "failover";
      readonly at: number;
      readonly on: string;
      readonly from: string;
      readonly to: string;
      readonly text: string;
    };

/** An arrival later than this is told in the label, in milliseconds. */
const LATE_MS = 200;

/** What calls report of their sound stands in the event stream; a ladder is of signalling. */
const MEDIA: readonly string[] = ["media", "heard"];

/** The rows of a whole trace. `places` knows nodes that the records themselves do not name. */
export function ladderRows(records: readonly TraceRecord[], places?: Places): LadderRow[] {
  const names = places ?? new Places(records);
  const registrations = new Registrations();
  const messages = new Map(deliveries(records, names).map((one) => [one.record, messageRow(one)]));
  return records
    .map((record) => messages.get(record) ?? eventRow(record, names, registrations))
    .filter((row) => row !== undefined)
    .sort((a, b) => a.at - b.at);
}

/** A message as it is drawn. */
export function messageRow(delivery: Delivery): LadderRow {
  const late = (delivery.arrivedAt ?? delivery.at) - delivery.at;
  const { label, status } = delivery.seen;
  return {
    kind: "message",
    at: delivery.at,
    from: delivery.from,
    to: delivery.to,
    label: late > LATE_MS ? `${label} (+${(late / 1000).toFixed(1)} s)` : label,
    tone: statusTone(status),
    again: delivery.again,
    lost: delivery.lost,
    late: late > LATE_MS,
  };
}

function statusTone(status: number): Tone {
  if (status === 0) return "request";
  if (status < 200) return "plain";
  if (status < 300) return "good";
  if (status < 400) return "redirect";
  return status < 500 ? "refused" : "bad";
}

/** Undefined: an event that a ladder does not show. */
export function eventRow(
  record: TraceRecord,
  places: Places,
  registrations: Registrations,
): LadderRow | undefined {
  if (registrations.renews(record)) return undefined;
  const place = (name: string): string => {
    const value = field(record, name);
    return places.nameOf(value) ?? value;
  };
  const note = (mark: string, text: string, tone: Tone, on = record.node): LadderRow => ({
    kind: "note",
    at: record.at,
    on,
    mark,
    text,
    tone,
  });
  switch (record.event) {
    case "registration.accepted":
      return note("●", `registered at ${place("target")}`, "good");
    case "registration.failed":
      return note(
        "○",
        `not registered at ${place(field(record, "target") === "" ? "name" : "target")}: ${reason(record)}`,
        "bad",
      );
    case "registration.removed":
      return note("○", `unregistered from server ${field(record, "server")}`, "faint");
    case "request.failed-over":
      return {
        kind: "failover",
        at: record.at,
        on: record.node,
        from: place("from"),
        to: place("to"),
        text: `${field(record, "method")} fails over: ${reason(record)}`,
      };
    case "server.fell-back":
      return note("▼", `fell back: server ${place("from")} to ${place("to")}`, "warn");
    case "server.failed-back":
      return note("▲", `failed back: ${wayBack(record, place)} ${mode(record)}`, "good");
    case "server.failback-deferred":
      return note("△", `stays at ${place("fromTarget")} until idle ${mode(record)}`, "warn");
    case "server.suspected":
      return {
        ...note("!", `suspected by ${record.node}: ${reason(record)}`, "warn", place("target")),
        life: "suspect",
      } as LadderRow;
    case "server.restored":
      return {
        ...note("•", `trusted again by ${record.node}`, "good", place("target")),
        life: "up",
      } as LadderRow;
    case "timer.rang":
      return tick(record, note);
    default:
      return fateRow(record, note) ?? callRow(record, note);
  }
}

type Note = (mark: string, text: string, tone: Tone, on?: string) => LadderRow;

/** Timers that end a transaction in vain; the others show as what they resend. */
const LAST_TIMERS: readonly string[] = ["B", "F", "H"];

function tick(record: TraceRecord, note: Note): LadderRow | undefined {
  const letter = field(record, "timer");
  if (!LAST_TIMERS.includes(letter)) return undefined;
  return note("┼", `timer ${letter}`, "warn");
}

/** What was done to a server, as the runner of a scenario notes it. */
function fateRow(record: TraceRecord, note: Note): LadderRow | undefined {
  switch (record.event) {
    case "server.killed":
    case "phone.killed":
      return { ...note("╳", "killed", "bad"), life: "down" } as LadderRow;
    case "server.halted":
    case "phone.halted":
      return { ...note("╳", "stopped", "bad"), life: "down" } as LadderRow;
    case "server.frozen":
    case "phone.frozen":
      return { ...note("╳", "frozen", "bad"), life: "frozen" } as LadderRow;
    case "server.revived":
    case "phone.revived":
      return { ...note("◉", "revived", "good"), life: "up" } as LadderRow;
    case "server.disturbed":
      return note("!", field(record, "how"), "warn");
    case "way.disturbed":
      return note("!", `${field(record, "how")} ${field(record, "with")}`.trim(), "warn");
    case "dns.disturbed":
      return note("!", `DNS ${field(record, "how")}`, "warn");
    default:
      return undefined;
  }
}

function callRow(record: TraceRecord, note: Note): LadderRow | undefined {
  const [noun, verb] = record.event.split(".");
  if (noun !== "call" || verb === undefined || MEDIA.includes(verb)) return undefined;
  const tone = verb === "answered" ? "good" : "plain";
  const why = field(record, "why");
  return note("☎", `call ${verb}${why === "" ? "" : `: ${why}`}`, tone);
}

/** Between targets of one server, or between servers. */
function wayBack(record: TraceRecord, place: (name: string) => string): string {
  if (field(record, "toTarget") !== "") return `${place("fromTarget")} to ${place("toTarget")}`;
  return `server ${field(record, "from")} to ${field(record, "to")}`;
}

function reason(record: TraceRecord): string {
  const status = field(record, "status");
  const why = field(record, "why");
  return status === "" || status === "0" ? why : `${why} ${status}`.trim();
}

function mode(record: TraceRecord): string {
  const text = field(record, "mode");
  return text === "" ? "" : `(${text})`;
}
