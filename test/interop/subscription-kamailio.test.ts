/**
 * Message waiting at two real Kamailio with presence and presence_mwi: the phone subscribes where it is
 * registered, hears of messages, and follows its registration when the first server dies.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { Capture } from "../support/capture.ts";
import { DOMAIN, PresenceServer } from "../support/kamailio-presence.ts";
import { needs } from "../support/peers.ts";
import { Household } from "../support/processes.ts";
import { Dialtone } from "../support/processes-dialtone.ts";

describe("message waiting at two Kamailio", needs("kamailio", "tshark"), () => {
  let household: Household;
  let capture: Capture;
  let primary: PresenceServer;
  let secondary: PresenceServer;
  let phone: Dialtone;
  let mailbox: string;

  before(async () => {
    household = await Household.open(45);
    capture = await Capture.start(household);
    primary = new PresenceServer(household, "primary", household.address(13));
    secondary = new PresenceServer(household, "secondary", household.address(14));
    mailbox = household.address(40);
    for (const server of [primary, secondary]) await server.ready(mailbox);
    const file = household.path("phone.yaml");
    writeFileSync(file, configurationOfPhone(primary.address, secondary.address));
    const args = ["phone", "--config", file, "--bind", household.address(31)];
    phone = new Dialtone(household, "phone", args);
  });

  after(async () => await household?.close());

  test("it subscribes where it is registered, and hears of a message (R112, R115)", async () => {
    await phone.event("subscription.accepted", {
      package: "message-summary",
      target: primary.target,
    });
    assert.match(await primary.deposit(mailbox, 3), / 200 /);
    await phone.event("message-waiting.changed", { waiting: true, new: 3, old: 0 });
  });

  test("the server killed, it is subscribed at the other in a dialog of its own (C1, C26)", async () => {
    const from = phone.mark;
    await primary.process.kill();
    const moved = { from: primary.target, to: secondary.target, limited: false };
    await phone.event("subscription.moved", moved, from);
    await phone.event("subscription.accepted", { target: secondary.target }, from);
    const sent = phone.messages("sent", "SUBSCRIBE ");
    const callIds = new Set(sent.map(({ text }) => /^Call-ID: (.*)$/m.exec(text)?.[1]));
    assert.equal(callIds.size, 2);
    assert.match(await secondary.deposit(mailbox, 7), / 200 /);
    await phone.event("message-waiting.changed", { new: 7 }, from);
  });

  test("stopped, it ends the subscription, and Kamailio's last NOTIFY is answered 200", async () => {
    const from = phone.mark;
    assert.equal(await phone.stop(), 0);
    const [last] = phone.messages("sent", "SUBSCRIBE ", from);
    assert.match(last?.text ?? "", /^Expires: 0$/m);
    const answers = phone.messages("sent", "SIP/2.0 ");
    assert.ok(answers.length >= 4);
    assert.ok(answers.every(({ startLine }) => startLine === "SIP/2.0 200 OK"));
  });

  test("tshark found nothing malformed in any of it", async () => {
    await capture.assertClean({ sip: 21 });
  });
});

function configurationOfPhone(...addresses: readonly string[]): string {
  return [
    "every-account: { registration: successive, register-backoff-base: 300 ms, register-backoff-max: 300 ms }",
    "every-server: { features: full, overlap: half, register-retries: 1 }",
    "accounts:",
    '  - user: "2001"',
    `    domain: ${DOMAIN}`,
    "    password: unasked",
    "    message-waiting: yes",
    "    servers:",
    ...addresses.map((address) => `      - { address: ${address}, port: 5060, transport: udp }`),
  ].join("\n");
}
