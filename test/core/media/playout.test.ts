/** What a listener hears while it comes: in order, without gaps, whatever the network made of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PCMU } from "../../../src/core/media/g711.ts";
import { Playout } from "../../../src/core/media/playout.ts";
import { newRtpHeader, type RtpHeader } from "../../../src/core/media/rtp.ts";

const PACKET = 160;

/** Packet n is 160 samples whose µ-law byte is n. */
class Listener {
  readonly heard: number[] = [];
  readonly playout: Playout = new Playout({
    write: (samples) => this.heard.push(...samples),
  });

  take(number: number, timestamp = number * PACKET, ssrc = 1): void {
    const header: RtpHeader = newRtpHeader();
    header.ssrc = ssrc;
    header.timestamp = timestamp >>> 0;
    header.payloadStart = 0;
    header.payloadEnd = PACKET;
    this.playout.take(PCMU, header, new Uint8Array(PACKET).fill(number));
  }

  /** What each 160 samples heard were. */
  get packets(): string {
    const level = new Int16Array(256);
    PCMU.decode(
      Uint8Array.from({ length: 256 }, (_, at) => at),
      0,
      256,
      level,
      0,
    );
    const names = new Map(Array.from(level, (sample, byte) => [sample, byte]));
    return Array.from({ length: this.heard.length / PACKET }, (_, at) => {
      const packet = this.heard.slice(at * PACKET, (at + 1) * PACKET);
      assert.equal(new Set(packet).size, 1);
      return packet[0] === 0 ? "-" : String(names.get(packet[0] as number));
    }).join(" ");
  }
}

test("packets are heard in order, three of them late, and all of them at the end", () => {
  const listener = new Listener();
  for (const number of [1, 2, 3, 4, 5]) listener.take(number);
  assert.equal(listener.packets, "1 2");
  listener.playout.end();
  assert.equal(listener.packets, "1 2 3 4 5");
});

test("one that was overtaken falls into place, one that comes too late is left out, a lost one is silence", () => {
  const listener = new Listener();
  for (const number of [1, 3, 2, 5, 6, 7, 8, 4, 9]) listener.take(number);
  listener.playout.end();
  assert.equal(listener.packets, "1 2 3 - 5 6 7 8 9");
});

test("a gap wider than what is held back is heard as silence of its length", () => {
  const listener = new Listener();
  listener.take(1);
  listener.take(42);
  listener.playout.end();
  assert.equal(listener.heard.length, 42 * PACKET);
  assert.equal(listener.packets.replaceAll("- ", ""), "1 42");
});

test("a new source or a far jump of the clock goes on where the last one ended", () => {
  const listener = new Listener();
  listener.take(1);
  listener.take(2, 12_345, 2);
  listener.take(3, 12_345 + 800_000, 2);
  listener.playout.end();
  assert.equal(listener.packets, "1 2 3");
});

test("the clock passes through zero unheard", () => {
  const listener = new Listener();
  for (const number of [1, 2, 3, 4, 5]) listener.take(number, (number - 3) * PACKET);
  listener.playout.end();
  assert.equal(listener.packets, "1 2 3 4 5");
});
