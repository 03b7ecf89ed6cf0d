/** The flows and bound ports of one simulated process, and the keys under which packets find them. */
import { FlowMap } from "../../core/flow-map.ts";
import type { FlowId, Local, Opening, Peer, Target, TransportName } from "../../core/machine.ts";
import { addressFor, type HostAddresses } from "./addresses.ts";
import { BoundPort, type SimulatedFlow } from "./bound-port.ts";
import type { DatagramEnd } from "./surroundings.ts";

const FIRST_EPHEMERAL_PORT = 32_768;

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
  readonly datagrams: FlowMap<SimulatedFlow> = new FlowMap();
  /** In the order in which they were made, whoever made them. */
  readonly streams: Map<FlowId, SimulatedFlow> = new Map();
  readonly #bound = new FlowMap<BoundPort>();
  /** By address; usually one or two ports stand at one. */
  readonly #ports = new Map<string, BoundPort>();
  /** Datagram flows that share no bound port, by both ends. */
  readonly #loose = new Map<string, SimulatedFlow>();
  #lastPort = FIRST_EPHEMERAL_PORT;

  get size(): number {
    return this.datagrams.size + this.streams.size + this.#bound.size;
  }

  flow(id: FlowId): SimulatedFlow | undefined {
    return this.datagrams.get(id) ?? this.streams.get(id);
  }

  boundAs(flow: FlowId): BoundPort | undefined {
    return this.#bound.get(flow);
  }

  /** Both ends of a flow to be opened from a host with these addresses. */
  peerFor(addresses: HostAddresses, target: Target, opening: Opening): Peer {
    const from = this.#bound.get(opening.from);
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
    const bound = new BoundPort(flow, local, port);
    if (this.#taken(bound)) return undefined;
    this.#bound.set(flow, bound);
    bound.sibling = this.#ports.get(bound.address);
    this.#ports.set(bound.address, bound);
    return bound;
  }

  /** Flows with sockets of their own go on; it is for the caller to end the others. */
  unbind(flow: FlowId): void {
    const bound = this.#bound.get(flow);
    if (bound === undefined) return;
    this.#bound.delete(flow);
    this.#closePort(bound);
    for (const flow of bound.peers()) {
      flow.turnDeaf();
      this.#loose.set(keyOf(flow.peer), flow);
    }
  }

  /** The process has died. */
  end(): void {
    for (const flow of this.datagrams.values()) flow.turnDeaf();
  }

  /** The bound port that a packet to this place reaches. */
  listener({ transport, address, port }: Local): BoundPort | undefined {
    const own = this.#portAt(transport, address, port);
    return own ?? this.#portAt(transport, address.includes(":") ? "::" : "0.0.0.0", port);
  }

  add(flow: SimulatedFlow): void {
    if (flow.stream !== undefined) {
      this.streams.set(flow.id, flow);
      return;
    }
    this.datagrams.set(flow.id, flow);
    const bound = this.#bound.get(flow.peer.listener);
    if (bound === undefined) this.#loose.set(keyOf(flow.peer), flow);
    else bound.add(flow);
  }

  remove(flow: SimulatedFlow): void {
    if (!this.datagrams.delete(flow.id)) this.streams.delete(flow.id);
    const bound = this.#bound.get(flow.peer.listener);
    if (bound !== undefined) bound.remove(flow);
    const key = keyOf(flow.peer);
    if (this.#loose.size > 0 && this.#loose.get(key) === flow) this.#loose.delete(key);
  }

  /** The flow that hears datagrams of this sender, as the sender sees the pair. */
  hearer(sender: DatagramEnd): DatagramEnd | undefined {
    if (sender.hearer?.hears === true) return sender.hearer;
    const { address, localAddress, localPort, transport, port } = sender;
    let flow = this.listener(sender)?.find(address, localAddress, localPort);
    if (flow === undefined && this.#loose.size > 0) {
      flow = this.#loose.get(pairKey(transport, address, port, localAddress, localPort));
    }
    sender.hearer = flow;
    return flow;
  }

  ephemeralPort(): number {
    this.#lastPort = this.#lastPort >= 65_535 ? FIRST_EPHEMERAL_PORT : this.#lastPort + 1;
    return this.#lastPort;
  }

  #portAt(transport: TransportName, address: string, port: number): BoundPort | undefined {
    let bound = this.#ports.get(address);
    while (bound !== undefined && (bound.port !== port || bound.transport !== transport)) {
      bound = bound.sibling;
    }
    return bound;
  }

  #closePort(bound: BoundPort): void {
    const { address, sibling } = bound;
    let at = this.#ports.get(address);
    if (at === bound) {
      if (sibling === undefined) this.#ports.delete(address);
      else this.#ports.set(address, sibling);
      return;
    }
    while (at !== undefined && at.sibling !== bound) at = at.sibling;
    if (at !== undefined) at.sibling = sibling;
  }

  #freePort(local: Local): number {
    let port = this.ephemeralPort();
    while (this.#taken({ ...local, port })) port = this.ephemeralPort();
    return port;
  }

  /** One socket for all addresses and one for a single address exclude each other, too. */
  #taken(local: Local): boolean {
    const { transport, address, port } = local;
    if (!isUnspecified(address)) return this.listener(local) !== undefined;
    for (const other of this.#bound.values()) {
      if (other.transport === transport && other.port === port) return true;
    }
    return false;
  }
}

/** Of the same family as the peer's where the host has one. */
function localAddress(addresses: HostAddresses, from: Local | undefined, remote: string): string {
  if (from !== undefined && !isUnspecified(from.address)) return from.address;
  return addressFor(addresses, remote);
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
