/** One bound address of a simulated process, and the datagram flows that share it: a phone has a few, a server many. */
import type { FlowId, Instant, Local, Peer, TransportName } from "../../core/machine.ts";
import type { StreamEnd } from "./simulated-stream.ts";
import type { DatagramEnd, RemoteHost } from "./surroundings.ts";

/** A datagram pair or a stream end, and both its ends as the machine is told of them: a fleet has millions. */
export class SimulatedFlow implements DatagramEnd {
  readonly id: FlowId;
  readonly transport: TransportName;
  readonly address: string;
  readonly port: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly listener: FlowId;
  /** Datagrams: a socket of its own that hears ICMP and outlives the bound one. */
  readonly connected: boolean;
  /** Streams: this side's end. */
  readonly stream: StreamEnd | undefined;
  /** Datagrams: when the last one passed in either direction, in whole milliseconds. */
  usedAt: Instant;
  /** Datagrams: who has the address at the other end, once somebody was found there; that never changes. */
  remote: RemoteHost | undefined;
  hearer: DatagramEnd | undefined;
  hears = false;
  /** An older flow that shares the bound port. */
  next: SimulatedFlow | undefined;

  constructor(
    id: FlowId,
    peer: Peer,
    connected: boolean,
    stream: StreamEnd | undefined,
    usedAt: Instant,
  ) {
    this.id = id;
    this.transport = peer.transport;
    this.address = peer.address;
    this.port = peer.port;
    this.localAddress = peer.localAddress;
    this.localPort = peer.localPort;
    this.listener = peer.listener;
    this.connected = connected;
    this.stream = stream;
    this.usedAt = usedAt;
  }

  get peer(): Peer {
    return this;
  }

  /** Who sends to it has to look who hears him from now on, and does not keep it alive. */
  turnDeaf(): void {
    this.hears = false;
    if (this.hearer?.hearer === this) this.hearer.hearer = undefined;
  }
}

/** Up to here a list is searched. */
const FEW_PEERS = 6;

/** The flows with one address: a chain, or by port where that address has many. */
type Neighbours = SimulatedFlow | Map<string, SimulatedFlow>;

export class BoundPort implements Local {
  readonly flow: FlowId;
  readonly transport: TransportName;
  readonly address: string;
  readonly port: number;
  /** Another port at the same address. */
  sibling: BoundPort | undefined;
  /** The newest of a few. */
  #first: SimulatedFlow | undefined;
  /** Once there are many. */
  #byAddress: Map<string, Neighbours> | undefined;

  constructor(flow: FlowId, { transport, address }: Local, port: number) {
    this.flow = flow;
    this.transport = transport;
    this.address = address;
    this.port = port;
  }

  *peers(): Generator<SimulatedFlow> {
    if (this.#byAddress === undefined) {
      yield* chainFrom(this.#first);
      return;
    }
    for (const neighbours of this.#byAddress.values()) {
      if (!(neighbours instanceof Map)) yield* chainFrom(neighbours);
      else for (const first of neighbours.values()) yield* chainFrom(first);
    }
  }

  /** A newer flow to the same peer hears him instead of an older one. */
  add(flow: SimulatedFlow): void {
    this.find(flow.localAddress, flow.address, flow.port)?.turnDeaf();
    flow.hears = true;
    if (this.#byAddress !== undefined) {
      addByAddress(this.#byAddress, flow);
      return;
    }
    if (lengthOf(this.#first) < FEW_PEERS) {
      flow.next = this.#first;
      this.#first = flow;
      return;
    }
    const oldestFirst = [...chainFrom(this.#first)].reverse();
    this.#first = undefined;
    this.#byAddress = new Map();
    for (const one of [...oldestFirst, flow]) addByAddress(this.#byAddress, one);
  }

  remove(flow: SimulatedFlow): void {
    flow.turnDeaf();
    if (this.#byAddress === undefined) {
      this.#first = without(this.#first, flow);
      return;
    }
    const { address } = flow.peer;
    const neighbours = this.#byAddress.get(address);
    if (neighbours instanceof Map) {
      const key = keyOf(flow);
      takeOut(neighbours, key, neighbours.get(key), flow);
      if (neighbours.size === 0) this.#byAddress.delete(address);
    } else takeOut(this.#byAddress, address, neighbours, flow);
  }

  /** The flow between these two ends; `localAddress` is this side's. */
  find(localAddress: string, address: string, port: number): SimulatedFlow | undefined {
    const neighbours = this.#byAddress === undefined ? this.#first : this.#byAddress.get(address);
    if (neighbours instanceof Map) return neighbours.get(portKey(port, localAddress));
    let flow = neighbours;
    while (flow !== undefined && !isBetween(flow.peer, localAddress, address, port)) {
      flow = flow.next;
    }
    return flow;
  }
}

function addByAddress(byAddress: Map<string, Neighbours>, flow: SimulatedFlow): void {
  const { address } = flow.peer;
  const neighbours = byAddress.get(address);
  if (neighbours instanceof Map) putFirst(neighbours, flow);
  else if (lengthOf(neighbours) < FEW_PEERS) {
    flow.next = neighbours;
    byAddress.set(address, flow);
  } else {
    const oldestFirst = [...chainFrom(neighbours)].reverse();
    const byPort = new Map<string, SimulatedFlow>();
    for (const one of [...oldestFirst, flow]) putFirst(byPort, one);
    byAddress.set(address, byPort);
  }
}

function putFirst(byPort: Map<string, SimulatedFlow>, flow: SimulatedFlow): void {
  const key = keyOf(flow);
  flow.next = byPort.get(key);
  byPort.set(key, flow);
}

function takeOut(
  map: { set(key: string, first: SimulatedFlow): unknown; delete(key: string): unknown },
  key: string,
  first: SimulatedFlow | undefined,
  flow: SimulatedFlow,
): void {
  const left = without(first, flow);
  if (left === undefined) map.delete(key);
  else if (left !== first) map.set(key, left);
}

function isBetween(peer: Peer, localAddress: string, address: string, port: number): boolean {
  return peer.port === port && peer.address === address && peer.localAddress === localAddress;
}

function* chainFrom(first: SimulatedFlow | undefined): Generator<SimulatedFlow> {
  for (let flow = first; flow !== undefined; flow = flow.next) yield flow;
}

function lengthOf(first: SimulatedFlow | undefined): number {
  let length = 0;
  for (let flow = first; flow !== undefined; flow = flow.next) length += 1;
  return length;
}

/** @returns the chain as it is then. */
function without(first: SimulatedFlow | undefined, flow: SimulatedFlow): SimulatedFlow | undefined {
  if (first === flow) return flow.next;
  let at = first;
  while (at !== undefined && at.next !== flow) at = at.next;
  if (at !== undefined) at.next = flow.next;
  return first;
}

function keyOf({ peer }: SimulatedFlow): string {
  return portKey(peer.port, peer.localAddress);
}

function portKey(port: number, localAddress: string): string {
  return `${port}|${localAddress}`;
}
