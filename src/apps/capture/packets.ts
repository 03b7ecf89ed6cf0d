/**
 * From a captured frame to the datagram or segment in it: link layers as tcpdump.org/linktypes numbers them, IPv4 (RFC
 * 791), IPv6 (RFC 8200), fragments of both, UDP (RFC 768) and TCP (RFC 9293). Whatever is something else is nothing.
 */

export interface Frame {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly linkType: number;
  readonly bytes: Uint8Array;
}

export interface Segment {
  readonly at: number;
  readonly transport: "udp" | "tcp";
  /** `ADDRESS:PORT`. */
  readonly source: string;
  readonly destination: string;
  readonly payload: Uint8Array;
  /** Of TCP: the number of the first byte, and whether a connection begins here. */
  readonly sequence: number;
  readonly begins: boolean;
}

const ETHERTYPE = { ipv4: 0x0800, ipv6: 0x86dd, vlan: 0x8100, stackedVlan: 0x88a8 } as const;
const PROTOCOL = { tcp: 6, udp: 17 } as const;
const EXTENSIONS: readonly number[] = [0, 43, 60];
const FRAGMENT = 44;
const SYN = 0x02;
/** Datagrams in pieces that are waited for at a time. */
const MAX_REASSEMBLIES = 256;

interface Packet {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly payload: Uint8Array;
}

interface Piece {
  readonly key: string;
  readonly offset: number;
  readonly last: boolean;
  readonly packet: Packet;
}

/** Keeps fragments until their datagram is whole. */
export class PacketReader {
  readonly #pieces = new Map<string, Piece[]>();

  /** Undefined: no UDP or TCP, damaged, or not yet whole. */
  read({ at, linkType, bytes }: Frame): Segment | undefined {
    const ip = networkPart(linkType, bytes);
    if (ip === undefined || ip.length < 20) return undefined;
    const version = (ip[0] as number) >> 4;
    const packet = version === 4 ? this.#ipv4(ip) : version === 6 ? this.#ipv6(ip) : undefined;
    return packet === undefined ? undefined : segmentOf(at, packet);
  }

  #ipv4(ip: Uint8Array): Packet | undefined {
    const view = viewOf(ip);
    const header = ((ip[0] as number) & 15) * 4;
    const total = Math.min(view.getUint16(2) || ip.length, ip.length);
    if (header < 20 || total < header) return undefined;
    const source = [...ip.subarray(12, 16)].join(".");
    const destination = [...ip.subarray(16, 20)].join(".");
    const protocol = ip[9] as number;
    const packet = { source, destination, protocol, payload: ip.subarray(header, total) };
    const flags = view.getUint16(6);
    const [offset, more] = [(flags & 0x1fff) * 8, (flags & 0x2000) !== 0];
    if (offset === 0 && !more) return packet;
    const key = `${source} ${destination} ${protocol} ${view.getUint16(4)}`;
    return this.#joined({ key, offset, last: !more, packet });
  }

  #ipv6(ip: Uint8Array): Packet | undefined {
    if (ip.length < 40) return undefined;
    const view = viewOf(ip);
    const end = Math.min(ip.length, 40 + view.getUint16(4));
    const source = `[${ipv6Text(view, 8)}]`;
    const destination = `[${ipv6Text(view, 24)}]`;
    let [protocol, start] = [ip[6] as number, 40];
    while (EXTENSIONS.includes(protocol) && start + 8 <= end) {
      protocol = ip[start] as number;
      start += ((ip[start + 1] as number) + 1) * 8;
    }
    const whole = protocol !== FRAGMENT;
    if (!whole && start + 8 <= end) {
      const place = view.getUint16(start + 2);
      const inner = ip[start] as number;
      const payload = ip.subarray(start + 8, end);
      const packet = { source, destination, protocol: inner, payload };
      const key = `${source} ${destination} ${view.getUint32(start + 4)}`;
      return this.#joined({ key, offset: place & 0xfff8, last: (place & 1) === 0, packet });
    }
    return { source, destination, protocol, payload: ip.subarray(Math.min(start, end), end) };
  }

  #joined(piece: Piece): Packet | undefined {
    const pieces = this.#pieces.get(piece.key) ?? [];
    pieces.push(piece);
    this.#pieces.set(piece.key, pieces);
    if (this.#pieces.size > MAX_REASSEMBLIES) {
      this.#pieces.delete(this.#pieces.keys().next().value as string);
    }
    pieces.sort((a, b) => a.offset - b.offset);
    let reached = 0;
    for (const { offset, packet } of pieces) {
      if (offset > reached) return undefined;
      reached = Math.max(reached, offset + packet.payload.length);
    }
    if (pieces.at(-1)?.last !== true) return undefined;
    this.#pieces.delete(piece.key);
    const payload = new Uint8Array(reached);
    for (const { offset, packet } of pieces) payload.set(packet.payload, offset);
    return { ...piece.packet, payload };
  }
}

function networkPart(linkType: number, bytes: Uint8Array): Uint8Array | undefined {
  const view = viewOf(bytes);
  const typed = (at: number, header: number): Uint8Array | undefined => {
    let [typeAt, start] = [at, header];
    for (let tags = 0; tags < 3 && typeAt + 2 <= bytes.length; tags += 1) {
      const type = view.getUint16(typeAt);
      if (type === ETHERTYPE.ipv4 || type === ETHERTYPE.ipv6) return bytes.subarray(start);
      if (type !== ETHERTYPE.vlan && type !== ETHERTYPE.stackedVlan) return undefined;
      typeAt = start + 2;
      start += 4;
    }
    return undefined;
  };
  switch (linkType) {
    case 1:
      return typed(12, 14);
    case 0:
    case 108:
      return bytes.subarray(4);
    case 12:
    case 14:
    case 101:
    case 228:
    case 229:
      return bytes;
    case 113:
      return typed(14, 16);
    case 276:
      return typed(0, 20);
    default:
      return undefined;
  }
}

function segmentOf(
  at: number,
  { source, destination, protocol, payload }: Packet,
): Segment | undefined {
  const view = viewOf(payload);
  if (payload.length < 8) return undefined;
  const ends = {
    at,
    source: `${source}:${view.getUint16(0)}`,
    destination: `${destination}:${view.getUint16(2)}`,
  };
  if (protocol === PROTOCOL.udp) {
    const length = Math.max(8, Math.min(payload.length, view.getUint16(4) || payload.length));
    const data = payload.subarray(8, length);
    return { ...ends, transport: "udp", payload: data, sequence: 0, begins: false };
  }
  if (protocol !== PROTOCOL.tcp || payload.length < 20) return undefined;
  const header = ((payload[12] as number) >> 4) * 4;
  const begins = ((payload[13] as number) & SYN) !== 0;
  const data = payload.subarray(Math.min(header, payload.length));
  return { ...ends, transport: "tcp", payload: data, sequence: view.getUint32(4), begins };
}

function ipv6Text(view: DataView, at: number): string {
  const groups = Array.from({ length: 8 }, (_, index) =>
    view.getUint16(at + index * 2).toString(16),
  );
  const text = groups.join(":");
  // RFC 5952 §4.2: the longest run of zeros is left out.
  const runs = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].sort(
    (a, b) => b[0].length - a[0].length,
  );
  const longest = runs[0];
  if (longest === undefined) return text;
  const before = text.slice(0, longest.index);
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, "");
  return `${before}::${after}`;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
