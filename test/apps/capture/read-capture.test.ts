/** Captures that others made: pcap, pcapng, HEP; pieces, repeats and gaps; bytes that are nothing of the kind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { base64OfText, textOfBase64 } from "../../../src/api/base64.ts";
import { readCapture } from "../../../src/apps/capture/read-capture.ts";
import { pcapOf } from "../../../src/apps/trace/pcap.ts";
import type { TraceRecord } from "../../../src/apps/trace/record.ts";
import { Prng } from "../../../src/worlds/sim/prng.ts";

const EPOCH = Date.UTC(2026, 0, 2, 3, 4, 5);

function message(number: number, body = ""): string {
  return [
    "OPTIONS sip:bob@example.com SIP/2.0",
    `Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK${number}`,
    `Call-ID: ${number}`,
    `CSeq: ${number} OPTIONS`,
    `Content-Length: ${body.length}`,
    "",
    body,
  ].join("\r\n");
}

function sent(at: number, text: string, transport = "udp", from = "192.0.2.1:5060"): TraceRecord {
  const ends = {
    local: from,
    remote: from.startsWith("[") ? "[2001:db8::2]:5060" : "192.0.2.2:5060",
  };
  return { at, node: "a", event: "message.sent", transport, ...ends, data: base64OfText(text) };
}

function texts(bytes: Uint8Array): string[] {
  const reading = readCapture(bytes);
  assert.ok(reading !== undefined);
  return reading.records.map(({ data }) => textOfBase64(String(data)));
}

const UDP_HEADERS = 24 + 16 + 20 + 8;

/** Ethernet frame, pcap packet and file around an IP packet. */
function fileOf(linkType: number, packets: readonly Uint8Array[]): Uint8Array {
  const file = Buffer.alloc(24);
  file.writeUInt32BE(0xa1b23c4d, 0);
  file.writeUInt32BE(linkType, 20);
  const parts = packets.map((packet) => {
    const header = Buffer.alloc(16);
    header.writeUInt32BE(EPOCH / 1000, 0);
    header.writeUInt32BE(250_000_000, 4);
    header.writeUInt32BE(packet.length, 8);
    return Buffer.concat([header, packet]);
  });
  return Buffer.concat([file, ...parts]);
}

/** The IP packet that our own writer makes. */
function ipPacket(record: TraceRecord): Buffer {
  return Buffer.from(pcapOf([record], EPOCH).subarray(24 + 16));
}

test("what the lab writes as pcap is read back: messages, ends, times to the microsecond, UDP, TCP and IPv6", () => {
  const records = [
    sent(0, message(1)),
    sent(12.345, message(2, "v=0\r\n"), "tcp"),
    sent(20, message(3), "tcp"),
    sent(31, message(4), "udp", "[2001:db8::1]:5062"),
  ];
  const reading = readCapture(pcapOf(records, EPOCH));
  assert.ok(reading !== undefined);
  assert.equal(reading.epochMs, EPOCH);
  const seen = reading.records.map(({ at, source, destination, transport, data }) => ({
    at,
    source,
    destination,
    transport,
    text: textOfBase64(String(data)),
  }));
  const wanted = records.map(({ at, local, remote, transport, data }) => ({
    at,
    source: local,
    destination: remote,
    transport,
    text: textOfBase64(String(data)),
  }));
  assert.deepEqual(seen, wanted);
});

test("big-endian nanosecond files, Ethernet with VLAN tags and Linux cooked captures are read", () => {
  const ip = ipPacket(sent(0, message(1)));
  const tagged = Buffer.concat([Buffer.alloc(12), Buffer.from("8100002a08" + "00", "hex"), ip]);
  const cooked = Buffer.concat([Buffer.alloc(14), Buffer.from("0800", "hex"), ip]);
  assert.deepEqual(texts(fileOf(1, [tagged])), [message(1)]);
  assert.deepEqual(texts(fileOf(113, [cooked])), [message(1)]);
  assert.equal(readCapture(fileOf(101, [ip]))?.epochMs, EPOCH + 250);
});

test("an IPv4 datagram in pieces is put together, whatever their order", () => {
  const whole = ipPacket(sent(0, message(1, "x".repeat(2000))));
  const payload = whole.subarray(20);
  const piece = (offset: number, end: number, more: boolean): Buffer => {
    const header = Buffer.from(whole.subarray(0, 20));
    header.writeUInt16BE(20 + end - offset, 2);
    header.writeUInt16BE(77, 4);
    header.writeUInt16BE((more ? 0x2000 : 0) | (offset / 8), 6);
    return Buffer.concat([header, payload.subarray(offset, end)]);
  };
  const pieces = [piece(1480, payload.length, false), piece(0, 1480, true)];
  assert.deepEqual(texts(fileOf(101, pieces)), [message(1, "x".repeat(2000))]);
});

