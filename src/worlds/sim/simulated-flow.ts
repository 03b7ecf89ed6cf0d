/** A flow of a simulated host, and the keys under which packets find it. */
import type { FlowId, Instant, Local, Peer } from "../../core/machine.ts";
import type { Packet } from "./network.ts";
import type { StreamEnd } from "./surroundings.ts";

export interface BoundPort {
  readonly flow: FlowId;
  readonly local: Local;
}

/** A datagram pair or a stream end. */
export interface SimulatedFlow {
  readonly id: FlowId;
  readonly peer: Peer;
  /** Datagrams: a socket of its own that hears ICMP. */
  readonly connected: boolean;
  /** Streams: the other end, once there is one. */
  remote: StreamEnd | undefined;
  /** Streams deliver in order: nothing arrives before this. */
  arrivesAfter: Instant;
}

export const EMPTY: Uint8Array = new Uint8Array(0);

export function isDatagram(peer: Peer): boolean {
  return peer.transport === "udp" || peer.transport === "rtp";
}

export function portKey(transport: string, address: string, port: number): string {
  return `${transport}:${address}:${port}`;
}

export function pairKey(
  transport: string,
  localAddress: string,
  localPort: number,
  address: string,
  port: number,
): string {
  return `${transport}:${localAddress}:${localPort}|${address}:${port}`;
}

export function keyOf(peer: Peer): string {
  return pairKey(peer.transport, peer.localAddress, peer.localPort, peer.address, peer.port);
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

export function packetOf(peer: Peer, bytes: Uint8Array): Packet {
  return {
    transport: peer.transport,
    from: peer.localAddress,
    fromPort: peer.localPort,
    to: peer.address,
    toPort: peer.port,
    size: bytes.length,
  };
}
