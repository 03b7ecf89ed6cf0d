/** The flows of one transport layer, found by number for what comes in and by place for what goes out. */
import { FlowMap } from "../flow-map.ts";
import type { FlowId, Opening, Target } from "../machine.ts";
import type { FlowRecord } from "./flow-record.ts";

/**
 * Up to here the flows of one listener are searched one by one: a phone has a few, a server many. So are those of a
 * server with one address: seldom more than one.
 */
const FEW_FLOWS = 8;

/** Flows with one address: a chain of a few, or all by place. */
type Nearby = FlowRecord | Map<string, FlowRecord>;

/** The flows that share a listener: a chain of a few, or all by address, a text that they have anyway. */
type Neighbours = FlowRecord | Map<string, Nearby>;

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
    const nearby = neighbours instanceof Map ? neighbours.get(target.address) : neighbours;
    let record = nearby instanceof Map ? nearby.get(placeOf(target)) : nearby;
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
    if (neighbours instanceof Map) putNear(neighbours, record);
    else if (isFew(neighbours)) {
      record.sibling = neighbours;
      this.#byListener.set(from, record);
    } else {
      const byAddress = new Map<string, Nearby>();
      for (const one of oldestFirst(neighbours)) putNear(byAddress, one);
      putNear(byAddress, record);
      this.#byListener.set(from, byAddress);
    }
  }

  remove(record: FlowRecord): void {
    const { from } = record;
    this.#byId.delete(record.id);
    const neighbours = this.#byListener.get(from);
    if (neighbours instanceof Map) {
      takeNear(neighbours, record);
      if (neighbours.size === 0) this.#byListener.delete(from);
    } else takeOut(this.#byListener, from, neighbours, record);
    record.sibling = undefined;
  }
}

function putNear(byAddress: Map<string, Nearby>, record: FlowRecord): void {
  const { address } = record.asked;
  const nearby = byAddress.get(address);
  if (nearby instanceof Map) putFirst(nearby, record);
  else if (isFew(nearby)) {
    record.sibling = nearby;
    byAddress.set(address, record);
  } else {
    const byPlace = new Map<string, FlowRecord>();
    for (const one of oldestFirst(nearby)) putFirst(byPlace, one);
    putFirst(byPlace, record);
    byAddress.set(address, byPlace);
  }
}

function takeNear(byAddress: Map<string, Nearby>, record: FlowRecord): void {
  const { address } = record.asked;
  const nearby = byAddress.get(address);
  if (nearby instanceof Map) {
    const place = placeOf(record.asked);
    takeOut(nearby, place, nearby.get(place), record);
    if (nearby.size === 0) byAddress.delete(address);
  } else takeOut(byAddress, address, nearby, record);
}

function takeOut<Key>(
  chains: { set(key: Key, first: FlowRecord): unknown; delete(key: Key): unknown },
  key: Key,
  first: FlowRecord | undefined,
  record: FlowRecord,
): void {
  const left = without(first, record);
  if (left === undefined) chains.delete(key);
  else if (left !== first) chains.set(key, left);
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

function isFew(first: FlowRecord | undefined): boolean {
  let length = 0;
  for (let at = first; at !== undefined; at = at.sibling) length += 1;
  return length < FEW_FLOWS;
}

function oldestFirst(first: FlowRecord | undefined): FlowRecord[] {
  const chain: FlowRecord[] = [];
  for (let at = first; at !== undefined; at = at.sibling) chain.unshift(at);
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
