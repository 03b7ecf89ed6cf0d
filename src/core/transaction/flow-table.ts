/** The flows of one transport layer, found by number for what comes in and by place for what goes out. */
import { FlowMap } from "../flow-map.ts";
import type { FlowId, Opening, Target } from "../machine.ts";
import type { FlowRecord } from "./flow-record.ts";

/** Up to here the flows of one listener are searched one by one: a phone has a few, a server many. */
const FEW_FLOWS = 8;

/** The flows that share a listener: a chain of a few, or all by place. */
type Neighbours = FlowRecord | Map<string, FlowRecord>;

export class FlowTable {
  readonly #byId = new FlowMap<FlowRecord>();
  #added = 0;
  readonly #byListener = new FlowMap<Neighbours>();

  get size(): number {
    return this.#byId.size;
  }

  /** Those of each side in the order in which they were added. */
  values(): Generator<FlowRecord> {
    return this.#byId.values();
  }

  /** In the order in which they were added, whichever side began them. */
  inOrder(): FlowRecord[] {
    return [...this.#byId.values()].sort((one, other) => one.order - other.order);
  }

  find(id: FlowId): FlowRecord | undefined {
    return this.#byId.get(id);
  }

  /** A flow that serves as well as a new one would. */
  match(target: Target, opening: Opening): FlowRecord | undefined {
    const neighbours = this.#byListener.get(opening.from);
    let record = neighbours instanceof Map ? neighbours.get(placeOf(target)) : neighbours;
    while (record !== undefined && !(isAt(record, target) && serves(record, target, opening))) {
      record = record.sibling;
    }
    return record;
  }

  add(record: FlowRecord): void {
    const { from } = record;
    this.#added += 1;
    record.order = this.#added;
    this.#byId.set(record.id, record);
    const neighbours = this.#byListener.get(from);
    if (neighbours instanceof Map) putFirst(neighbours, record);
    else if (neighbours === undefined || lengthOf(neighbours) < FEW_FLOWS) {
      record.sibling = neighbours;
      this.#byListener.set(from, record);
    } else {
      const byPlace = new Map<string, FlowRecord>();
      for (const one of oldestFirst(neighbours)) putFirst(byPlace, one);
      putFirst(byPlace, record);
      this.#byListener.set(from, byPlace);
    }
  }

  remove(record: FlowRecord): void {
    const { from } = record;
    this.#byId.delete(record.id);
    const neighbours = this.#byListener.get(from);
    if (neighbours instanceof Map) {
      const place = placeOf(record.asked);
      const left = without(neighbours.get(place), record);
      if (left === undefined) neighbours.delete(place);
      else neighbours.set(place, left);
      if (neighbours.size === 0) this.#byListener.delete(from);
    } else {
      const left = without(neighbours, record);
      if (left === undefined) this.#byListener.delete(from);
      else if (left !== neighbours) this.#byListener.set(from, left);
    }
    record.sibling = undefined;
  }
}

function putFirst(byPlace: Map<string, FlowRecord>, record: FlowRecord): void {
  const place = placeOf(record.asked);
  record.sibling = byPlace.get(place);
  byPlace.set(place, record);
}

/** @returns the chain as it is then. */
function without(first: FlowRecord | undefined, record: FlowRecord): FlowRecord | undefined {
  if (first === record) return record.sibling;
  let at = first;
  while (at !== undefined && at.sibling !== record) at = at.sibling;
  if (at !== undefined) at.sibling = record.sibling;
  return first;
}

function lengthOf(first: FlowRecord): number {
  let length = 0;
  for (let at: FlowRecord | undefined = first; at !== undefined; at = at.sibling) length += 1;
  return length;
}

function oldestFirst(first: FlowRecord): FlowRecord[] {
  const chain: FlowRecord[] = [];
  for (let at: FlowRecord | undefined = first; at !== undefined; at = at.sibling) chain.unshift(at);
  return chain;
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
function isAt({ asked }: FlowRecord, target: Target): boolean {
  const { transport, address, port } = target;
  return asked.port === port && asked.address === address && asked.transport === transport;
}

/** Joined, since a text put together otherwise is kept as a tree of its parts. */
function placeOf({ transport, address, port }: Target): string {
  return [transport, address, port].join(":");
}
