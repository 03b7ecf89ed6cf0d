/** The flows and bound ports of one simulated process, and the keys under which packets find them. */
import type { FlowId, Instant, Local, Peer, TransportName } from "../../core/machine.ts";
import type { StreamEnd } from "./simulated-stream.ts";

export interface BoundPort {
  readonly flow: FlowId;
  readonly local: Local;
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
}

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
  readonly flows: Map<FlowId, SimulatedFlow> = new Map();
  readonly #bound = new Map<FlowId, BoundPort>();
  readonly #boundByPort = new Map<string, BoundPort>();
  /** Datagram flows by both ends. */
  readonly #pairs = new Map<string, SimulatedFlow>();
  #lastPort = FIRST_EPHEMERAL_PORT;

  get size(): number {
    return this.flows.size + this.#bound.size;
  }

  boundAs(flow: FlowId): BoundPort | undefined {
    return this.#bound.get(flow);
  }

  /** @returns undefined when somebody has the port already. */
  bind(flow: FlowId, local: Local): BoundPort | undefined {
    const port = local.port === 0 ? this.#freePort(local) : local.port;
    const real = { ...local, port };
    if (this.#taken(real)) return undefined;
    const bound: BoundPort = { flow, local: real };
    this.#bound.set(flow, bound);
    this.#boundByPort.set(portKey(real.transport, real.address, port), bound);
    return bound;
  }

  unbind(flow: FlowId): void {
    const bound = this.#bound.get(flow);
    if (bound === undefined) return;
    this.#bound.delete(flow);
    const { transport, address, port } = bound.local;
    this.#boundByPort.delete(portKey(transport, address, port));
  }

  /** The bound port that a packet to this place reaches. */
  listener(transport: TransportName, address: string, port: number): BoundPort | undefined {
    const any = address.includes(":") ? "::" : "0.0.0.0";
    return (
      this.#boundByPort.get(portKey(transport, address, port)) ??
      this.#boundByPort.get(portKey(transport, any, port))
    );
  }

  add(flow: SimulatedFlow): void {
    this.flows.set(flow.id, flow);
    if (flow.stream === undefined) this.#pairs.set(keyOf(flow.peer), flow);
  }

  remove(flow: SimulatedFlow): void {
    this.flows.delete(flow.id);
    const key = keyOf(flow.peer);
    if (this.#pairs.get(key) === flow) this.#pairs.delete(key);
  }

  /** The flow that hears datagrams of this sender, as the sender sees the pair. */
  hearer(sender: Peer): SimulatedFlow | undefined {
    const { transport, address, port, localAddress, localPort } = sender;
    return this.#pairs.get(pairKey(transport, address, port, localAddress, localPort));
  }

  ephemeralPort(): number {
    this.#lastPort = this.#lastPort >= 65_535 ? FIRST_EPHEMERAL_PORT : this.#lastPort + 1;
    return this.#lastPort;
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

function portKey(transport: string, address: string, port: number): string {
  return `${transport}:${address}:${port}`;
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
