/**
 * Received audio for a listener who hears it while it comes (RFC 3550 §6.4.1 leaves the how to us): in order, without
 * gaps, a little late. What comes out of order falls into place while it is held back; what is lost is silence.
 */
import type { G711 } from "./g711.ts";
import { type RtpHeader, timestampDistance } from "./rtp.ts";
import { SAMPLE_RATE } from "./tones.ts";

/** Takes audio at 8 kHz. */
export interface AudioSink {
  /** `samples` are valid during the call only. */
  write(samples: Int16Array): void;
}

/** Samples held back, so that late ones find their place: three packets of 20 ms. */
const HELD = 480;
/** The largest packet (a quarter of a second) fits in behind what is held. */
const WINDOW = 4096;
/** A jump this far, either way, is a new clock and no loss. */
const MAX_JUMP = SAMPLE_RATE;

export class Playout {
  readonly #sink: AudioSink;
  readonly #window = new Int16Array(WINDOW);
  /** The timestamp of the first sample of the window. */
  #next = 0;
  /** Samples of the window in use. */
  #length = 0;
  #ssrc = -1;

  constructor(sink: AudioSink) {
    this.#sink = sink;
  }

  take(codec: G711, header: RtpHeader, bytes: Uint8Array): void {
    const size = header.payloadEnd - header.payloadStart;
    if (size === 0 || size > WINDOW - HELD) return;
    const distance = timestampDistance(this.#next, header.timestamp);
    if (header.ssrc !== this.#ssrc || Math.abs(distance) > MAX_JUMP) {
      this.end();
      this.#ssrc = header.ssrc;
      this.#next = header.timestamp;
    } else if (distance < 0) return;
    let at = timestampDistance(this.#next, header.timestamp);
    // Behind a gap that is wider than the window: what is before it goes out first.
    while (at + size > WINDOW) {
      this.#length = Math.min(WINDOW, at);
      at -= this.#length;
      this.#release(this.#length);
    }
    codec.decode(bytes, header.payloadStart, header.payloadEnd, this.#window, at);
    this.#length = Math.max(this.#length, at + size);
    this.#release(this.#length - HELD);
  }

  /** Hands over what is still held: nothing more comes for now. */
  end(): void {
    this.#release(this.#length);
  }

  #release(count: number): void {
    if (count <= 0) return;
    this.#sink.write(this.#window.subarray(0, count));
    this.#window.copyWithin(0, count, this.#length);
    this.#window.fill(0, this.#length - count, this.#length);
    this.#length -= count;
    this.#next = (this.#next + count) >>> 0;
  }
}
