/**
 * Writes a trace as a capture file (libpcap 2.4, LINKTYPE_RAW) that Wireshark, tshark and sngrep open: the
 * messages are real, the IP (RFC 791, RFC 8200), UDP (RFC 768) and TCP (RFC 9293) headers are made up around
 * them with right lengths, sequence numbers and checksums.
 *
 *   file header (24) │ packet header (16) │ IP (20 or 40) │ UDP (8) or TCP (20) │ message │ packet header …
 */
import { isIPv6 } from "node:net";
import { type Delivery, deliveries } from "./deliveries.ts";
import type { TraceRecord } from "./record.ts";

const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const LINKTYPE_RAW = 101;
const SNAPSHOT_BYTES = 0x40000;
const PROTOCOL = { udp: 17, tcp: 6 } as const;
/** What fits an IPv4 packet beside its headers. */
const SEGMENT_BYTES = 65_000;
const TCP_FLAGS = { syn: 0x02, synAck: 0x12, pushAck: 0x18 } as const;

/** The whole file. `epochMs` is the wall-clock time of instant 0 of the trace, milliseconds since 1970. */
export function pcapOf(records: readonly TraceRecord[], epochMs: number): Uint8Array {
  const streams = new Streams();
  const packets = deliveries(records)
    .filter((delivery) => endpoint(delivery.source) && endpoint(delivery.destination))
    .flatMap((delivery) =>
      streams.packetsOf(delivery).map((bytes) => ({ at: epochMs + delivery.at, bytes })),
    );
  return Buffer.concat([fileHeader(), ...packets.map(({ at, bytes }) => framed(at, bytes))]);
}

function fileHeader(): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(MAGIC_MICROSECONDS, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(SNAPSHOT_BYTES, 16);
  header.writeUInt32LE(LINKTYPE_RAW, 20);
  return header;
}

function framed(at: number, packet: Buffer): Buffer {
  const header = Buffer.alloc(16);
  const microseconds = Math.round(at * 1000);
  header.writeUInt32LE(Math.floor(microseconds / 1_000_000), 0);
  header.writeUInt32LE(microseconds % 1_000_000, 4);
  header.writeUInt32LE(packet.length, 8);
  header.writeUInt32LE(packet.length, 12);
  return Buffer.concat([header, packet]);
}

interface Endpoint {
  readonly address: string;
  readonly port: number;
}

function endpoint(text: string): Endpoint | undefined {
  const match = /^\[?([0-9a-fA-F.:]+?)\]?:(\d+)$/.exec(text);
  return match === null ? undefined : { address: match[1] as string, port: Number(match[2]) };
}

/** Keeps the TCP sequence number of each direction of each connection. */
class Streams {
  readonly #sent = new Map<string, number>();

  packetsOf(delivery: Delivery): Buffer[] {
    const source = endpoint(delivery.source) as Endpoint;
    const destination = endpoint(delivery.destination) as Endpoint;
    const bytes = Buffer.from(delivery.data, "base64");
    if (delivery.transport === "udp" || delivery.transport === "rtp") {
      return [ipPacket(source, destination, PROTOCOL.udp, udpHeader(source, destination), bytes)];
    }
    return this.#segments(delivery, source, destination, bytes);
  }

