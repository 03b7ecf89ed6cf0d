/** The flows and bound ports of one simulated process, and the keys under which packets find them. */
import type {
  FlowId,
  Instant,
  Local,
  Opening,
  Peer,
  Target,
  TransportName,
} from "../../core/machine.ts";
import type { StreamEnd } from "./simulated-stream.ts";

/** One bound address, and the datagram flows that share it: a phone has a few, a server many. */
export interface BoundPort {
  readonly flow: FlowId;
  readonly local: Local;
  first: SimulatedFlow | undefined;
  count: number;
  /** By peer, once there are many. */
  byPeer: Map<string, SimulatedFlow> | undefined;
}

/** A datagram pair or a stream end. */
export interface SimulatedFlow {
  readonly id: FlowId;
  readonly peer: Peer;
  /** Datagrams: a socket of its own that hears ICMP and outlives the bound one. */
  readonly connected: boolean;
  /** Streams: this side's end. */
  readonly stream: StreamEnd | undefined;
  /** Datagrams: when the last one passed in either direction. */
  usedAt: Instant;
  /** The next flow that shares the bound port. */
  next: SimulatedFlow | undefined;
}

const FIRST_EPHEMERAL_PORT = 32_768;
/** Up to here a list is searched. */
const FEW_PEERS = 6;

export function isDatagram(transport: TransportName): boolean {
  return transport === "udp" || transport === "rtp";
}

