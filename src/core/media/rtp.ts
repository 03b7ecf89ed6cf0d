/**
 * RTP packets and what a receiver learns from their order (RFC 3550 §5.1, A.1, A.3, A.8).
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   | V |P|X|  CC   |M|     PT      |        sequence number        |
 *   |                           timestamp                           |
 *   |                  SSRC, then CC times a CSRC                   |
 */
import type { Instant } from "../machine.ts";
import type { ReceptionReport } from "./rtcp.ts";

/** Without contributing sources and extensions, bytes. */
export const RTP_HEADER_BYTES = 12;

/** Both payload types of G.711 and telephone-event run at this rate (RFC 3551 §6, RFC 4733 §2.4). */
export const SAMPLES_PER_MS = 8;

/** One packet's header, and where its payload lies; a receiver keeps one and has it filled again and again. */
export interface RtpHeader {
  marker: boolean;
  payloadType: number;
  sequence: number;
  timestamp: number;
  ssrc: number;
  payloadStart: number;
  payloadEnd: number;
}

/** A header to be filled by `parseRtp` again and again. */
export function newRtpHeader(): RtpHeader {
  return {
    marker: false,
    payloadType: 0,
    sequence: 0,
    timestamp: 0,
    ssrc: 0,
    payloadStart: 0,
    payloadEnd: 0,
  };
}

/** Fills `into`; false if the bytes are not RTP. RTCP on the same port (RFC 5761 §4) is not RTP either. */
export function parseRtp(bytes: Uint8Array, into: RtpHeader): boolean {
  if (bytes.length < RTP_HEADER_BYTES) return false;
  const first = bytes[0] as number;
  const second = bytes[1] as number;
  if (first >> 6 !== 2 || (second >= 192 && second <= 223)) return false;
  let start = RTP_HEADER_BYTES + 4 * (first & 0x0f);
  if ((first & 0x10) !== 0) {
    if (start + 4 > bytes.length) return false;
    start += 4 + 4 * uint16(bytes, start + 2);
  }
  let end = bytes.length;
  if ((first & 0x20) !== 0) {
    const padding = bytes[end - 1] as number;
    if (padding === 0) return false;
    end -= padding;
  }
  if (start > end) return false;
  into.marker = second >= 128;
  into.payloadType = second & 0x7f;
  into.sequence = uint16(bytes, 2);
  into.timestamp = uint32(bytes, 4);
  into.ssrc = uint32(bytes, 8);
  into.payloadStart = start;
  into.payloadEnd = end;
  return true;
}

/** Writes the twelve bytes at the front of `into`: no padding, extension or contributing sources. */
export function printRtp(header: RtpHeader, into: Uint8Array): void {
  into[0] = 0x80;
  into[1] = (header.marker ? 0x80 : 0) | header.payloadType;
  into[2] = header.sequence >>> 8;
  into[3] = header.sequence;
  putUint32(into, 4, header.timestamp);
  putUint32(into, 8, header.ssrc);
}

/** How far `b` lies after `a` on the circle of 2^16 sequence numbers: -32768..32767. */
export function sequenceDistance(a: number, b: number): number {
  return ((b - a) << 16) >> 16;
}

/** How far `b` lies after `a` on the circle of 2^32 timestamps. */
export function timestampDistance(a: number, b: number): number {
  return (b - a) | 0;
}

/** A gap this wide is a sender that began anew, not loss (RFC 3550 A.1, MAX_DROPOUT). */
const MAX_DROPOUT = 3000;

/** What a receiver's report says of one source; lost packets that came twice make it negative. */
export type SourceReport = Pick<
  ReceptionReport,
  "ssrc" | "fractionLost" | "lost" | "highest" | "jitter"
>;

/** Counts of one reception, over all the SSRCs that the sender used. */
export class Reception {
  received = 0;
  /** Packets that came after one with a higher number. */
  outOfOrder = 0;
  #ssrc = -1;
  #highest = 0;
  /** Times that the sequence numbers of the present SSRC have wrapped round. */
  #cycles = 0;
  /** `#expected` and `#came` at the last report. */
  #expectedBefore = 0;
  #cameBefore = 0;
  /** Packets that should have come since the present SSRC began, and those that did. */
  #expected = 0;
  #came = 0;
  #lostBefore = 0;
  #jitter = 0;
  #transit = 0;

  /** Packets missing so far; one that comes late is missing no more (RFC 3550 A.3). */
  get lost(): number {
    return this.#lostBefore + Math.max(0, this.#expected - this.#came);
  }

  /**
   * Closes an interval of RTCP: what a report says of the source (RFC 3550 §6.4.1, A.3). Undefined: nothing came in it.
   */
  report(): SourceReport | undefined {
    const expected = this.#expected - this.#expectedBefore;
    const came = this.#came - this.#cameBefore;
    this.#expectedBefore = this.#expected;
    this.#cameBefore = this.#came;
    if (came <= 0) return undefined;
    const missing = Math.max(0, expected - came);
    return {
      ssrc: this.#ssrc,
      fractionLost: expected <= 0 ? 0 : Math.floor((missing * 256) / expected),
      lost: this.#expected - this.#came,
      highest: (this.#cycles * 0x1_0000 + this.#highest) >>> 0,
      jitter: Math.floor(this.#jitter),
    };
  }

  /** Interarrival jitter (RFC 3550 A.8) in milliseconds. */
  get jitterMs(): number {
    return this.#jitter / SAMPLES_PER_MS;
  }

  /**
   * Call for each packet in order of arrival. Packets of one telephone-event share a timestamp, so they say nothing of
   * jitter: `timed` is false for them.
   */
  count(now: Instant, header: RtpHeader, timed: boolean): void {
    this.received += 1;
    const step = sequenceDistance(this.#highest, header.sequence);
    if (header.ssrc !== this.#ssrc || Math.abs(step) > MAX_DROPOUT) {
      this.#begin(now, header);
      return;
    }
    this.#came += 1;
    if (step > 0) {
      this.#expected += step;
      if (header.sequence < this.#highest) this.#cycles += 1;
      this.#highest = header.sequence;
    } else {
      this.outOfOrder += 1;
    }
    if (timed) this.#estimateJitter(now, header.timestamp);
  }

  #begin(now: Instant, header: RtpHeader): void {
    this.#lostBefore = this.lost;
    this.#ssrc = header.ssrc;
    this.#highest = header.sequence;
    this.#cycles = 0;
    this.#expected = 1;
    this.#came = 1;
    this.#expectedBefore = 0;
    this.#cameBefore = 0;
    this.#transit = transit(now, header.timestamp);
  }

  #estimateJitter(now: Instant, timestamp: number): void {
    const next = transit(now, timestamp);
    const difference = Math.abs(timestampDistance(this.#transit, next));
    this.#transit = next;
    this.#jitter += (difference - this.#jitter) / 16;
  }
}

/** Relative transit time in samples, modulo 2^32: only differences of it mean anything. */
function transit(now: Instant, timestamp: number): number {
  return (Math.round(now * SAMPLES_PER_MS) - timestamp) | 0;
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

function uint32(bytes: Uint8Array, at: number): number {
  return ((uint16(bytes, at) << 16) | uint16(bytes, at + 2)) >>> 0;
}

function putUint32(into: Uint8Array, at: number, value: number): void {
  into[at] = value >>> 24;
  into[at + 1] = value >>> 16;
  into[at + 2] = value >>> 8;
  into[at + 3] = value;
}
