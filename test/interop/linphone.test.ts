/**
 * linphone-cli 5.1 at our server over UDP, TCP and TLS: it registers with digest, calls our phone and is called by it,
 * both are heard, and it unregisters.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { type Call, tone } from "../../src/index.ts";
import { tenthsOfTone } from "../support/baresip.ts";
import { Linphone } from "../support/linphone.ts";
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

describe("linphone at our server", needs("linphonec", "tshark"), () => {
  let stage: ServerAndPhone;

  before(async () => {
    stage = await ServerAndPhone.open(65);
  });

  after(async () => await stage?.close());

  /** Both speak, and each hears the other, until `end` ends the call. */
  const converse = async (call: Call, linphone: Linphone, end: () => void): Promise<void> => {
    void call.play(tone(OURS_HERTZ));
    linphone.speak();
    assert.ok(tenthsOfTone(await heardBy(call), THEIRS_HERTZ) > 0.5);
    await linphone.hears(0.6);
    const from = linphone.mark;
    end();
    await call.ended;
    await linphone.process.line(/Call \d+ with .* ended/, from);
    assert.ok(tenthsOfTone(linphone.heard(), OURS_HERTZ) > 0.5);
  };

  for (const transport of ["udp", "tcp", "tls"] as const) {
    test(`over ${transport} it registers, calls, is called, and leaves no binding`, async () => {
      const { household, server, phone } = stage;
      const from = server.mark;
      const linphone = await Linphone.start(household, `linphone-${transport}`, {
        ...{ ...THEIR_ACCOUNT, address: household.address(20), authority: AUTHORITY },
        ...{ server: stage.uri(transport), hertz: THEIRS_HERTZ },
      });
      // It connects from whatever address the system gives it.
      const source = new RegExp(`^${transport}:`);
      await server.event("binding.added", { aor: /3001/, source }, from);

      const called = once(phone, "call", patience());
      const fromHere = linphone.mark;
      linphone.command(`call sip:3002@${DOMAIN}`);
      const [theirs] = (await called) as [Call];
      await theirs.answer();
      await linphone.process.line(/Media streams established/, fromHere);
      await converse(theirs, linphone, () => linphone.command("terminate"));
      assert.equal((await theirs.ended).why, "peer-hung-up");

      const fromThere = linphone.mark;
      const ours = phone.call("3001");
      await linphone.process.line(/Receiving new incoming call/, fromThere);
      linphone.command("answer");
      await ours.answered;
      await linphone.process.line(/Media streams established/, fromThere);
      await converse(ours, linphone, () => void ours.hangup());

      linphone.command("unregister");
      await server.event("binding.removed", { aor: /3001/ }, from);
      await linphone.quit();
    });
  }

  test("tshark found nothing malformed in any of it", async () => {
    await stage.phone.stop();
    assert.equal(await stage.server.stop(), 0);
    const { sip, rtp, sipOverTls, faults } = await stage.capture.dissect();
    assert.ok(sip > 80 && rtp > 300, `${sip} SIP and ${rtp} RTP packets`);
    assert.ok(sipOverTls > 10, `${sipOverTls} SIP packets over TLS`);
    assert.deepEqual(faults, []);
  });
});
