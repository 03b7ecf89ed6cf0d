/**
 * baresip 1.0 at our server over TCP and TLS: it registers with digest, calls our phone and is called by it, both are
 * heard, and it unregisters. (UDP: baresip.test.ts.)
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { type Call, tone } from "../../src/index.ts";
import { Baresip, tenthsOfTone } from "../support/baresip.ts";
import { needs } from "../support/peers.ts";
import {
  AUTHORITY,
  DOMAIN,
  heardBy,
  patience,
  ServerAndPhone,
  THEIR_ACCOUNT,
} from "./server-and-phone.ts";

const OURS_HERTZ = 440;
const THEIRS_HERTZ = 1000;

describe("baresip at our server", needs("baresip", "tshark"), () => {
  let stage: ServerAndPhone;

  before(async () => {
    stage = await ServerAndPhone.open(66);
  });

  after(async () => await stage?.close());

  /** Both speak, and each hears the other, until `end` ends the call. */
  const converse = async (call: Call, baresip: Baresip, end: () => void): Promise<void> => {
    void call.play(tone(OURS_HERTZ));
    assert.ok(tenthsOfTone(await heardBy(call), THEIRS_HERTZ) > 0.5);
    await baresip.hears(0.6);
    const from = baresip.mark;
    end();
    await call.ended;
    await baresip.event("CALL_CLOSED", from);
    assert.ok(tenthsOfTone(baresip.heard().slice(-4000), OURS_HERTZ) > 0.5);
  };

  for (const transport of ["tcp", "tls"] as const) {
    test(`over ${transport} it registers, calls, is called, and leaves no binding`, async () => {
      const { household, server, phone } = stage;
      const from = server.mark;
      const baresip = await Baresip.start(household, {
        ...{ ...THEIR_ACCOUNT, name: `baresip-${transport}`, address: household.address(20) },
        ...{ authority: AUTHORITY, hertz: THEIRS_HERTZ },
        parameters: `;outbound="${stage.uri(transport)}"`,
      });
      const source = new RegExp(`^${transport}:`);
      await server.event("binding.added", { aor: /3001/, source }, from);

      const called = once(phone, "call", patience());
      const fromHere = baresip.mark;
      baresip.command("dial", `sip:3002@${DOMAIN}`);
      const [theirs] = (await called) as [Call];
      await theirs.answer();
      await baresip.event("CALL_ESTABLISHED", fromHere);
      await converse(theirs, baresip, () => baresip.command("hangup"));
      assert.equal((await theirs.ended).why, "peer-hung-up");

      const fromThere = baresip.mark;
      const ours = phone.call("3001");
      await baresip.event("CALL_INCOMING", fromThere);
      baresip.command("accept");
      await ours.answered;
      await converse(ours, baresip, () => void ours.hangup());

      await baresip.process.stop();
      await server.event("binding.removed", { aor: /3001/ }, from);
    });
  }

  test("tshark found nothing malformed in any of it", async () => {
    await stage.phone.stop();
    assert.equal(await stage.server.stop(), 0);
    const { sip, rtp, sipOverTls, faults } = await stage.capture.dissect();
    assert.ok(sip > 50 && rtp > 200, `${sip} SIP and ${rtp} RTP packets`);
    assert.ok(sipOverTls > 10, `${sipOverTls} SIP packets over TLS`);
    assert.deepEqual(faults, []);
  });
});
