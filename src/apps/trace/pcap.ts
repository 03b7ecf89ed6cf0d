/**
 * Writes a trace as a capture file (libpcap 2.4, LINKTYPE_RAW) that Wireshark, tshark and sngrep open: the
 * messages are real, the IP (RFC 791, RFC 8200), UDP (RFC 768) and TCP (RFC 9293) headers are made up around
 * them with right lengths, sequence numbers and checksums.
 *
 *   file header (24) │ packet header (16) │ IP (20 or 40) │ UDP (8) or TCP (20) │ message │ packet header …
 */
import { bytesOfBase64 } from "../../api/base64.ts";
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
  return joined([fileHeader(), ...packets.flatMap(({ at, bytes }) => framed(at, bytes))]);
}

function fileHeader(): Uint8Array {
  const [header, view] = blank(24);
  view.setUint32(0, MAGIC_MICROSECONDS, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, SNAPSHOT_BYTES, true);
  view.setUint32(20, LINKTYPE_RAW, true);
  return header;
}

function framed(at: number, packet: Uint8Array): [header: Uint8Array, packet: Uint8Array] {
  const [header, view] = blank(16);
  const microseconds = Math.round(at * 1000);
  view.setUint32(0, Math.floor(microseconds / 1_000_000), true);
  view.setUint32(4, microseconds % 1_000_000, true);
  view.setUint32(8, packet.length, true);
  view.setUint32(12, packet.length, true);
  return [header, packet];
}

function blank(length: number): [bytes: Uint8Array, view: DataView] {
  const bytes = new Uint8Array(length);
  return [bytes, new DataView(bytes.buffer)];
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
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

  packetsOf(delivery: Delivery): Uint8Array[] {
    const source = endpoint(delivery.source) as Endpoint;
    const destination = endpoint(delivery.destination) as Endpoint;
    const bytes = bytesOfBase64(delivery.data);
    if (delivery.transport === "udp" || delivery.transport === "rtp") {
      return [ipPacket(source, destination, PROTOCOL.udp, udpHeader(source, destination), bytes)];
    }
    return this.#segments(delivery, source, destination, bytes);
  }

  #segments(
    delivery: Delivery,
    source: Endpoint,
    destination: Endpoint,
    bytes: Uint8Array,
  ): Uint8Array[] {
    const forward = `${delivery.source}>${delivery.destination}`;
    const backward = `${delivery.destination}>${delivery.source}`;
    const packets: Uint8Array[] = [];
    const segment = (from: Endpoint, to: Endpoint, flags: number, sent: number, heard: number) =>
      tcpHeader(from, to, flags, sent, heard);
    if (!this.#sent.has(forward)) {
      this.#sent.set(forward, 1).set(backward, 1);
      const none = new Uint8Array(0);
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
function udpHeader(source: Endpoint, destination: Endpoint): Uint8Array {
  const [header, view] = blank(8);
  view.setUint16(0, source.port);
  view.setUint16(2, destination.port);
  return header;
}

function tcpHeader(
  source: Endpoint,
  destination: Endpoint,
  flags: number,
  sequence: number,
  acknowledged: number,
): Uint8Array {
  const [header, view] = blank(20);
  view.setUint16(0, source.port);
  view.setUint16(2, destination.port);
  view.setUint32(4, sequence);
  view.setUint32(8, acknowledged);
  view.setUint8(12, 5 << 4);
  view.setUint8(13, flags);
  view.setUint16(14, 0xffff);
  return header;
}

/** Completes the transport header (length, checksum over the pseudo-header) and wraps it. */
function ipPacket(
  source: Endpoint,
  destination: Endpoint,
  protocol: number,
  transport: Uint8Array,
  payload: Uint8Array,
): Uint8Array {
  const udp = protocol === PROTOCOL.udp;
  const length = transport.length + payload.length;
  const view = new DataView(transport.buffer);
  if (udp) view.setUint16(4, length);
  const [from, to] = [addressBytes(source.address), addressBytes(destination.address)];
  const [pseudo, pseudoView] = blank(8);
  pseudoView.setUint32(0, length);
  pseudoView.setUint8(7, protocol);
  const sum = checksum(joined([from, to, pseudo, transport, payload]));
  view.setUint16(udp ? 6 : 16, udp && sum === 0 ? 0xffff : sum);
  const header =
    from.length === 16
      ? ipv6Header(from, to, protocol, length)
      : ipv4Header(from, to, protocol, length);
  return joined([header, transport, payload]);
}

function ipv4Header(
  from: Uint8Array,
  to: Uint8Array,
  protocol: number,
  length: number,
): Uint8Array {
  const [header, view] = blank(20);
  view.setUint8(0, 0x45);
  view.setUint16(2, 20 + length);
  view.setUint8(8, 64);
  view.setUint8(9, protocol);
  header.set(from, 12);
  header.set(to, 16);
  view.setUint16(10, checksum(header));
  return header;
}

function ipv6Header(
  from: Uint8Array,
  to: Uint8Array,
  protocol: number,
  length: number,
): Uint8Array {
  const [header, view] = blank(40);
  view.setUint8(0, 0x60);
  view.setUint16(4, length);
  view.setUint8(6, protocol);
  view.setUint8(7, 64);
  header.set(from, 8);
  header.set(to, 24);
  return header;
}

function addressBytes(address: string): Uint8Array {
  if (!address.includes(":")) return Uint8Array.from(address.split("."), Number);
  const [head = "", tail] = address.split("::");
  const groups = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const [left, right] = [groups(head), groups(tail ?? "")];
  const missing = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const zeros = new Array<string>(missing).fill("0");
  const [bytes, view] = blank(16);
  [...left, ...zeros, ...right].slice(0, 8).forEach((group, index) => {
    view.setUint16(index * 2, Number.parseInt(group, 16));
  });
  return bytes;
}

/** The Internet checksum (RFC 1071). */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index + 1 < bytes.length; index += 2) {
    sum += ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0);
  }
  if (bytes.length % 2 === 1) sum += (bytes.at(-1) as number) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
