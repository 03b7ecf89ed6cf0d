/** One stream in virtual time: what goes out when, and what is made of what comes in (R125–R127). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PCMA, PCMU } from "../../../src/core/media/g711.ts";
import { newRtpHeader, parseRtp, printRtp, type RtpHeader } from "../../../src/core/media/rtp.ts";
import { RtpSession, type StreamAgreement } from "../../../src/core/media/rtp-session.ts";
import { tone } from "../../../src/core/media/tones.ts";
import { Outbox } from "../../../src/core/outbox.ts";
import { Timers } from "../../../src/core/timers.ts";

const AGREED: StreamAgreement = {
  codec: "PCMA",
  payloadType: 8,
  telephoneEvent: 96,
  telephoneEventIn: 101,
  sends: true,
  receives: true,
  rtcpMux: false,
};

class Bench {
  readonly timers = new Timers();
  readonly keys: string[] = [];
  readonly sent: (RtpHeader & { at: number })[] = [];
  readonly session: RtpSession;
  readonly payloads: Uint8Array[] = [];
  now = 0;

  constructor(recordedSamples = 16_000) {
    const world = new Outbox();
    world.send = (_flow, bytes) => {
      const header = newRtpHeader();
      assert.equal(parseRtp(bytes, header), true);
      this.sent.push({ ...header, at: this.now });
      this.payloads.push(bytes.subarray(header.payloadStart, header.payloadEnd));
    };
    let last = 0xffff_fff0;
    const entropy = { uint32: () => last++ };
    this.session = new RtpSession(
      { world, timers: this.timers, entropy },
      { source: tone(), recordedSamples },
      { keyPressed: (_now, key) => this.keys.push(key) },
    );
  }

  until(end: number): void {
    while (this.timers.deadline <= end) {
      this.now = this.timers.deadline;
      this.timers.elapsed(this.now);
    }
    this.now = end;
  }

  packet(fields: Partial<RtpHeader>, payload: Uint8Array): Uint8Array {
    const bytes = new Uint8Array(12 + payload.length);
    printRtp({ ...newRtpHeader(), payloadType: 8, ...fields }, bytes);
    bytes.set(payload, 12);
    return bytes;
  }
}

test("a packet of 160 samples goes out every 20 ms, number and clock wrap (R125, R126)", () => {
  const bench = new Bench();
  bench.session.start(0, 5, AGREED);
  bench.until(1000);
  assert.equal(bench.session.sent, 51);
  assert.equal(bench.sent[0]?.marker, true);
  for (let index = 1; index < bench.sent.length; index += 1) {
    const before = bench.sent[index - 1] as RtpHeader & { at: number };
    const packet = bench.sent[index] as RtpHeader & { at: number };
    assert.equal(packet.at, before.at + 20);
    assert.equal(packet.sequence, (before.sequence + 1) & 0xffff);
    assert.equal(packet.timestamp, (before.timestamp + 160) >>> 0);
    assert.equal(packet.marker, false);
    assert.equal(packet.payloadEnd - packet.payloadStart, 160);
  }
});

test("a world that stood still is not followed by a burst", () => {
  const bench = new Bench();
  bench.session.start(0, 5, AGREED);
  bench.until(20);
  bench.now = 5000;
  bench.timers.elapsed(5000);
  assert.ok(bench.session.sent <= 10, String(bench.session.sent));
  const before = bench.sent[1] as RtpHeader;
  const after = bench.sent[bench.sent.length - 1] as RtpHeader;
  assert.ok(((after.timestamp - before.timestamp) >>> 0) / 8 >= 4900);
});

test("keys replace audio, keep one timestamp, and audio goes on in time (R127)", () => {
  const bench = new Bench();
  bench.session.start(0, 5, AGREED);
  bench.until(30);
  assert.equal(bench.session.press("7"), true);
  bench.until(400);
  const keys = bench.sent.filter((packet) => packet.payloadType === 96);
  assert.equal(keys.length, 7);
  assert.equal(new Set(keys.map((packet) => packet.timestamp)).size, 1);
  assert.deepEqual(
    keys.map((packet) => packet.marker),
    [true, false, false, false, false, false, false],
  );
  const first = bench.sent[0] as RtpHeader;
  const last = bench.sent[bench.sent.length - 1] as RtpHeader;
  assert.equal((last.timestamp - first.timestamp) >>> 0, 160 * (bench.sent.length - 1));
  const resumed = bench.sent[bench.sent.indexOf(keys[6] as never) + 1] as RtpHeader;
  assert.equal(resumed.marker, true);
});

test("a peer without telephone-event gets no keys", () => {
  const bench = new Bench();
  bench.session.start(0, 5, { ...AGREED, telephoneEvent: undefined });
  assert.equal(bench.session.press("1"), false);
});

test("on hold nothing is sent; resumed, the clock has run on and the number has not", () => {
  const bench = new Bench();
  bench.session.start(0, 5, AGREED);
  bench.until(100);
  bench.session.start(100, 5, { ...AGREED, sends: false, receives: false });
  bench.until(1100);
  assert.equal(bench.session.sent, 6);
  bench.session.start(1100, 5, AGREED);
  bench.until(1100);
  const [held, resumed] = [bench.sent[5], bench.sent[6]] as RtpHeader[] as [RtpHeader, RtpHeader];
  assert.equal((resumed.timestamp - held.timestamp) >>> 0, 8000);
  assert.equal(resumed.sequence, (held.sequence + 1) & 0xffff);
  assert.equal(resumed.marker, true);
});

test("audio received is counted, heard and recorded where its timestamp says", () => {
  const bench = new Bench();
  bench.session.start(0, 5, AGREED);
  assert.equal(bench.session.heardAt, Number.NEGATIVE_INFINITY);
  const loud = new Uint8Array(160).fill(0x80 ^ 0x2a);
  const packet = (sequence: number) =>
    bench.packet({ sequence, timestamp: sequence * 160, ssrc: 9 }, loud);
  for (const sequence of [10, 12, 11, 14]) bench.session.received(40 + sequence, packet(sequence));
  assert.equal(bench.session.heardAt, 54);
  assert.equal(bench.session.reception.received, 4);
  assert.equal(bench.session.reception.lost, 1);
  assert.equal(bench.session.reception.outOfOrder, 1);
  const samples = bench.session.recording.samples;
  assert.equal(samples.length, 5 * 160);
  const [expected] = samples as unknown as [number];
  assert.notEqual(expected, 0);
  const packets = [0, 1, 2, 3, 4].map((n) => samples[n * 160 + 80]);
  assert.deepEqual(packets, [expected, expected, expected, 0, expected]);
});

test("a recording ends at its bound, and a new SSRC is put behind the old", () => {
  const bench = new Bench(400);
  bench.session.start(0, 5, AGREED);
  bench.session.received(0, bench.packet({ timestamp: 5, ssrc: 1 }, new Uint8Array(160)));
  bench.session.received(0, bench.packet({ timestamp: 9_000_000, ssrc: 2 }, new Uint8Array(160)));
  assert.equal(bench.session.recording.samples.length, 320);
  bench.session.received(0, bench.packet({ timestamp: 9_000_160, ssrc: 2 }, new Uint8Array(160)));
  bench.session.received(0, bench.packet({ timestamp: 9_000_320, ssrc: 2 }, new Uint8Array(160)));
  assert.equal(bench.session.recording.samples.length, 400);
});

test("PCMU is understood whatever was agreed; RTCP, noise and other payloads are ignored", () => {
  const bench = new Bench();
  bench.session.start(0, 5, AGREED);
  bench.session.received(1, bench.packet({ payloadType: 0 }, Uint8Array.of(0)));
  const expected = new Int16Array(1);
  PCMU.decode(Uint8Array.of(0), 0, 1, expected, 0);
  assert.deepEqual(bench.session.recording.samples, expected);
  bench.session.received(2, bench.packet({ payloadType: 18 }, Uint8Array.of(0)));
  bench.session.received(3, Uint8Array.of(1, 2, 3));
  const rtcp = new Uint8Array(8);
  rtcp[0] = 0x80;
  rtcp[1] = 201;
  bench.session.received(4, rtcp);
  assert.equal(bench.session.ignored, 3);
  assert.equal(bench.session.heardAt, 1);
});

test("received keys are told once each", () => {
  const bench = new Bench();
  bench.session.start(0, 5, AGREED);
  for (const [sequence, timestamp] of [
    [1, 100],
    [2, 100],
    [3, 900],
  ] as const) {
    const key = bench.packet(
      { payloadType: 101, sequence, timestamp },
      Uint8Array.of(4, 10, 0, 160),
    );
    bench.session.received(sequence, key);
  }
  assert.deepEqual(bench.keys, ["4", "4"]);
});

test("the first packet carries the tone that the codec makes of it", () => {
  const bench = new Bench();
  bench.session.start(0, 5, AGREED);
  bench.until(0);
  const frame = new Int16Array(160);
  tone().read(frame);
  const expected = new Uint8Array(160);
  PCMA.encode(frame, expected, 0);
  assert.deepEqual(bench.payloads[0], expected);
});

test("after stop no timer is left and nothing counts any more (I8)", () => {
  const bench = new Bench();
  bench.session.start(0, 5, AGREED);
  bench.session.stop();
  assert.equal(bench.timers.size, 0);
  bench.session.received(1, bench.packet({}, new Uint8Array(160)));
  assert.equal(bench.session.reception.received, 0);
});
