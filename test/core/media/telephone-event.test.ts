/** Keys as RTP events (RFC 4733 §2.5, R127). */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  areKeys,
  MAX_KEYS_WAITING,
  TelephoneEventReceiver,
  TelephoneEventSender,
} from "../../../src/core/media/telephone-event.ts";

/** `E` marks the end bit, `.` a packet of audio. */
function packets(sender: TelephoneEventSender, count: number): string[] {
  return Array.from({ length: count }, () => {
    if (!sender.next()) return ".";
    const first = sender.first ? "first " : "";
    const bytes = new Uint8Array(4);
    sender.print(bytes, 0);
    const [event = 0, flags = 0, high = 0, low = 0] = bytes;
    return `${first}${event} ${high * 256 + low}${flags & 0x80 ? " E" : ""}`;
  });
}

test("one key grows by 160 a packet and ends three times (R127)", () => {
  const sender = new TelephoneEventSender();
  assert.equal(sender.press("#"), true);
  assert.deepEqual(packets(sender, 9), [
    "first 11 160",
    "11 320",
    "11 480",
    "11 640",
    "11 800 E",
    "11 800 E",
    "11 800 E",
    ".",
    ".",
  ]);
});

test("two equal keys are two events with a pause between", () => {
  const sender = new TelephoneEventSender();
  sender.press("55");
  const all = packets(sender, 18);
  assert.equal(all.filter((one) => one.startsWith("first 5 ")).length, 2);
  assert.deepEqual(all.slice(7, 10), [".", ".", "."]);
  assert.equal(all[10], "first 5 160");
});

test("what is no key is refused whole, and so is a queue without end", () => {
  const sender = new TelephoneEventSender();
  assert.equal(sender.press("12x"), false);
  assert.equal(sender.press(""), false);
  assert.equal(sender.press("1".repeat(MAX_KEYS_WAITING + 1)), false);
  assert.deepEqual(packets(sender, 1), ["."]);
  assert.equal(areKeys("0123456789*#ABCD"), true);
});

test("a receiver tells each key once, even when only its last packet arrives", () => {
  const receiver = new TelephoneEventReceiver();
  const packet = Uint8Array.of(9, 0x8a, 3, 32);
  assert.equal(receiver.heard(160, packet, 0, 4), "9");
  assert.equal(receiver.heard(160, packet, 0, 4), undefined);
  assert.equal(receiver.heard(1600, packet, 0, 4), "9");
});

test("short payloads and events beyond the keys are no keys", () => {
  const receiver = new TelephoneEventReceiver();
  assert.equal(receiver.heard(1, Uint8Array.of(1, 0, 0), 0, 3), undefined);
  assert.equal(receiver.heard(2, Uint8Array.of(16, 0, 0, 1), 0, 4), undefined);
});