export function isUnspecified(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

/** The same pair as the other end sees it. */
export function turned(peer: Peer, listener: FlowId): Peer {
  return {
    transport: peer.transport,
    address: peer.localAddress,
    port: peer.localPort,
    localAddress: peer.address,
    localPort: peer.port,
    listener,
  };
}

/** All that one process holds of the network. */
export class Holdings {
  readonly flows: Map<FlowId, SimulatedFlow> = new Map();
  readonly #bound = new Map<FlowId, BoundPort>();
  /** By address; usually one or two ports stand at one. */
  readonly #ports = new Map<string, readonly BoundPort[]>();
  /** Datagram flows that share no bound port, by both ends. */
  readonly #loose = new Map<string, SimulatedFlow>();
  #lastPort = FIRST_EPHEMERAL_PORT;

  get size(): number {
    return this.flows.size + this.#bound.size;
  }

  boundAs(flow: FlowId): BoundPort | undefined {
    return this.#bound.get(flow);
  }

  /** Both ends of a flow to be opened from a host with these addresses. */
  peerFor(addresses: readonly string[], target: Target, opening: Opening): Peer {
    const from = this.#bound.get(opening.from)?.local;
    const datagrams = isDatagram(target.transport);
    const shared = datagrams ? from?.port : undefined;
    return {
      transport: target.transport,
      address: target.address,
      port: target.port,
      localAddress: localAddress(addresses, from, target.address),
      localPort: shared ?? this.ephemeralPort(),
      listener: datagrams && from !== undefined ? opening.from : 0,
    };
  }

  /** @returns undefined when somebody has the port already. */
  bind(flow: FlowId, local: Local): BoundPort | undefined {
    const port = local.port === 0 ? this.#freePort(local) : local.port;
    const { transport, address } = local;
    const real: Local = { transport, address, port };
    if (this.#taken(real)) return undefined;
    const bound: BoundPort = { flow, local: real, first: undefined, count: 0, byPeer: undefined };
    this.#bound.set(flow, bound);
    this.#ports.set(address, (this.#ports.get(address) ?? []).concat(bound));
    return bound;
  }

  /** Flows with sockets of their own go on; it is for the caller to end the others. */
  unbind(flow: FlowId): void {
    const bound = this.#bound.get(flow);
    if (bound === undefined) return;
    this.#bound.delete(flow);
    const { address } = bound.local;
    const others = (this.#ports.get(address) ?? []).filter((one) => one !== bound);
    if (others.length > 0) this.#ports.set(address, others);
    else this.#ports.delete(address);
    for (const peer of peersOf(bound)) this.#loose.set(keyOf(peer.peer), peer);
  }

  /** The bound port that a packet to this place reaches. */
  listener(transport: TransportName, address: string, port: number): BoundPort | undefined {
    const any = address.includes(":") ? "::" : "0.0.0.0";
    return this.#portAt(transport, address, port) ?? this.#portAt(transport, any, port);
  }

  add(flow: SimulatedFlow): void {
    this.flows.set(flow.id, flow);
    if (flow.stream !== undefined) return;
    const bound = this.#bound.get(flow.peer.listener);
    if (bound === undefined) this.#loose.set(keyOf(flow.peer), flow);
    else addPeer(bound, flow);
  }

  remove(flow: SimulatedFlow): void {
    this.flows.delete(flow.id);
    const bound = this.#bound.get(flow.peer.listener);
    if (bound !== undefined) removePeer(bound, flow);
    const key = keyOf(flow.peer);
    if (this.#loose.size > 0 && this.#loose.get(key) === flow) this.#loose.delete(key);
  }

  /** The flow that hears datagrams of this sender, as the sender sees the pair. */
  hearer(sender: Peer, bound: BoundPort | undefined): SimulatedFlow | undefined {
    const { address, localAddress, localPort, transport, port } = sender;
    const flow =
      bound === undefined ? undefined : findPeer(bound, address, localAddress, localPort);
    if (flow !== undefined || this.#loose.size === 0) return flow;
    return this.#loose.get(pairKey(transport, address, port, localAddress, localPort));
  }

  ephemeralPort(): number {
    this.#lastPort = this.#lastPort >= 65_535 ? FIRST_EPHEMERAL_PORT : this.#lastPort + 1;
    return this.#lastPort;
  }

  #portAt(transport: TransportName, address: string, port: number): BoundPort | undefined {
    return this.#ports
      .get(address)
      ?.find(({ local }) => local.port === port && local.transport === transport);
  }

  #freePort(local: Local): number {
    let port = this.ephemeralPort();
    while (this.#taken({ ...local, port })) port = this.ephemeralPort();
    return port;
  }

  /** One socket for all addresses and one for a single address exclude each other, too. */
  #taken(local: Local): boolean {
    const { transport, address, port } = local;
    if (!isUnspecified(address)) return this.listener(transport, address, port) !== undefined;
    for (const { local: other } of this.#bound.values()) {
      if (other.transport === transport && other.port === port) return true;
    }
    return false;
  }
}

/** Of the same family as the peer's where the host has one. */
function localAddress(
  addresses: readonly string[],
  from: Local | undefined,
  remote: string,
): string {
  if (from !== undefined && !isUnspecified(from.address)) return from.address;
  const six = remote.includes(":");
  const fitting = addresses.find((address) => address.includes(":") === six);
  return fitting ?? addresses[0] ?? remote;
}

function* peersOf(bound: BoundPort): Generator<SimulatedFlow> {
  if (bound.byPeer !== undefined) yield* bound.byPeer.values();
  else for (let flow = bound.first; flow !== undefined; flow = flow.next) yield flow;
}

/** A newer flow to the same peer hears him instead of an older one. */
function addPeer(bound: BoundPort, flow: SimulatedFlow): void {
  if (bound.byPeer === undefined && bound.count >= FEW_PEERS) {
    const oldestFirst = [...peersOf(bound)].reverse();
    bound.byPeer = new Map(oldestFirst.map((one) => [peerKey(one.peer), one]));
    bound.first = undefined;
  }
  if (bound.byPeer !== undefined) bound.byPeer.set(peerKey(flow.peer), flow);
  else {
    flow.next = bound.first;
    bound.first = flow;
    bound.count += 1;
  }
}

function removePeer(bound: BoundPort, flow: SimulatedFlow): void {
  if (bound.byPeer !== undefined) {
    const key = peerKey(flow.peer);
    if (bound.byPeer.get(key) === flow) bound.byPeer.delete(key);
    return;
  }
  let before: SimulatedFlow | undefined;
  for (const one of peersOf(bound)) {
    if (one === flow) {
      if (before === undefined) bound.first = flow.next;
      else before.next = flow.next;
      bound.count -= 1;
      return;
    }
    before = one;
  }
}

function findPeer(
  bound: BoundPort,
  localAddress: string,
  address: string,
  port: number,
): SimulatedFlow | undefined {
  if (bound.byPeer !== undefined) return bound.byPeer.get(`${localAddress}|${address}:${port}`);
  for (let flow = bound.first; flow !== undefined; flow = flow.next) {
    const { peer } = flow;
    if (peer.port === port && peer.address === address && peer.localAddress === localAddress) {
      return flow;
    }
  }
  return undefined;
}

function peerKey({ localAddress, address, port }: Peer): string {
  return `${localAddress}|${address}:${port}`;
}

function pairKey(
  transport: string,
  localAddress: string,
  localPort: number,
  address: string,
  port: number,
): string {
  return `${transport}:${localAddress}:${localPort}|${address}:${port}`;
}

function keyOf(peer: Peer): string {
  return pairKey(peer.transport, peer.localAddress, peer.localPort, peer.address, peer.port);
}
