/**
 * Joins sendings to receipts while a trace grows, as `apps/trace/deliveries.ts` does for a whole one. Records of two
 * processes may come in either order, and a receipt may stand before its sending.
 */
import { type Delivery, newDelivery } from "../../../trace/deliveries.ts";
import { field, type Places, type TraceRecord } from "../../../trace/record.ts";

/** Two processes' clocks are set beside each other to about this, in milliseconds. */
const CLOCK_SLACK_MS = 20;

/** The same bytes on the same way. */
interface Twins {
  readonly sent: Delivery[];
  /** Receipts that no sending is known of. */
  readonly strangers: Delivery[];
}

export class Joiner {
  readonly #places: Places;
  readonly #ways = new Map<string, Map<string, Twins>>();

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
    const twins = this.#twins(record, "local", "remote");
    const known = twins.strangers.findIndex((one) => one.at >= record.at - CLOCK_SLACK_MS);
    if (known >= 0) {
      const [stranger] = twins.strangers.splice(known, 1) as [Delivery];
      twins.sent.push(stranger);
      return undefined;
    }
    const again = twins.sent.length > 0;
    const delivery = newDelivery(record, this.#places, "local", "remote", again);
    twins.sent.push(delivery);
    return delivery;
  }

  #received(record: TraceRecord): Delivery | undefined {
    const twins = this.#twins(record, "remote", "local");
    const latest = twins.sent.findLast(
      (one) => one.arrivedAt === undefined && one.at <= record.at + CLOCK_SLACK_MS,
    );
    if (latest !== undefined) {
      latest.arrivedAt = record.at;
      return undefined;
    }
    const delivery = newDelivery(record, this.#places, "remote", "local", false);
    delivery.arrivedAt = record.at;
    twins.strangers.push(delivery);
    return delivery;
  }

  /** Seen on the wire by somebody else: both ends at once. */
  #captured(record: TraceRecord): Delivery {
    const twins = this.#twins(record, "source", "destination");
    const again = twins.sent.length > 0;
    const delivery = newDelivery(record, this.#places, "source", "destination", again);
    delivery.arrivedAt = record.at;
    twins.sent.push(delivery);
    return delivery;
  }

  #twins(record: TraceRecord, source: string, destination: string): Twins {
    const way = `${field(record, "transport")} ${field(record, source)}>${field(record, destination)}`;
    let messages = this.#ways.get(way);
    if (messages === undefined) {
      messages = new Map();
      this.#ways.set(way, messages);
    }
    const data = field(record, "data");
    let twins = messages.get(data);
    if (twins === undefined) {
      twins = { sent: [], strangers: [] };
      messages.set(data, twins);
    }
    return twins;
  }
}
