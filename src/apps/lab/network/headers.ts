/** Reads and makes the IPv4 packets (RFC 791) that the relay must know: UDP (RFC 768) and TCP (RFC 9293). */
import type { Packet } from "../../../core/network-rules.ts";
import { viewOf } from "../../capture/packets.ts";

export const FLAG = { fin: 1, syn: 2, rst: 4, ack: 16 } as const;

const PROTOCOL = { tcp: 6, udp: 17 } as const;
const IP_HEADER = 20;
const TCP_HEADER = 20;
const UDP_HEADER = 8;
const HOPS = 64;

/** Of a segment; numbers as they stand in it. */
export interface TcpFields {
  readonly sequence: number;
  readonly acknowledged: number;
  readonly flags: number;
  /** Of its text, with one each for SYN and FIN. */
  readonly length: number;
}

export interface Seen extends Packet {
  /** Undefined: no TCP. */
  readonly tcp: TcpFields | undefined;
  /** What follows the header of UDP, or of what is neither. */
  readonly payload: Uint8Array;
}

interface Ends {
  readonly from: string;
  readonly fromPort: number;
  readonly to: string;
  readonly toPort: number;
}

/** What is neither UDP nor TCP (an ICMP answer for a port that is closed) counts as a datagram without ports. */
export function seenIn(bytes: Uint8Array): Seen | undefined {
  const first = bytes[0] ?? 0;
  const header = (first & 15) * 4;
  if (first >> 4 !== 4 || header < IP_HEADER || bytes.length < header + UDP_HEADER)
    return undefined;
  const inner = bytes.subarray(header);
  const view = viewOf(inner);
  const protocol = bytes[9];
  const transport = protocol === PROTOCOL.tcp ? "tcp" : "udp";
  const ported = protocol === PROTOCOL.tcp || protocol === PROTOCOL.udp;
  return {
    transport,
    from: bytes.subarray(12, 16).join("."),
    to: bytes.subarray(16, 20).join("."),
    fromPort: ported ? view.getUint16(0) : 0,
    toPort: ported ? view.getUint16(2) : 0,
    size: inner.length,
    tcp: transport === "tcp" && inner.length >= TCP_HEADER ? tcpFields(inner, view) : undefined,
    payload: inner.subarray(UDP_HEADER),
  };
}

function tcpFields(inner: Uint8Array, view: DataView): TcpFields {
  const flags = inner[13] as number;
  const text = inner.length - ((inner[12] as number) >> 4) * 4;
  const counted = (flags & FLAG.syn ? 1 : 0) + (flags & FLAG.fin ? 1 : 0);
  return {
    sequence: view.getUint32(4),
    acknowledged: view.getUint32(8),
    flags,
    length: text + counted,
  };
}

/** @param acknowledged undefined: of a segment that acknowledges nothing. */
export function resetPacket(
  ends: Ends,
  sequence: number,
  acknowledged: number | undefined,
): Uint8Array {
  const segment = new Uint8Array(TCP_HEADER);
  const view = viewOf(segment);
  view.setUint16(0, ends.fromPort);
  view.setUint16(2, ends.toPort);
  view.setUint32(4, sequence >>> 0);
  view.setUint32(8, (acknowledged ?? 0) >>> 0);
  segment[12] = (TCP_HEADER / 4) << 4;
  segment[13] = acknowledged === undefined ? FLAG.rst : FLAG.rst | FLAG.ack;
  const packet = packetOf(ends, PROTOCOL.tcp, segment);
  // The sum goes over the addresses and the protocol, too (RFC 9293 §3.1).
  const pseudo = new Uint8Array(12 + TCP_HEADER);
  pseudo.set(packet.subarray(12, 20));
  pseudo[9] = PROTOCOL.tcp;
  pseudo[11] = TCP_HEADER;
  pseudo.set(segment, 12);
  viewOf(packet).setUint16(IP_HEADER + 16, checksum(pseudo));
  return packet;
}

/** What answers a segment with a reset: RFC 9293 §3.5.2, group 1. */
export function resetFor({ from, fromPort, to, toPort }: Ends, tcp: TcpFields): Uint8Array {
  const back = { from: to, fromPort: toPort, to: from, toPort: fromPort };
  if (tcp.flags & FLAG.ack) return resetPacket(back, tcp.acknowledged, undefined);
  return resetPacket(back, 0, tcp.sequence + tcp.length);
}

/** Without a checksum, which IPv4 allows. */
export function datagramPacket(ends: Ends, payload: Uint8Array): Uint8Array {
  const datagram = new Uint8Array(UDP_HEADER + payload.length);
  const view = viewOf(datagram);
  view.setUint16(0, ends.fromPort);
  view.setUint16(2, ends.toPort);
  view.setUint16(4, datagram.length);
  datagram.set(payload, UDP_HEADER);
  return packetOf(ends, PROTOCOL.udp, datagram);
}

function packetOf({ from, to }: Ends, protocol: number, inner: Uint8Array): Uint8Array {
  const packet = new Uint8Array(IP_HEADER + inner.length);
  const view = viewOf(packet);
  packet[0] = 0x45;
  view.setUint16(2, packet.length);
  packet[8] = HOPS;
  packet[9] = protocol;
  packet.set(from.split(".").map(Number), 12);
  packet.set(to.split(".").map(Number), 16);
  view.setUint16(10, checksum(packet.subarray(0, IP_HEADER)));
  packet.set(inner, IP_HEADER);
  return packet;
}

/** Of an even number of bytes (RFC 1071). */
function checksum(bytes: Uint8Array): number {
  const view = viewOf(bytes);
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += view.getUint16(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
