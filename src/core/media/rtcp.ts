/**
 * RTCP packets as bytes (RFC 3550 §6.4–§6.6; R125): what one participant of a call between two says and understands.
 * Sent is always a compound: a report, our name, and BYE at the end.
 */

const SENDER_REPORT = 200;
const RECEIVER_REPORT = 201;
const DESCRIPTION = 202;
const GOODBYE = 203;
const CNAME = 1;
const BLOCK_BYTES = 24;
const SENDER_BYTES = 20;

/** What a sender says of itself. */
export interface SenderInfo {
  /** Of this sender's own clock. */
  readonly now: number;
  readonly timestamp: number;
  readonly packets: number;
  readonly octets: number;
}

/** What a receiver says of one source. */
export interface ReceptionReport {
  readonly ssrc: number;
  /** Of the interval, in 256ths. */
  readonly fractionLost: number;
  readonly lost: number;
  readonly highest: number;
  /** In samples. */
  readonly jitter: number;
  /** The middle of the NTP time of the last sender report, 0 before any. */
  readonly lastReport: number;
  /** Since that came, in 65536ths of a second. */
  readonly delay: number;
}

export interface Compound {
  readonly ssrc: number;
  readonly sender: SenderInfo | undefined;
  readonly report: ReceptionReport | undefined;
  readonly cname: string;
  readonly goodbye: boolean;
}

/** What a compound of the peer's told. */
export interface Heard {
  /** The middle of the NTP time of its sender report; undefined: it sent none. */
  readonly sentAt: number | undefined;
  /** What it says of our stream. */
  readonly report: ReceptionReport | undefined;
}

export function isRtcp(bytes: Uint8Array): boolean {
  const type = bytes[1] ?? 0;
  return bytes.length >= 8 && (bytes[0] as number) >> 6 === 2 && type >= 192 && type <= 223;
}

/** The middle 32 bits of the NTP time that `now` is, in 65536ths of a second. */
export function middleOf(now: number): number {
  return Math.floor((now / 1000) * 65_536) >>> 0;
}

export function printCompound({ ssrc, sender, report, cname, goodbye }: Compound): Uint8Array {
  const head = 8 + (sender === undefined ? 0 : SENDER_BYTES) + (report ? BLOCK_BYTES : 0);
  // One item and the zero that ends the list, filled up to whole words.
  const description = 8 + 4 * Math.ceil((3 + cname.length) / 4);
  const bytes = new Uint8Array(head + description + (goodbye ? 8 : 0));
  const view = new DataView(bytes.buffer);
  putHead(view, 0, report ? 1 : 0, sender ? SENDER_REPORT : RECEIVER_REPORT, head);
  view.setUint32(4, ssrc);
  if (sender !== undefined) {
    view.setUint32(8, Math.floor(sender.now / 1000));
    view.setUint32(12, ((sender.now / 1000) % 1) * 2 ** 32);
    view.setUint32(16, sender.timestamp);
    view.setUint32(20, sender.packets);
    view.setUint32(24, sender.octets);
  }
  if (report !== undefined) putBlock(view, head - BLOCK_BYTES, report);
  putHead(view, head, 1, DESCRIPTION, description);
  view.setUint32(head + 4, ssrc);
  bytes[head + 8] = CNAME;
  bytes[head + 9] = cname.length;
  for (let at = 0; at < cname.length; at += 1) bytes[head + 10 + at] = cname.charCodeAt(at);
  if (goodbye) {
    putHead(view, head + description, 1, GOODBYE, 8);
    view.setUint32(head + description + 4, ssrc);
  }
  return bytes;
}

/** Undefined if it is no compound, or one that breaks off (RFC 3550 A.2). @param ours our SSRC. */
export function parseCompound(bytes: Uint8Array, ours: number): Heard | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let sentAt: number | undefined;
  let report: ReceptionReport | undefined;
  for (let at = 0; at < bytes.length; ) {
    if (at + 8 > bytes.length || view.getUint8(at) >> 6 !== 2) return undefined;
    const type = view.getUint8(at + 1);
    const end = at + 4 * (view.getUint16(at + 2) + 1);
    if (end > bytes.length || (at === 0 && type !== SENDER_REPORT && type !== RECEIVER_REPORT)) {
      return undefined;
    }
    const sender = type === SENDER_REPORT ? SENDER_BYTES : 0;
    if (sender > 0 && at + 8 + sender <= end) sentAt = view.getUint32(at + 10);
    if (type === SENDER_REPORT || type === RECEIVER_REPORT) {
      const blocks = at + 8 + sender;
      const count = view.getUint8(at) & 0x1f;
      if (blocks + count * BLOCK_BYTES > end) return undefined;
      for (let block = blocks; block < blocks + count * BLOCK_BYTES; block += BLOCK_BYTES) {
        if (view.getUint32(block) === ours) report = blockAt(view, block);
      }
    }
    at = end;
  }
  return { sentAt, report };
}

function putHead(view: DataView, at: number, count: number, type: number, bytes: number): void {
  view.setUint8(at, 0x80 | count);
  view.setUint8(at + 1, type);
  view.setUint16(at + 2, bytes / 4 - 1);
}

function putBlock(view: DataView, at: number, report: ReceptionReport): void {
  const most = 0x7f_ffff;
  const lost = Math.max(-most, Math.min(most, report.lost));
  view.setUint32(at, report.ssrc);
  view.setUint32(at + 4, ((report.fractionLost << 24) | (lost & 0xff_ffff)) >>> 0);
  view.setUint32(at + 8, report.highest);
  view.setUint32(at + 12, report.jitter);
  view.setUint32(at + 16, report.lastReport);
  view.setUint32(at + 20, report.delay);
}

function blockAt(view: DataView, at: number): ReceptionReport {
  const losses = view.getUint32(at + 4);
  return {
    ssrc: view.getUint32(at),
    fractionLost: losses >>> 24,
    lost: (losses << 8) >> 8,
    highest: view.getUint32(at + 8),
    jitter: view.getUint32(at + 12),
    lastReport: view.getUint32(at + 16),
    delay: view.getUint32(at + 20),
  };
}
