/** baresip 1.0 as a subscriber at our server: it asks for its messages with digest, and hears of each change (R115). */
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
const TOKEN = "opensesame";

describe("baresip's messages at our server", needs("baresip", "dnsmasq", "tshark"), () => {
  let household: Household;
  let capture: Capture;
  let server: Dialtone;
  let baresip: Baresip;
  let base: string;

  before(async () => {
    household = await Household.open(67);
    capture = await Capture.start(household);
    const hosts = { a: household.address(13) };
    const dns = await startDnsmasq(household, {
      address: household.address(53),
      domain: DOMAIN,
      hosts,
    });
    const users = household.path("users.yaml");
    writeFileSync(users, '"3001": {password: gate-3001, voicemail: "500"}\n');
    process.env.DIALTONE_TOKEN = TOKEN;
    server = new Dialtone(household, "server", [
      ...["serve", "--listen", `udp:${household.address(13)}:5060`, "--domain", DOMAIN],
      ...["--users", users, "--http", `${household.address(13)}:0`],
    ]);
    delete process.env.DIALTONE_TOKEN;
    const { port } = await server.event("http.started");
    base = `http://${household.address(13)}:${Number(port)}`;
    await server.event("server.started");
    // Whatever befalls baresip before it can be steered nobody is told: until then it knocks in vain.
    server.command({ do: "drop" });
    await server.event("command.obeyed", { do: "drop" });
    baresip = await Baresip.start(household, {
      ...{ address: household.address(20), dns, domain: DOMAIN, hertz: 1000 },
      ...{ user: "3001", password: "gate-3001", parameters: ";mwi=yes" },
      applications: ["mwi.so"],
    });
    server.command({ do: "heal" });
  });

  after(async () => await household?.close());

  const deposit = async (fresh: number, old: number): Promise<number> => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const path = `/messages/3001?new=${fresh}&old=${old}`;
    return (await fetch(base + path, { method: "PUT", headers })).status;
  };

  test("it subscribes, and is told at once that no message waits (R112)", async () => {
    const { param } = await baresip.event("MWI_NOTIFY");
    assert.match(String(param), /Messages-Waiting: no\r?\n/);
    assert.match(String(param), /Message-Account: sip:500@pbx\.example\.com/);
  });

  test("a message comes, and is heard of in the same dialog (R115)", async () => {
    const from = baresip.mark;
    assert.equal(await deposit(2, 1), 204);
    const { param } = await baresip.event("MWI_NOTIFY", from);
    assert.match(String(param), /Messages-Waiting: yes.*Voice-Message: 2\/1/s);
    const callIds = server
      .messages("sent", "NOTIFY ")
      .map(({ text }) => /^Call-ID: (.*)$/m.exec(text)?.[1]);
    assert.equal(new Set(callIds).size, 1);
  });

  test("gone, it is subscribed no more, and tshark found nothing malformed", async () => {
    const from = server.mark;
    baresip.command("quit");
    await baresip.process.exited;
    const last = await server.process.until(
      "its last SUBSCRIBE",
      () => server.messages("received", "SUBSCRIBE ", from)[0],
    );
    assert.match(last.text, /^Expires: 0\r?$/m);
    assert.equal(await server.stop(), 0);
    await capture.assertClean({ sip: 9 });
  });
});
