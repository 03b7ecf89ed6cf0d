/** Events and messages as people read them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readable } from "../../src/apps/output.ts";

const EVENT = { at: 7503, time: "2026-11-21T00:00:07.503Z", node: "2001" };

test("an event is one line: when, what, and the fields that have a value", () => {
  assert.equal(
    readable({
      ...EVENT,
      event: "registration.failed",
      server: 1,
      target: undefined,
      why: "timeout",
    }),
    "    +7.503 s  registration.failed      server 1, why timeout",
  );
});

test("a message is shown as it was on the wire, and steers no terminal", () => {
  const text = "OPTIONS sip:a@b SIP/2.0\r\nSubject: caf\u00e9 \u001b[2J\r\n\r\nbody\r\n";
  const shown = readable({
    ...EVENT,
    event: "message.sent",
    transport: "udp",
    local: "192.0.2.1:5060",
    remote: "192.0.2.2:5060",
    data: Buffer.from(text, "utf8").toString("base64"),
  });
  assert.deepEqual(shown.split("\n"), [
    "    +7.503 s  message.sent             udp 192.0.2.1:5060 → 192.0.2.2:5060",
    "    OPTIONS sip:a@b SIP/2.0",
    "    Subject: café ·[2J",
    "",
    "    body",
    "",
  ]);
});
