/** The judge itself: what tshark finds malformed on the loopback interface is told, and nothing else. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { Capture } from "../support/capture.ts";
import { needs } from "../support/peers.ts";
import { Household } from "../support/processes.ts";

const GOOD = [
  "OPTIONS sip:a@example.com SIP/2.0",
  "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1",
  "From: <sip:b@example.com>;tag=1",
  "To: <sip:a@example.com>",
  "Call-ID: 1",
  "CSeq: 1 OPTIONS",
  "Content-Length: 0",
  "",
  "",
].join("\r\n");

describe("a capture", needs("tshark"), () => {
  let household: Household;

  before(async () => {
    household = await Household.open(49);
  });

  after(async () => await household?.close());

  test("counts what is sound and tells what is not", async () => {
    const capture = await Capture.start(household);
    const receiver = createSocket("udp4").bind(5060, household.address(13));
    await once(receiver, "listening");
    const sender = createSocket("udp4").bind(0, household.address(14));
    const broken = [
      GOOD.slice(0, -2),
      GOOD.replace("Content-Length: 0", "Content-Length: none"),
      GOOD.replace("Call-ID: 1", "Call-ID 1"),
    ];
    for (const text of [GOOD, ...broken]) {
      sender.send(text, 5060, household.address(13));
      await once(receiver, "message");
    }
    sender.close();
    receiver.close();
    const { sip, rtp, faults } = await capture.dissect();
    assert.equal(sip, 1 + broken.length);
    assert.equal(rtp, 0);
    assert.equal(faults.length, broken.length, faults.join("\n"));
  });
});
