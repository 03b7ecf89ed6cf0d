/**
 * Presence at two real Kamailio that share nothing: one phone of ours publishes, another watches, and both follow their
 * registrations when the first server dies (RFC 3856, RFC 3903).
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { Capture } from "../support/capture.ts";
import { DOMAIN, PresenceServer } from "../support/kamailio-presence.ts";
import { needs } from "../support/peers.ts";
import { Household } from "../support/processes.ts";
import { Dialtone } from "../support/processes-dialtone.ts";

describe("presence at two Kamailio", needs("kamailio", "tshark"), () => {
  let household: Household;
  let capture: Capture;
  let primary: PresenceServer;
  let secondary: PresenceServer;
  let bob: Dialtone;
  let carol: Dialtone;

  before(async () => {
    household = await Household.open(46);
    capture = await Capture.start(household);
    primary = new PresenceServer(household, "primary", household.address(13));
    secondary = new PresenceServer(household, "secondary", household.address(14));
    for (const server of [primary, secondary]) await server.ready(household.address(40));
    carol = phone("carol", "2003", 33, "    presence-of: '2002'");
  });

  after(async () => await household?.close());

  function phone(name: string, user: string, place: number, wish: string): Dialtone {
    const file = household.path(`${name}.yaml`);
    const servers = [primary, secondary].map(
      ({ address }) => `      - { address: ${address}, port: 5060, transport: udp }`,
    );
    writeFileSync(
      file,
      [...HEAD, `  - user: "${user}"`, ...ACCOUNT, wish, "    servers:", ...servers].join("\n"),
    );
    const args = ["phone", "--config", file, "--bind", household.address(place)];
    return new Dialtone(household, name, args);
  }

  test("what one publishes the other is told (RFC 3903, RFC 3856)", async () => {
    await carol.event("subscription.accepted", { package: "presence", target: primary.target });
    bob = phone("bob", "2002", 32, "    publish-presence: yes");
    await bob.event("publication.accepted", { target: primary.target });
    await carol.event("presence.changed", { of: "2002", state: "open" });
  });

  test("the server killed, 412 from the other leads to a publication of its own, and the watcher hears it", async () => {
    const [published, watched] = [bob.mark, carol.mark];
    await primary.process.kill();
    await bob.event("publication.accepted", { target: secondary.target }, published);
    await carol.event("subscription.accepted", { target: secondary.target }, watched);
    const answers = bob.messages("received", "SIP/2.0 412", published);
    assert.equal(answers.length, 1);
    const from = carol.mark;
    assert.equal(await bob.stop(), 0);
    await carol.event("presence.changed", { of: "2002", state: "closed" }, from);
  });

  test("stopped, neither leaves anything behind", async () => {
    assert.equal(await carol.stop(), 0);
    const [last] = carol.messages("sent", "SUBSCRIBE ").slice(-1);
    assert.match(last?.text ?? "", /^Expires: 0$/m);
    const [removal] = bob.messages("sent", "PUBLISH ").slice(-1);
    assert.match(removal?.text ?? "", /^Expires: 0$/m);
    assert.match(removal?.text ?? "", /^SIP-If-Match: /m);
  });

  test("tshark found nothing malformed in any of it", async () => {
    await capture.assertClean({ sip: 21 });
  });
});

const HEAD = [
  "every-account: { registration: successive, register-backoff-base: 300 ms, register-backoff-max: 300 ms }",
  "every-server: { features: full, overlap: half, register-retries: 1 }",
  "accounts:",
];

const ACCOUNT = [`    domain: ${DOMAIN}`, "    password: unasked"];
