/**
 * baresip 1.0 with two flows over TCP, one to each node of our system (RFC 5626): it is one phone, and it is called
 * over whichever flow is left.
 */
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

describe("baresip with outbound at two of our nodes", needs("baresip", "dnsmasq", "tshark"), () => {
  let household: Household;
  let capture: Capture;
  let one: Dialtone;
  let two: Dialtone;
  let baresip: Baresip;
  let phone: Dialtone;

  before(async () => {
    household = await Household.open(48);
    capture = await Capture.start(household);
    const hosts = { a: household.address(13), b: household.address(14) };
    const dns = await startDnsmasq(household, {
      ...{ address: household.address(53), domain: DOMAIN, hosts },
    });
    const users = household.path("users.yaml");
    writeFileSync(users, "'3001': gate-3001\n'3002': desk-3002\n");
    const node = async (name: string, last: number): Promise<Dialtone> => {
      const place = `${household.address(last)}:5060`;
      const server = new Dialtone(household, name, [
        ...["serve", "--name", name, "--listen", `udp:${place}`, "--listen", `tcp:${place}`],
        ...["--domain", DOMAIN, "--users", users, "--digest", "md5"],
        ...["--store", household.path("store")],
      ]);
      await server.event("server.started");
      return server;
    };
    one = await node("one", 13);
    two = await node("two", 14);
    const proxy = (last: number): string => `sip:${household.address(last)};transport=tcp`;
    baresip = await Baresip.start(household, {
      ...{ address: household.address(20), dns, domain: DOMAIN, hertz: 1000 },
      ...{ user: "3001", password: "gate-3001" },
      parameters: `;sipnat=outbound;outbound1="${proxy(13)}";outbound2="${proxy(14)}"`,
    });
    const file = household.path("phone.yaml");
    writeFileSync(
      file,
      [
        "accounts:",
        '  - user: "3002"',
        `    domain: ${DOMAIN}`,
        "    password: desk-3002",
        "    servers:",
        `      - { address: ${household.address(14)}, port: 5060, transport: udp }`,
      ].join("\n"),
    );
    phone = new Dialtone(household, "phone", [
      ...["phone", "--config", file, "--dns", dns, "--bind", household.address(31)],
    ]);
    await phone.event("registration.accepted");
  });

  after(async () => await household?.close());

  test("each flow is a binding by its reg-id, and it is told so (R89, R100)", async () => {
    const answers = await Promise.all(
      [one, two].map(async (node) => {
        await node.event("binding.added", { aor: /3001/ });
        return node.process.until("an answer to its REGISTER", () =>
          node.messages("sent", "SIP/2.0 200 ").find(({ text }) => /^To: .*3001/m.test(text)),
        );
      }),
    );
    const numbers = new Set<string | undefined>();
    for (const { text, peer } of answers) {
      assert.match(peer, /^tcp:/);
      assert.match(text, /^Require: outbound\r$/m);
      assert.match(text, /^Flow-Timer: 120\r$/m);
      for (const [, regId] of text.matchAll(/reg-id=(\d+)/g)) numbers.add(regId);
    }
    assert.deepEqual([...numbers].sort(), ["1", "2"]);
  });

  /** Between the nodes, and to our phone, goes UDP. */
  const invitesToIt = (from: readonly [number, number]): number =>
    [one, two]
      .flatMap((node, index) => node.messages("sent", "INVITE ", from[index]))
      .filter(({ peer }) => peer.startsWith("tcp:")).length;

  test("it rings once, over one of them (R101)", async () => {
    const marks = [one.mark, two.mark] as const;
    const from = phone.mark;
    const heard = baresip.mark;
    phone.command({ do: "call", to: "3001" });
    await baresip.event("CALL_INCOMING", heard);
    baresip.command("accept");
    await phone.event("call.heard", {}, from);
    baresip.command("hangup");
    await phone.event("call.ended", {}, from);
    await baresip.event("CALL_CLOSED", heard);
    assert.equal(invitesToIt(marks), 1);
    assert.equal(
      baresip.events.slice(heard).filter(({ type }) => type === "CALL_INCOMING").length,
      1,
    );
  });

  test("one node killed, it is called over the flow to the other (R93, R101)", async () => {
    await one.process.kill();
    const from = phone.mark;
    const heard = baresip.mark;
    phone.command({ do: "call", to: "3001" });
    await baresip.event("CALL_INCOMING", heard);
    baresip.command("accept");
    await phone.event("call.heard", {}, from);
    phone.command({ do: "hangup" });
    await phone.event("call.ended", {}, from);
    await baresip.event("CALL_CLOSED", heard);
  });

  test("tshark found nothing malformed in any of it", async () => {
    assert.equal(await phone.stop(), 0);
    await baresip.process.stop();
    assert.equal(await two.stop(), 0);
    await capture.assertClean({ sip: 31 });
  });
});
