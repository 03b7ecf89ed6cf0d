/**
 * linphone-cli 5.1 at our server over UDP, TCP and TLS: it registers with digest, calls our phone and is called by it, both
 * are heard, and it unregisters.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { SAMPLE_RATE } from "../../src/core/media/tones.ts";
import { type Call, Phone, tone } from "../../src/index.ts";
import { tenthsOfTone } from "../support/baresip.ts";
import { Capture } from "../support/capture.ts";
import { Linphone } from "../support/linphone.ts";
import { needs } from "../support/peers.ts";
import { Household, PATIENCE_MS } from "../support/processes.ts";
import { Dialtone } from "../support/processes-dialtone.ts";

const CERTIFICATES = join(import.meta.dirname, "..", "..", "..", "test", "node", "certificates");
const AUTHORITY = join(CERTIFICATES, "authority.pem");
/** The name that the certificate speaks for. */
const DOMAIN = "example.com";
const OURS_HERTZ = 440;
const THEIRS_HERTZ = 1000;

const patience = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(PATIENCE_MS) });

describe("linphone at our server", needs("linphonec", "tshark"), () => {
  let household: Household;
  let capture: Capture;
  let server: Dialtone;
  let phone: Phone;

  before(async () => {
    household = await Household.open(65);
    capture = await Capture.start(household);
    const address = household.address(13);
    const users = household.path("users.yaml");
    writeFileSync(users, "'3001': gate-3001\n'3002': desk-3002\n");
    server = new Dialtone(household, "server", [
      ...["serve", "--domain", DOMAIN, "--users", users],
      ...["--listen", `udp:${address}:5060`, `tcp:${address}:5060`, `tls:${address}:5061`],
      ...["--certificate", join(CERTIFICATES, "server.pem")],
      ...["--key", join(CERTIFICATES, "server.key")],
    ]);
    await server.event("server.started");
    phone = new Phone({
      ...{ user: "3002", password: "desk-3002", domain: DOMAIN, bind: household.address(31) },
      servers: `udp:${address}:5060`,
      tls: { authorities: [readFileSync(AUTHORITY, "utf8")] },
    });
    await phone.start();
    await phone.registered(patience());
  });

  after(async () => {
    await phone?.stop();
    await household?.close();
  });

  /** Both speak, and each hears the other, until `end` ends the call. */
  const converse = async (call: Call, linphone: Linphone, end: () => void): Promise<void> => {
    void call.play(tone(OURS_HERTZ));
    linphone.speak();
    assert.ok(tenthsOfTone(await heardBy(call), THEIRS_HERTZ) > 0.6);
    await linphone.hears(0.6);
    const from = linphone.mark;
    end();
    await call.ended;
    await linphone.process.line(/Call \d+ with .* ended/, from);
    assert.ok(tenthsOfTone(linphone.heard(), OURS_HERTZ) > 0.6);
  };

  for (const transport of ["udp", "tcp", "tls"] as const) {
    test(`over ${transport} it registers, calls, is called, and leaves no binding`, async () => {
      const from = server.mark;
      const port = transport === "tls" ? 5061 : 5060;
      const linphone = await Linphone.start(household, `linphone-${transport}`, {
        ...{ user: "3001", password: "gate-3001", domain: DOMAIN, hertz: THEIRS_HERTZ },
        ...{ address: household.address(20), authority: AUTHORITY },
        server: `sip:${household.address(13)}:${port};transport=${transport}`,
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
    await phone.stop();
    assert.equal(await server.stop(), 0);
    const { sip, rtp, sipOverTls, faults } = await capture.dissect();
    assert.ok(sip > 80 && rtp > 300, `${sip} SIP and ${rtp} RTP packets`);
    assert.ok(sipOverTls > 10, `${sipOverTls} SIP packets over TLS`);
    assert.deepEqual(faults, []);
  });
});

/** A second of what is heard, from its first sound on. */
async function heardBy(call: Call): Promise<Int16Array> {
  const heard: number[] = [];
  for await (const chunk of call.listen()) {
    const bytes = chunk as Buffer;
    for (let at = 0; at < bytes.length; at += 2) {
      const sample = bytes.readInt16LE(at);
      if (sample !== 0 || heard.length > 0) heard.push(sample);
    }
    if (heard.length >= SAMPLE_RATE) break;
  }
  return Int16Array.from(heard);
}
