/** baresip 1.0 and our phone at our server: each publishes its presence and watches the other (RFC 3856, RFC 3903). */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { Baresip } from "../support/baresip.ts";
import { needs } from "../support/peers.ts";
import {
  DOMAIN,
  patience,
  ServerAndPhone,
  THEIR_ACCOUNT,
  THEIRS_HERTZ,
} from "./server-and-phone.ts";

/**
 * baresip 1.0 publishes twice when it starts, often before it has the entity-tag of the first: one of the two is never
 * renewed, and what it says ends with it.
 */
const PUBLISHED_SECONDS = 10;

describe("baresip's presence at our server", needs("baresip", "tshark"), () => {
  let stage: ServerAndPhone;
  let baresip: Baresip;
  const told: string[] = [];

  /** Resolves when our phone is told that of baresip. */
  async function shows(state: string): Promise<void> {
    while (told.at(-1) !== state) await once(stage.phone, "presence.changed", patience());
  }

  before(async () => {
    stage = await ServerAndPhone.open(68, { presenceOf: ["3001"], publishPresence: true });
    stage.phone.on("presence.changed", ({ of, state }) => {
      assert.equal(of, "3001");
      told.push(state);
    });
    const { household } = stage;
    baresip = await Baresip.start(household, {
      ...{ ...THEIR_ACCOUNT, address: household.address(20), hertz: THEIRS_HERTZ },
      parameters: `;outbound="${stage.uri("udp")}";pubint=${PUBLISHED_SECONDS}`,
      applications: ["contact.so", "presence.so"],
      contacts: [`"Desk" <sip:3002@${DOMAIN}>;presence=p2p`],
    });
  });

  after(async () => await stage?.close());

  test("it publishes with digest, and our phone sees it come", async () => {
    await stage.server.event("publication.accepted", {
      aor: `3001@${DOMAIN}`,
      expires: PUBLISHED_SECONDS,
    });
    await shows("open");
  });

  test("it watches our phone, and takes what it is told (RFC 6665)", async () => {
    const { server } = stage;
    const header = (text: string, name: string): string | undefined =>
      new RegExp(`^${name}: (.*?)\\r?$`, "m").exec(text)?.[1];
    await server.process.until("a NOTIFY of our phone's presence that baresip has taken", () => {
      const [notify] = server
        .messages("sent", "NOTIFY sip:3001")
        .filter(({ text }) => text.includes(`entity="sip:3002@${DOMAIN}"`));
      if (notify === undefined) return undefined;
      assert.match(notify.text, /<basic>open<\/basic>/);
      return server
        .messages("received", "SIP/2.0 200", notify.index)
        .find(({ text }) => header(text, "Call-ID") === header(notify.text, "Call-ID"));
    });
  });

  test("it says that it is offline, and is back", async () => {
    baresip.command("presence_offline");
    await shows("closed");
    baresip.command("presence_online");
    await shows("open");
  });

  test("gone, it is there no more, and tshark found nothing malformed", async () => {
    baresip.command("quit");
    await baresip.process.exited;
    await stage.server.event("publication.removed", { aor: `3001@${DOMAIN}` });
    await shows("closed");
    await stage.assertClean({ sip: 31 });
  });
});
