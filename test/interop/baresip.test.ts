/** baresip 1.0 at our server: it registers with digest, calls our phone and is called by it, and both are heard. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { readWav } from "../../src/core/media/wav.ts";
import { Baresip } from "../support/baresip.ts";
import { Capture } from "../support/capture.ts";
import { startDnsmasq } from "../support/dnsmasq.ts";
import { needs } from "../support/peers.ts";
import { Household } from "../support/processes.ts";
import { Dialtone, type DialtoneEvent } from "../support/processes-dialtone.ts";
import { secondsOfTone } from "../support/tones.ts";

const DOMAIN = "pbx.example.com";
/** What our phone says, unless told otherwise. */
const OURS_HERTZ = 440;
const THEIRS_HERTZ = 1000;
/** A second of audio, in packets of 20 ms. */
const SECOND_OF_PACKETS = 50;

describe("baresip at our server", needs("baresip", "dnsmasq", "tshark"), () => {
  let household: Household;
  let capture: Capture;
  let server: Dialtone;
  let baresip: Baresip;
  let phone: Dialtone;
  let phoneFile: string;
  let dns: string;

  before(async () => {
    household = await Household.open(42);
    capture = await Capture.start(household);
    const hosts = { a: household.address(13) };
    dns = await startDnsmasq(household, { address: household.address(53), domain: DOMAIN, hosts });
    const users = household.path("users.yaml");
    writeFileSync(users, "'3001': gate-3001\n'3002': desk-3002\n'3003': lobby-3003\n");
    server = new Dialtone(household, "server", [
      ...["serve", "--listen", `udp:${household.address(13)}:5060`, "--domain", DOMAIN],
      // Where SHA-256 is offered, too, baresip 1.0 does not answer the MD5 challenge beside it.
      ...["--users", users, "--digest", "md5"],
    ]);
    await server.event("server.started");
    phoneFile = household.path("phone.yaml");
    writeFileSync(phoneFile, phoneConfiguration("3002", "desk-3002"));
  });

  after(async () => await household?.close());

  const startPhone = (name: string, file: string, last: number, more: string[] = []): Dialtone =>
    new Dialtone(household, name, [
      ...["phone", "--config", file, "--dns", dns, "--bind", household.address(last), ...more],
    ]);

  test("it finds the server by SRV, and registers with digest", async () => {
    baresip = await Baresip.start(household, {
      ...{ address: household.address(20), dns, domain: DOMAIN, hertz: THEIRS_HERTZ },
      ...{ user: "3001", password: "gate-3001" },
    });
    const binding = await server.event("binding.added", { aor: /3001/ });
    assert.match(String(binding.source), new RegExp(`${household.address(20)}:5060`));
    phone = startPhone("phone", phoneFile, 31);
    await phone.event("registration.accepted");
  });

  for (const ends of ["phone", "baresip"] as const) {
    test(`it calls our phone, both hear each other, ${ends} hangs up`, async () => {
      const from = phone.mark;
      const fromBaresip = baresip.mark;
      baresip.command("dial", `sip:3002@${DOMAIN}`);
      await phone.event("call.answered", {}, from);
      await baresip.event("CALL_ESTABLISHED", fromBaresip);
      await baresip.hears(OURS_HERTZ, 1);
      if (ends === "phone") phone.command({ do: "hangup" });
      else baresip.command("hangup");
      checkAudio(await phone.event("call.ended", {}, from));
      await baresip.event("CALL_CLOSED", fromBaresip);
      checkRecording(baresip);
    });
  }

  test("our phone calls it and hangs up; the recording is the tone that it says", async () => {
    const fromBaresip = baresip.mark;
    const file = household.path("caller.yaml");
    writeFileSync(file, phoneConfiguration("3003", "lobby-3003"));
    const recording = household.path("recording.wav");
    const caller = startPhone("caller", file, 32, [
      ...["--call", `sip:3001@${DOMAIN}`, "--record", recording, "--for", "3"],
    ]);
    await baresip.event("CALL_INCOMING", fromBaresip);
    baresip.command("accept");
    await caller.event("call.answered");
    checkAudio(await caller.event("call.ended"));
    await baresip.event("CALL_CLOSED", fromBaresip);
    await caller.process.exited;
    assert.equal(caller.process.exitCode, 0);
    const audio = readWav(readFileSync(recording));
    assert.ok(audio.kind === "audio");
    assert.ok(secondsOfTone(audio.samples, THEIRS_HERTZ) >= 1);
    assert.equal(secondsOfTone(audio.samples, OURS_HERTZ), 0);
    checkRecording(baresip);
  });

  test("our phone calls it, and it hangs up", async () => {
    const from = phone.mark;
    const fromBaresip = baresip.mark;
    phone.command({ do: "call", to: "3001" });
    await baresip.event("CALL_INCOMING", fromBaresip);
    baresip.command("accept");
    await phone.event("call.answered", {}, from);
    await baresip.hears(OURS_HERTZ, 1);
    baresip.command("hangup");
    checkAudio(await phone.event("call.ended", {}, from));
    await baresip.event("CALL_CLOSED", fromBaresip);
    checkRecording(baresip);
  });

  test("it refuses a call, and our phone says so", async () => {
    const from = phone.mark;
    const fromBaresip = baresip.mark;
    phone.command({ do: "call", to: "3001" });
    await baresip.event("CALL_INCOMING", fromBaresip);
    baresip.command("hangup");
    const ended = await phone.event("call.ended", {}, from);
    assert.match(String(ended.status), /^(486|603|480)$/);
  });

  test("our phone gives up while it rings, and it stops ringing", async () => {
    const from = phone.mark;
    const fromBaresip = baresip.mark;
    phone.command({ do: "call", to: "3001" });
    await baresip.event("CALL_INCOMING", fromBaresip);
    await phone.event("call.ringing", {}, from);
    phone.command({ do: "hangup" });
    await phone.event("call.ended", {}, from);
    await baresip.event("CALL_CLOSED", fromBaresip);
  });

  test("tshark found nothing malformed in any of it", async () => {
    assert.equal(await phone.stop(), 0);
    await baresip.process.stop();
    await server.event("binding.removed", { aor: /3001/ });
    assert.equal(await server.stop(), 0);
    await capture.assertClean({ sip: 51, rtp: 4 * SECOND_OF_PACKETS + 1 });
  });
});

function phoneConfiguration(user: string, password: string): string {
  return [
    "accounts:",
    `  - user: "${user}"`,
    `    password: ${password}`,
    "    servers:",
    `      - { address: ${DOMAIN}, transport: naptr, expires: 60 s }`,
  ].join("\n");
}

/** Of two seconds and more each side has sent, and our phone has received, most of one: a machine may be busy. */
function checkAudio(ended: DialtoneEvent): void {
  for (const direction of ["sent", "received"]) {
    const packets = Number(ended[direction]);
    assert.ok(packets > 0.8 * SECOND_OF_PACKETS, `${packets} packets ${direction}`);
  }
}

/** baresip has heard our tone, and not itself. */
function checkRecording(baresip: Baresip): void {
  const samples = baresip.heard();
  assert.ok(secondsOfTone(samples, OURS_HERTZ) >= 1, `of ${samples.length} samples`);
  assert.equal(secondsOfTone(samples, THEIRS_HERTZ), 0);
}
