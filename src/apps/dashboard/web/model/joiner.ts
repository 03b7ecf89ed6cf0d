/**
 * Joins sendings to receipts while a trace grows, as `apps/trace/deliveries.ts` does for a whole one. Records of two
 * processes may come in either order, and a receipt may stand before its sending. A message is looked into when
 * somebody looks at it: most of a hundred thousand are never seen.
 */
import type { Delivery } from "../../../trace/deliveries.ts";
import { type Glimpse, glimpse } from "../../../trace/glimpse.ts";
import { field, type Places, type TraceRecord } from "../../../trace/record.ts";

/** Two processes' clocks are set beside each other to about this, in milliseconds. */
const CLOCK_SLACK_MS = 20;

/** The same bytes on the same way. */
interface Twins {
  readonly sent: Delivery[];
  /** Receipts that no sending is known of. */
  readonly strangers: Delivery[];
}

/** From one place to another over one transport. */
interface Way {
  readonly transport: string;
  readonly source: string;
  readonly destination: string;
  readonly from: string;
  readonly to: string;
  readonly messages: Map<string, Twins>;
}

class LazyDelivery implements Delivery {
  readonly record: TraceRecord;
  readonly again: boolean;
  readonly at: number;
  readonly data: string;
  arrivedAt: number | undefined;
  lost = false;
  readonly #way: Way;
  #seen: Glimpse | undefined;

  constructor(record: TraceRecord, way: Way, again: boolean, arrivedAt: number | undefined) {
    this.record = record;
    this.#way = way;
    this.again = again;
    this.at = record.at;
    this.data = field(record, "data");
    this.arrivedAt = arrivedAt;
  }

  get transport(): string {
    return this.#way.transport;
  }

  get source(): string {
    return this.#way.source;
  }

  get destination(): string {
    return this.#way.destination;
  }

  get from(): string {
    return this.#way.from;
  }

  get to(): string {
    return this.#way.to;
  }

  get seen(): Glimpse {
    this.#seen ??= glimpse(this.data);
    return this.#seen;
  }
}

export class Joiner {
  readonly #places: Places;
  readonly #ways = new Map<string, Way>();

  constructor(places: Places) {
    this.#places = places;
  }

  /** The delivery that a record begins, or undefined if it completes one that is known. */
  add(record: TraceRecord): Delivery | undefined {
    switch (record.event) {
      case "message.sent":
        return this.#sent(record);
      case "message.received":
        return this.#received(record);
      default:
        return this.#captured(record);
    }
  }

  #sent(record: TraceRecord): Delivery | undefined {
    const way = this.#way(record, "local", "remote");
    const twins = twinsOf(way, record);
    const known = twins.strangers.findIndex((one) => one.at >= record.at - CLOCK_SLACK_MS);
    if (known >= 0) {
      const [stranger] = twins.strangers.splice(known, 1) as [Delivery];
      twins.sent.push(stranger);
      return undefined;
    }
    const delivery = new LazyDelivery(record, way, twins.sent.length > 0, undefined);
    twins.sent.push(delivery);
    return delivery;
  }

  #received(record: TraceRecord): Delivery | undefined {
    const way = this.#way(record, "remote", "local");
    const twins = twinsOf(way, record);
    const latest = twins.sent.findLast(
      (one) => one.arrivedAt === undefined && one.at <= record.at + CLOCK_SLACK_MS,
    );
    if (latest !== undefined) {
      latest.arrivedAt = record.at;
      return undefined;
    }
    const delivery = new LazyDelivery(record, way, false, record.at);
    twins.strangers.push(delivery);
    return delivery;
  }

  /** Seen on the wire by somebody else: both ends at once. */
  #captured(record: TraceRecord): Delivery {
    const way = this.#way(record, "source", "destination");
    const twins = twinsOf(way, record);
    const delivery = new LazyDelivery(record, way, twins.sent.length > 0, record.at);
    twins.sent.push(delivery);
    return delivery;
  }

  #way(record: TraceRecord, sourceField: string, destinationField: string): Way {
    const transport = field(record, "transport");
    const source = field(record, sourceField);
    const destination = field(record, destinationField);
    const key = `${transport} ${source}>${destination}`;
    let way = this.#ways.get(key);
    if (way === undefined) {
      const from = this.#places.nameOf(source) ?? source;
      const to = this.#places.nameOf(destination) ?? destination;
      way = { transport, source, destination, from, to, messages: new Map() };
      this.#ways.set(key, way);
    }
    return way;
  }
}

function twinsOf({ messages }: Way, record: TraceRecord): Twins {
  const data = field(record, "data");
  let twins = messages.get(data);
  if (twins === undefined) {
    twins = { sent: [], strangers: [] };
    messages.set(data, twins);
  }
  return twins;
}
