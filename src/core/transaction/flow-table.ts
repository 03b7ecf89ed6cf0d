/** The flows of one transport layer, found by number for what comes in and by place for what goes out. */
import type { FlowId, Opening, Target, TransportName } from "../machine.ts";
import type { FlowRecord } from "./flow-record.ts";

export class FlowTable {
  readonly #byId = new Map<FlowId, FlowRecord>();
  readonly #byPlace = new Map<string, FlowRecord>();

  get size(): number {
    return this.#byId.size;
  }

  values(): IterableIterator<FlowRecord> {
    return this.#byId.values();
  }

  find(id: FlowId): FlowRecord | undefined {
    return this.#byId.get(id);
  }

  /** A flow that serves as well as a new one would. */
  match(target: Target, opening: Opening): FlowRecord | undefined {
    const { transport, address, port } = target;
    let record = this.#byPlace.get(placeKey(opening.from, transport, address, port));
    while (record !== undefined && !serves(record, target, opening)) record = record.sibling;
    return record;
  }

  add(record: FlowRecord): void {
    const key = keyOf(record);
    this.#byId.set(record.id, record);
    record.sibling = this.#byPlace.get(key);
    this.#byPlace.set(key, record);
  }

  remove(record: FlowRecord): void {
    const key = keyOf(record);
    this.#byId.delete(record.id);
    let at = this.#byPlace.get(key);
    if (at === record) {
      if (record.sibling === undefined) this.#byPlace.delete(key);
      else this.#byPlace.set(key, record.sibling);
    } else {
      while (at !== undefined && at.sibling !== record) at = at.sibling;
      if (at !== undefined) at.sibling = record.sibling;
    }
    record.sibling = undefined;
  }
}

/**
 * A certificate was checked against one domain and vouches for no other (RFC 5922 §4); and where ICMP errors are
 * to be heard only a connected socket will do.
 */
function serves(record: FlowRecord, target: Target, opening: Opening): boolean {
  if (record.doubtful) return false;
  switch (target.transport) {
    case "udp":
    case "rtp":
      return record.connected || !opening.connected;
    case "tls":
    case "wss":
      return record.asked.domain === target.domain;
    default:
      return true;
  }
}

/** As it was asked for: once the flow is open the world may spell the place otherwise. */
function keyOf(record: FlowRecord): string {
  const { transport, address, port } = record.asked;
  return placeKey(record.from, transport, address, port);
}

/** With the listener in front: phones of one fleet share servers, but no flows. */
function placeKey(from: FlowId, transport: TransportName, address: string, port: number): string {
  return `${from}:${transport}:${address}:${port}`;
}
