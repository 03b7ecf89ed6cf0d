/** Reports on a stream, as bytes and in time (RFC 3550 §6; R125). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { World } from "../../../src/core/machine.ts";
import { isRtcp, middleOf, parseCompound, printCompound } from "../../../src/core/media/rtcp.ts";
import { RtcpReporter } from "../../../src/core/media/rtcp-reporter.ts";
import { newRtpHeader, Reception } from "../../../src/core/media/rtp.ts";
import { Timers } from "../../../src/core/timers.ts";
import { Prng } from "../../../src/worlds/sim/prng.ts";

const REPORT = {
  ssrc: 0xfeed_beef,
  fractionLost: 64,
  lost: -3,
  highest: 0x2_0001,
  jitter: 17,
  lastReport: 0x1234_5678,
  delay: 65_536,
};

test("what is printed is read again, whatever it is made of (R125)", () => {
  const sender = { now: 1500, timestamp: 4_000_000_000, packets: 7, octets: 1120 };
  for (const made of [undefined, sender]) {
    for (const report of [undefined, REPORT]) {
      for (const cname of ["", "a", "abcd", "x".repeat(30)]) {
        const bytes = printCompound({ ssrc: 1, sender: made, report, cname, goodbye: true });
        assert.equal(bytes.length % 4, 0);
        assert.equal(isRtcp(bytes), true);
        const heard = parseCompound(bytes, REPORT.ssrc);
        assert.deepEqual(heard?.report, report);
        assert.equal(heard?.sentAt, made === undefined ? undefined : middleOf(1500));
      }
    }
  }
});

test("a compound that breaks off, or begins with no report, tells nothing; no byte of it throws", () => {
  const whole = printCompound({
    ssrc: 1,
    sender: undefined,
    report: REPORT,
    cname: "ab",
    goodbye: false,
  });
  for (let end = 1; end < whole.length; end += 1) {
    const heard = parseCompound(whole.subarray(0, end), REPORT.ssrc);
    assert.equal(heard === undefined || end === 32, true, `${end}`);
  }
  assert.equal(parseCompound(whole.subarray(32), REPORT.ssrc), undefined);
  const prng = new Prng(4, 2);
  for (let round = 0; round < 2000; round += 1) {
    const bytes = whole.slice();
    bytes[prng.uint32() % bytes.length] = prng.uint32() & 0xff;
    parseCompound(bytes, REPORT.ssrc);
  }
});

test("a report counts its interval alone, and the wraps of the sequence number (R125, A.3)", () => {
  const reception = new Reception();
  const header = { ...newRtpHeader(), ssrc: 9 };
  const hear = (sequence: number): void => reception.count(0, { ...header, sequence }, false);
  assert.equal(reception.report(), undefined);
  for (const sequence of [65_534, 65_535, 0, 2]) hear(sequence);
  const first = reception.report();
  assert.deepEqual(
    [first?.ssrc, first?.fractionLost, first?.lost, first?.highest],
    [9, Math.floor(256 / 5), 1, 0x1_0002],
  );
  for (const sequence of [3, 4]) hear(sequence);
  const second = reception.report();
  assert.deepEqual([second?.fractionLost, second?.lost], [0, 1]);
  assert.equal(reception.report(), undefined, "nothing came");
});

/** A reporter, and what it sends when. */
function reporting(): { timers: Timers; reporter: RtcpReporter; sent: [number, Uint8Array][] } {
  const timers = new Timers();
  const sent: [number, Uint8Array][] = [];
  const stream = {
    ...{ flow: 3, ssrc: 77, sent: 0, octets: 0, reception: new Reception() },
    timestampAt: (now: number) => now * 8,
  };
  let now = 0;
  const world = {
    send: (_flow: number, bytes: Uint8Array) => {
      stream.sent += sent.length < 3 ? 50 : 0;
      sent.push([now, bytes]);
    },
  } as unknown as World;
  const reporter = new RtcpReporter({ world, timers, entropy: new Prng(1, 1) }, stream);
  stream.sent = 50;
  reporter.start(0);
  while (now < 60_000) {
    now = timers.deadline;
    timers.elapsed(now);
  }
  return { timers, reporter, sent };
}

test("reports go out around every 5 s, the first sooner, none at a fixed time (R125)", () => {
  const { sent } = reporting();
  const gaps = sent.slice(1).map(([at], index) => at - (sent[index] as [number, Uint8Array])[0]);
  assert.ok((sent[0]?.[0] ?? 0) <= 2500 * 1.24, `${sent[0]?.[0]}`);
  for (const gap of gaps) assert.ok(gap >= 2050 && gap <= 6160, `${gap}`);
  assert.equal(new Set(gaps).size, gaps.length);
});

test("who sent since his last report says so in an SR, who did not in an RR; BYE ends it (R125)", () => {
  const { sent, reporter, timers } = reporting();
  const types = sent.map(([, bytes]) => bytes[1]);
  assert.deepEqual([...types.slice(0, 4)], [200, 200, 200, 200]);
  assert.equal(types.at(-1), 201);
  reporter.sayGoodbye();
  reporter.stop();
  const [, last] = sent.at(-1) as [number, Uint8Array];
  assert.equal(last.at(-7), 203);
  assert.equal(timers.size, 0);
});

test("the way there and back is read from what the peer says of our report (§6.4.1)", () => {
  const { reporter } = reporting();
  const report = {
    ...REPORT,
    ssrc: 77,
    lost: 5,
    lastReport: middleOf(60_000),
    delay: middleOf(500),
  };
  const told = { ssrc: 2, sender: undefined, cname: "x", goodbye: false };
  reporter.received(60_540, printCompound({ ...told, report }));
  assert.equal(Math.round(reporter.roundTripMs ?? -1), 40);
  assert.equal(reporter.lostThere, 5);
  reporter.received(
    60_541,
    printCompound({ ...told, report: { ...report, delay: middleOf(9000) } }),
  );
  assert.equal(Math.round(reporter.roundTripMs ?? -1), 40, "a delay that cannot be");
});
