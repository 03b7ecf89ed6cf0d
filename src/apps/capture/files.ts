/** Capture files: libpcap 2.4 in both byte orders and resolutions, and pcapng (draft-ietf-opsawg-pcapng). */
import { type Frame, viewOf } from "./packets.ts";

const PCAP = { micro: 0xa1b2c3d4, nano: 0xa1b23c4d } as const;
const SECTION = 0x0a0d0d0a;
const BYTE_ORDER = 0x1a2b3c4d;
const BLOCK = { interface: 1, simple: 3, enhanced: 6 } as const;
const OPTION_RESOLUTION = 9;

/** The frames of a file, as far as it is whole; undefined: it is no capture file. */
export function framesOf(bytes: Uint8Array): Frame[] | undefined {
  if (bytes.length < 24) return undefined;
  const magic = viewOf(bytes).getUint32(0, true);
  if (magic === SECTION) return blocksOf(bytes);
  for (const little of [true, false]) {
    const read = viewOf(bytes).getUint32(0, little);
    if (read === PCAP.micro) return packetsOf(bytes, little, 1_000);
    if (read === PCAP.nano) return packetsOf(bytes, little, 1_000_000);
  }
  return undefined;
}

/** @param parts of a millisecond in the second field of the time. */
function packetsOf(bytes: Uint8Array, little: boolean, parts: number): Frame[] {
  const view = viewOf(bytes);
  const linkType = view.getUint32(20, little) & 0xffff;
  const frames: Frame[] = [];
  for (let at = 24; at + 16 <= bytes.length; ) {
    const milliseconds = view.getUint32(at, little) * 1000 + view.getUint32(at + 4, little) / parts;
    const end = at + 16 + view.getUint32(at + 8, little);
    if (end > bytes.length) break;
    frames.push({ at: milliseconds, linkType, bytes: bytes.subarray(at + 16, end) });
    at = end;
  }
  return frames;
}

interface Interface {
  readonly linkType: number;
  /** Units of its clock in a millisecond. */
  readonly units: number;
}

function blocksOf(bytes: Uint8Array): Frame[] {
  const view = viewOf(bytes);
  const frames: Frame[] = [];
  let interfaces: Interface[] = [];
  let little = true;
  for (let at = 0; at + 12 <= bytes.length; ) {
    const isSection = view.getUint32(at, true) === SECTION;
    if (isSection) {
      little = view.getUint32(at + 8, true) === BYTE_ORDER;
      interfaces = [];
    }
    const type = view.getUint32(at, little);
    const length = view.getUint32(at + 4, little);
    if (length < 12 || length % 4 !== 0 || at + length > bytes.length) break;
    const body = bytes.subarray(at + 8, at + length - 4);
    if (type === BLOCK.interface) interfaces.push(interfaceOf(body, little));
    else if (type === BLOCK.enhanced && body.length >= 20) {
      const frame = enhancedFrame(body, interfaces, little);
      if (frame !== undefined) frames.push(frame);
    } else if (type === BLOCK.simple && body.length >= 4) {
      const linkType = interfaces[0]?.linkType ?? 1;
      frames.push({ at: frames.at(-1)?.at ?? 0, linkType, bytes: body.subarray(4) });
    }
    at += length;
  }
  return frames;
}

function interfaceOf(body: Uint8Array, little: boolean): Interface {
  const view = viewOf(body);
  const linkType = body.length >= 2 ? view.getUint16(0, little) : 1;
  for (let at = 8; at + 4 <= body.length; ) {
    const code = view.getUint16(at, little);
    const length = view.getUint16(at + 2, little);
    if (code === OPTION_RESOLUTION && at + 4 < body.length) {
      const value = body[at + 4] as number;
      const each = (value & 0x80) === 0 ? 10 ** value : 2 ** (value & 0x7f);
      return { linkType, units: each / 1000 };
    }
    if (code === 0) break;
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return { linkType, units: 1000 };
}

function enhancedFrame(
  body: Uint8Array,
  interfaces: readonly Interface[],
  little: boolean,
): Frame | undefined {
  const view = viewOf(body);
  const source = interfaces[view.getUint32(0, little)];
  const captured = view.getUint32(12, little);
  if (source === undefined || 20 + captured > body.length) return undefined;
  const ticks = view.getUint32(4, little) * 2 ** 32 + view.getUint32(8, little);
  const { linkType, units } = source;
  return { at: ticks / units, linkType, bytes: body.subarray(20, 20 + captured) };
}
