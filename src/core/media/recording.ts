/** Received audio laid out by its timestamps, so that late packets fall into place and lost ones leave silence. */
import type { G711 } from "./g711.ts";
import { type RtpHeader, timestampDistance } from "./rtp.ts";
import { SAMPLE_RATE } from "./tones.ts";

/** A jump this far, either way, is a new clock rather than a pause: what follows is put at the end. */
const MAX_JUMP = 10 * SAMPLE_RATE;

export class Recording {
  readonly #limit: number;
  #samples = new Int16Array(0);
  #length = 0;
  /** The timestamp of the sample at `#anchorAt`. */
  #anchor = 0;
  #anchorAt = 0;
  #ssrc = -1;

  /** @param limit samples kept at most; what comes later is dropped. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** All that was kept so far; valid until the next packet. */
  get samples(): Int16Array {
    return this.#samples.subarray(0, this.#length);
  }

  keep(codec: G711, header: RtpHeader, bytes: Uint8Array): void {
    const size = header.payloadEnd - header.payloadStart;
    if (this.#length >= this.#limit || size === 0) return;
    const at = this.#place(header);
    const end = Math.min(at + size, this.#limit);
    if (at < 0 || end <= at) return;
    this.#reserve(end);
    codec.decode(bytes, header.payloadStart, header.payloadStart + end - at, this.#samples, at);
    this.#length = Math.max(this.#length, end);
  }

  #place(header: RtpHeader): number {
    const offset = timestampDistance(this.#anchor, header.timestamp);
    const at = this.#anchorAt + offset;
    if (header.ssrc === this.#ssrc && Math.abs(at - this.#length) <= MAX_JUMP) {
      // The anchor moves along, so that a recording of days never wraps.
      if (at >= 0) this.#anchorTo(header, at);
      return at;
    }
    this.#ssrc = header.ssrc;
    this.#anchorTo(header, this.#length);
    return this.#length;
  }

  #anchorTo(header: RtpHeader, at: number): void {
    this.#anchor = header.timestamp;
    this.#anchorAt = at;
  }

  #reserve(size: number): void {
    if (size <= this.#samples.length) return;
    const grown = Math.min(this.#limit, Math.max(size, 2 * this.#samples.length, SAMPLE_RATE));
    const larger = new Int16Array(grown);
    larger.set(this.#samples);
    this.#samples = larger;
  }
}
