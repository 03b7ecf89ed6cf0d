/** Voicemail at our server with baresip 1.0: a call that it refuses is recorded, its lamp is lit, and it hears it. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { Baresip } from "../support/baresip.ts";
import { Capture } from "../support/capture.ts";
import { startDnsmasq } from "../support/dnsmasq.ts";
import { needs } from "../support/peers.ts";
import { Household } from "../support/processes.ts";
import { Dialtone } from "../support/processes-dialtone.ts";

const DOMAIN = "pbx.example.com";
/** What our phone says. */
const OURS_HERTZ = 440;

const USERS = [
  "'3001': {password: gate-3001, voicemail: '500'}",
  "'3002': {password: desk-3002, voicemail: '500'}",
  "",
];

describe("voicemail at our server, with baresip", needs("baresip", "dnsmasq", "tshark"), () => {
  let household: Household;
  let capture: Capture;
  let server: Dialtone;
  let baresip: Baresip;
  let phone: Dialtone;

  before(async () => {
    household = await Household.open(72);
    capture = await Capture.start(household);
    const hosts = { a: household.address(13) };
    const dns = await startDnsmasq(household, {
      ...{ address: household.address(53), domain: DOMAIN, hosts },
    });
    const users = household.path("users.yaml");
    writeFileSync(users, USERS.join("\n"));
    server = new Dialtone(household, "server", [
      ...["serve", "--listen", `udp:${household.address(13)}:5060`, "--domain", DOMAIN],
      ...["--users", users],
    ]);
    await server.event("voicemail.started");
    baresip = await Baresip.start(household, {
      ...{ address: household.address(20), dns, domain: DOMAIN, hertz: 1000 },
      ...{ user: "3001", password: "gate-3001", parameters: ";mwi=yes" },
      applications: ["mwi.so"],
    });
    await server.event("binding.added", { aor: /3001/ });
    const file = household.path("phone.yaml");
    writeFileSync(file, phoneFile());
    const flags = ["--config", file, "--dns", dns, "--bind", household.address(31)];
    phone = new Dialtone(household, "phone", ["phone", ...flags]);
    await phone.event("registration.accepted");
  });

  after(async () => await household?.close());

  test("a call that baresip refuses is answered by the box, and its lamp is lit", async () => {
    const mark = baresip.mark;
    phone.command({ do: "call", to: "3001" });
    await baresip.event("CALL_INCOMING", mark);
    baresip.command("hangup");
    await server.event("call.diverted", { from: `sip:3001@${DOMAIN}` });
    await phone.event("call.answered");
    await baresip.event("MWI_NOTIFY", mark);
    phone.command({ do: "hangup" });
    await server.event("voice-message.left", { user: "3001", from: `sip:3002@${DOMAIN}` });
  });

  test("baresip calls the number of the box, and hears what was said", async () => {
    const mark = baresip.mark;
    baresip.command("dial", `sip:500@${DOMAIN}`);
    await baresip.event("CALL_ESTABLISHED", mark);
    await baresip.hears(OURS_HERTZ, 1);
    baresip.command("hangup");
    await baresip.event("CALL_CLOSED", mark);
  });

  test("gone, all of them, and tshark found nothing malformed", async () => {
    baresip.command("quit");
    await baresip.process.exited;
    await phone.stop();
    assert.equal(await server.stop(), 0);
    await capture.assertClean({ sip: 20 });
  });
});

function phoneFile(): string {
  return [
    "accounts:",
    '  - user: "3002"',
    "    password: desk-3002",
    "    servers:",
    `      - { address: ${DOMAIN}, transport: naptr, expires: 60 s }`,
  ].join("\n");
}
