/** Traces show messages whole, but never what proves knowledge of a password. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { messageEvent, withoutDigests } from "../../src/api/message-event.ts";
import { printBindingRequest } from "../../src/core/message/stun.ts";

const PEER = {
  transport: "udp",
  address: "192.0.2.13",
  port: 5060,
  localAddress: "192.0.2.20",
  localPort: 40_000,
  listener: 1,
} as const;

test("a digest response is masked in place, folded or not, and nothing else changes", () => {
  const text =
    'REGISTER sip:x SIP/2.0\r\nauthorization: Digest username="u",\r\n response="abcdef"\r\nProxy-Authorization: Digest response=1234, nonce="n"\r\nX: response="stays"\r\n\r\n';
  assert.equal(
    withoutDigests(text),
    text.replace("abcdef", "******").replace("response=1234", "response=****"),
  );
});

test("neither a keep-alive nor audio is a message", () => {
  assert.equal(messageEvent("out", PEER, Buffer.from("\r\n\r\n"), "udp"), undefined);
  const stun = printBindingRequest({ uint32: () => 0 });
  assert.equal(messageEvent("out", PEER, stun, "udp"), undefined);
  assert.equal(messageEvent("in", PEER, Uint8Array.of(0x80, 0x00, 0x12), "rtp"), undefined);
});

test("a message event carries both ends and the bytes as they were", () => {
  const event = messageEvent(
    "in",
    PEER,
    Buffer.from("OPTIONS sip:ü SIP/2.0\r\n\r\n", "latin1"),
    "udp",
  );
  assert.equal(event?.event, "message.received");
  assert.equal(event?.local, "192.0.2.20:40000");
  assert.equal(event?.remote, "192.0.2.13:5060");
  assert.equal(
    Buffer.from(event?.data ?? "", "base64").toString("latin1"),
    "OPTIONS sip:ü SIP/2.0\r\n\r\n",
  );
});