test("a TCP stream is cut into messages though segments repeat, come out of order and cut anywhere", () => {
  const text = message(1, "first") + message(2) + message(3, "third");
  const base = ipPacket(sent(0, "?", "tcp"));
  const handshake = Buffer.from(pcapOf([sent(0, "?", "tcp")], EPOCH));
  const length = handshake.readUInt32LE(24 + 8);
  const syn = handshake.subarray(40, 40 + length);
  const segment = (start: number, end: number): Buffer => {
    const header = Buffer.from(base.subarray(0, 40));
    header.writeUInt16BE(40 + end - start, 2);
    header.writeUInt32BE(1 + start, 24);
    header.writeUInt8(0x18, 33);
    return Buffer.concat([header, Buffer.from(text.slice(start, end), "latin1")]);
  };
  const third = Math.floor(text.length / 3);
  const parts = [
    segment(0, third),
    segment(2 * third, text.length),
    segment(0, third),
    segment(third - 5, 2 * third),
  ];
  assert.deepEqual(texts(fileOf(101, [syn, ...parts])), [
    message(1, "first"),
    message(2),
    message(3, "third"),
  ]);
});

test("pcapng is read in both byte orders, with its interfaces' clocks", () => {
  const ip = ipPacket(sent(0, message(1)));
  for (const little of [true, false]) {
    const word = (value: number): Buffer => {
      const bytes = Buffer.alloc(4);
      if (little) bytes.writeUInt32LE(value >>> 0);
      else bytes.writeUInt32BE(value >>> 0);
      return bytes;
    };
    const half = (value: number): Buffer =>
      little ? word(value).subarray(0, 2) : word(value).subarray(2);
    const block = (type: number, ...body: Buffer[]): Buffer => {
      const content = Buffer.concat(body);
      const padded = Buffer.concat([content, Buffer.alloc((4 - (content.length % 4)) % 4)]);
      return Buffer.concat([
        word(type),
        word(padded.length + 12),
        padded,
        word(padded.length + 12),
      ]);
    };
    const ticks = BigInt(EPOCH) * 1_000_000n;
    const nanoseconds = Buffer.concat([half(9), half(1), Buffer.from([9, 0, 0, 0])]);
    const file = Buffer.concat([
      block(0x0a0d0d0a, word(0x1a2b3c4d), half(1), half(0), word(-1), word(-1)),
      block(1, half(101), half(0), word(0), nanoseconds),
      block(
        6,
        word(0),
        word(Number(ticks >> 32n)),
        word(Number(ticks & 0xffffffffn)),
        word(ip.length),
        word(ip.length),
        ip,
      ),
    ]);
    assert.deepEqual(texts(file), [message(1)], little ? "little" : "big");
    assert.equal(Math.round(readCapture(file)?.epochMs ?? 0), EPOCH);
  }
});

function hep(text: string): Buffer {
  const chunk = (type: number, value: Buffer): Buffer => {
    const header = Buffer.alloc(6);
    header.writeUInt16BE(type, 2);
    header.writeUInt16BE(6 + value.length, 4);
    return Buffer.concat([header, value]);
  };
  const port = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
  const time = Buffer.alloc(4);
  time.writeUInt32BE(EPOCH / 1000);
  const body = Buffer.concat([
    chunk(1, Buffer.from([2])),
    chunk(2, Buffer.from([17])),
    chunk(3, Buffer.from([192, 0, 2, 1])),
    chunk(4, Buffer.from([192, 0, 2, 2])),
    chunk(7, port(5060)),
    chunk(8, port(5062)),
    chunk(9, time),
    chunk(10, Buffer.from([0, 0, 3, 232])),
    chunk(11, Buffer.from([1])),
    chunk(15, Buffer.from(text, "latin1")),
  ]);
  const header = Buffer.from("HEP3\0\0", "latin1");
  header.writeUInt16BE(6 + body.length, 4);
  return Buffer.concat([header, body]);
}

test("HEP 3 is read by itself, one packet after the other, and inside a capture", () => {
  const [first, second] = [hep(message(1)), hep(message(2))];
  const reading = readCapture(Buffer.concat([first, second]));
  assert.deepEqual(
    reading?.records.map(({ source, destination }) => [source, destination]),
    [
      ["192.0.2.1:5060", "192.0.2.2:5062"],
      ["192.0.2.1:5060", "192.0.2.2:5062"],
    ],
  );
  assert.equal(reading?.epochMs, EPOCH + 1);
  const carried = ipPacket(sent(0, first.toString("latin1")));
  assert.deepEqual(texts(fileOf(101, [carried])), [message(1)]);
});

test("digest responses are masked as they are in our own traces", () => {
  const text = message(1).replace(
    "CSeq",
    'Authorization: Digest username="a", response="0123456789abcdef"\r\nCSeq',
  );
  const [read = ""] = texts(pcapOf([sent(0, text)], EPOCH));
  assert.ok(read.includes(`response="${"*".repeat(16)}"`));
  assert.ok(!read.includes("0123456789abcdef"));
});

test("what is no capture is told apart; damaged ones never throw", () => {
  assert.equal(readCapture(Buffer.from("GIF89a".padEnd(100, "x"))), undefined);
  assert.equal(readCapture(new Uint8Array(0)), undefined);
  const good = pcapOf([sent(0, message(1, "x".repeat(300)), "tcp"), sent(1, message(2))], EPOCH);
  const random = new Prng(1, 1);
  for (let round = 0; round < 3000; round += 1) {
    const damaged = Buffer.from(round % 2 === 0 ? good : hep(message(1)));
    for (let hit = 0; hit < 1 + (round % 8); hit += 1) {
      damaged[random.uint32() % damaged.length] = random.uint32() & 255;
    }
    readCapture(damaged.subarray(0, random.uint32() % (damaged.length + 1)));
  }
  assert.ok(good.length > UDP_HEADERS);
});
