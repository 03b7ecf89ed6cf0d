/**
 * Joins what one node sent to what another received. A datagram with no matching receipt at a node that
 * keeps a trace was lost; one that comes again unchanged is a retransmission (RFC 3261 §17).
 */
import { type Glimpse, glimpse } from "./glimpse.ts";
import { field, isMessage, Places, type TraceRecord } from "./record.ts";

export interface Delivery {
  /** When it was sent, or received if nobody's trace has the sending. Milliseconds. */
  readonly at: number;
  /** When it came in; undefined if it never did or nobody there kept a trace. */
  arrivedAt: number | undefined;
  readonly transport: string;
  /** `ADDRESS:PORT` of both ends. */
  readonly source: string;
  readonly destination: string;
  /** Names of both ends, or their addresses. */
  readonly from: string;
  readonly to: string;
  /** The raw bytes, base64. */
  readonly data: string;
  readonly seen: Glimpse;
  /** The same bytes went the same way before. */
  readonly again: boolean;
  /** Sent to a node that keeps a trace, which never saw it. */
  lost: boolean;
  /** The record it was first seen in: one process prints what it does in order. */
  readonly record: TraceRecord;
}

/** Two processes' clocks are set beside each other to about this, in milliseconds. */
const CLOCK_SLACK_MS = 20;

/**
 * All messages of a trace in the order of sending. What somebody else captured on the wire (`message.captured {source,
 * destination, data}`) is one record for both ends.
 */
export function deliveries(records: readonly TraceRecord[], places?: Places): Delivery[] {
  const names = places ?? new Places(records);
  const sent: Delivery[] = [];
  const waiting = new Map<string, Delivery[]>();
  const strangers: TraceRecord[] = [];
  for (const record of records) {
    if (record.event !== "message.sent") continue;
    const key = pathOf(record, "local", "remote");
    const earlier = waiting.get(key);
    const delivery = newDelivery(record, names, "local", "remote", earlier !== undefined);
    sent.push(delivery);
    if (earlier === undefined) waiting.set(key, [delivery]);
    else earlier.push(delivery);
  }
  for (const record of records) {
    if (record.event !== "message.received") continue;
    const delivery = claim(waiting.get(pathOf(record, "remote", "local")), record.at);
    if (delivery === undefined) strangers.push(record);
    else delivery.arrivedAt = record.at;
  }
  const traced = new Set(records.filter(isMessage).map((record) => record.node));
  for (const name of names.names) if (!names.isGuest(name)) traced.add(name);
  for (const delivery of sent) {
    delivery.lost = delivery.arrivedAt === undefined && traced.has(delivery.to);
  }
  const captured = records
    .filter((record) => record.event === "message.captured")
    .map((record) => newDelivery(record, names, "source", "destination", false));
  const received = strangers.map((record) => newDelivery(record, names, "remote", "local", false));
  for (const delivery of [...received, ...captured]) delivery.arrivedAt = delivery.at;
  return [...sent, ...received, ...captured].sort((a, b) => a.at - b.at);
}

/** The latest one sent before the receipt: what was resent earlier was lost. */
function claim(candidates: Delivery[] | undefined, receivedAt: number): Delivery | undefined {
  return candidates?.findLast(
    (delivery) => delivery.arrivedAt === undefined && delivery.at <= receivedAt + CLOCK_SLACK_MS,
  );
}

function pathOf(record: TraceRecord, source: string, destination: string): string {
  const transport = field(record, "transport");
  return `${transport} ${field(record, source)}>${field(record, destination)} ${field(record, "data")}`;
}

function newDelivery(
  record: TraceRecord,
  places: Places,
  sourceField: string,
  destinationField: string,
  again: boolean,
): Delivery {
  const source = field(record, sourceField);
  const destination = field(record, destinationField);
  const data = field(record, "data");
  return {
    at: record.at,
    arrivedAt: undefined,
    transport: field(record, "transport"),
    source,
    destination,
    from: places.nameOf(source) ?? source,
    to: places.nameOf(destination) ?? destination,
    data,
    seen: glimpse(data),
    again,
    lost: false,
    record,
  };
}