  #segments(delivery: Delivery, source: Endpoint, destination: Endpoint, bytes: Buffer): Buffer[] {
    const forward = `${delivery.source}>${delivery.destination}`;
    const backward = `${delivery.destination}>${delivery.source}`;
    const packets: Buffer[] = [];
    const segment = (from: Endpoint, to: Endpoint, flags: number, sent: number, heard: number) =>
      tcpHeader(from, to, flags, sent, heard);
    if (!this.#sent.has(forward)) {
      this.#sent.set(forward, 1).set(backward, 1);
      const none = Buffer.alloc(0);
      const syn = segment(source, destination, TCP_FLAGS.syn, 0, 0);
      const synAck = segment(destination, source, TCP_FLAGS.synAck, 0, 1);
      packets.push(ipPacket(source, destination, PROTOCOL.tcp, syn, none));
      packets.push(ipPacket(destination, source, PROTOCOL.tcp, synAck, none));
    }
    for (let start = 0; start < bytes.length; start += SEGMENT_BYTES) {
      const part = bytes.subarray(start, start + SEGMENT_BYTES);
      const sent = this.#sent.get(forward) ?? 1;
      const heard = this.#sent.get(backward) ?? 1;
      const header = segment(source, destination, TCP_FLAGS.pushAck, sent, heard);
      packets.push(ipPacket(source, destination, PROTOCOL.tcp, header, part));
      this.#sent.set(forward, (sent + part.length) >>> 0);
    }
    return packets;
  }
}

/** Without its length and checksum, which `ipPacket` fills in. */
function udpHeader(source: Endpoint, destination: Endpoint): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(source.port, 0);
  header.writeUInt16BE(destination.port, 2);
  return header;
}

function tcpHeader(
  source: Endpoint,
  destination: Endpoint,
  flags: number,
  sequence: number,
  acknowledged: number,
): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt16BE(source.port, 0);
  header.writeUInt16BE(destination.port, 2);
  header.writeUInt32BE(sequence, 4);
  header.writeUInt32BE(acknowledged, 8);
  header.writeUInt8(5 << 4, 12);
  header.writeUInt8(flags, 13);
  header.writeUInt16BE(0xffff, 14);
  return header;
}

/** Completes the transport header (length, checksum over the pseudo-header) and wraps it. */
function ipPacket(
  source: Endpoint,
  destination: Endpoint,
  protocol: number,
  transport: Buffer,
  payload: Buffer,
): Buffer {
  const length = transport.length + payload.length;
  const udp = protocol === PROTOCOL.udp;
  if (udp) transport.writeUInt16BE(length, 4);
  const [from, to] = [addressBytes(source.address), addressBytes(destination.address)];
  const pseudo = Buffer.alloc(8);
  pseudo.writeUInt32BE(length, 0);
  pseudo.writeUInt8(protocol, 7);
  const sum = checksum(Buffer.concat([from, to, pseudo, transport, payload]));
  transport.writeUInt16BE(udp && sum === 0 ? 0xffff : sum, udp ? 6 : 16);
  const header = isIPv6(source.address)
    ? ipv6Header(from, to, protocol, length)
    : ipv4Header(from, to, protocol, length);
  return Buffer.concat([header, transport, payload]);
}

function ipv4Header(from: Buffer, to: Buffer, protocol: number, length: number): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt8(0x45, 0);
  header.writeUInt16BE(20 + length, 2);
  header.writeUInt8(64, 8);
  header.writeUInt8(protocol, 9);
  from.copy(header, 12);
  to.copy(header, 16);
  header.writeUInt16BE(checksum(header), 10);
  return header;
}

function ipv6Header(from: Buffer, to: Buffer, protocol: number, length: number): Buffer {
  const header = Buffer.alloc(40);
  header.writeUInt8(0x60, 0);
  header.writeUInt16BE(length, 4);
  header.writeUInt8(protocol, 6);
  header.writeUInt8(64, 7);
  from.copy(header, 8);
  to.copy(header, 24);
  return header;
}

function addressBytes(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail] = address.split("::");
  const groups = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const [left, right] = [groups(head), groups(tail ?? "")];
  const zeros = new Array<string>(tail === undefined ? 0 : 8 - left.length - right.length).fill(
    "0",
  );
  const bytes = Buffer.alloc(16);
  [...left, ...zeros, ...right].forEach((group, index) => {
    bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2);
  });
  return bytes;
}

/** The Internet checksum (RFC 1071). */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let index = 0; index + 1 < bytes.length; index += 2) sum += bytes.readUInt16BE(index);
  if (bytes.length % 2 === 1) sum += (bytes.at(-1) as number) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
