/** RTP headers and reception counts against RFC 3550 §5.1 and A.1–A.8. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  newRtpHeader,
  parseRtp,
  printRtp,
  Reception,
  sequenceDistance,
  timestampDistance,
} from "../../../src/core/media/rtp.ts";

function packet(sequence: number, timestamp: number, ssrc = 7): ReturnType<typeof newRtpHeader> {
  return { ...newRtpHeader(), sequence: sequence & 0xffff, timestamp, ssrc };
}

test("a printed header is parsed to the same fields (RFC 3550 §5.1)", () => {
  const header = {
    ...newRtpHeader(),
    marker: true,
    payloadType: 101,
    sequence: 65_535,
    timestamp: 0xffff_fff0,
    ssrc: 0xdead_beef,
  };
  const bytes = new Uint8Array(16);
  printRtp(header, bytes);
  assert.deepEqual(
    [...bytes.subarray(0, 12)],
    [0x80, 0xe5, 0xff, 0xff, 0xff, 0xff, 0xff, 0xf0, 0xde, 0xad, 0xbe, 0xef],
  );
  const read = newRtpHeader();
  assert.equal(parseRtp(bytes, read), true);
  assert.deepEqual(read, { ...header, payloadStart: 12, payloadEnd: 16 });
});

test("contributing sources, extension and padding are not payload", () => {
  const bytes = new Uint8Array(12 + 8 + 8 + 5 + 3);
  printRtp({ ...newRtpHeader(), payloadType: 8 }, bytes);
  bytes[0] = 0x80 | 0x20 | 0x10 | 2;
  bytes[12 + 8 + 3] = 1;
  bytes[bytes.length - 1] = 3;
  const read = newRtpHeader();
  assert.equal(parseRtp(bytes, read), true);
  assert.equal(read.payloadStart, 28);
  assert.equal(read.payloadEnd, 33);
});

test("short datagrams, other versions, lying lengths and RTCP are not RTP", () => {
  const read = newRtpHeader();
  assert.equal(parseRtp(new Uint8Array(11), read), false);
  assert.equal(parseRtp(new Uint8Array(20), read), false);
  const padded = new Uint8Array(14);
  padded[0] = 0xa0;
  assert.equal(parseRtp(padded, read), false);
  padded[13] = 3;
  assert.equal(parseRtp(padded, read), false);
  const extended = new Uint8Array(14);
  extended[0] = 0x90;
  assert.equal(parseRtp(extended, read), false);
  const sources = new Uint8Array(14);
  sources[0] = 0x8f;
  assert.equal(parseRtp(sources, read), false);
  const rtcp = new Uint8Array(28);
  rtcp[0] = 0x80;
  rtcp[1] = 200;
  assert.equal(parseRtp(rtcp, read), false);
});

test("distances go the short way round both circles (R125)", () => {
  assert.equal(sequenceDistance(65_535, 0), 1);
  assert.equal(sequenceDistance(0, 65_535), -1);
  assert.equal(timestampDistance(0xffff_ffff, 159), 160);
  assert.equal(timestampDistance(159, 0xffff_ffff), -160);
});

test("a gap is loss until the missing packet comes late (RFC 3550 A.3)", () => {
  const reception = new Reception();
  for (const sequence of [65_534, 65_535, 2]) reception.count(0, packet(sequence, 0), true);
  assert.equal(reception.lost, 2);
  assert.equal(reception.outOfOrder, 0);
  reception.count(0, packet(1, 0), true);
  assert.equal(reception.lost, 1);
  assert.equal(reception.outOfOrder, 1);
  assert.equal(reception.received, 4);
});

test("a new SSRC keeps the losses of the old one and brings none of its own", () => {
  const reception = new Reception();
  reception.count(0, packet(10, 0), true);
  reception.count(0, packet(13, 0), true);
  reception.count(0, packet(40_000, 0, 8), true);
  reception.count(0, packet(40_001, 0, 8), true);
  assert.equal(reception.lost, 2);
  assert.equal(reception.received, 4);
});

test("a jump of the sequence numbers is a new beginning, not thousands of losses (RFC 3550 A.1)", () => {
  const reception = new Reception();
  reception.count(0, packet(10, 0), true);
  reception.count(0, packet(20_000, 0), true);
  assert.equal(reception.lost, 0);
});

test("jitter follows A.8: a sixteenth of each deviation from the sender's clock", () => {
  const reception = new Reception();
  reception.count(1000, packet(1, 0), true);
  reception.count(1020, packet(2, 160), true);
  assert.equal(reception.jitterMs, 0);
  reception.count(1048, packet(3, 320), true);
  assert.equal(reception.jitterMs, 8 / 16);
  reception.count(1060, packet(4, 480), true);
  assert.equal(reception.jitterMs, 0.5 + (8 - 0.5) / 16);
});
