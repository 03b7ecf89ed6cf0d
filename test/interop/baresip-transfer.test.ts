/** Calls handed over between our phones and baresip 1.0, in either direction, at our server (RFC 3515). */
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
const OURS_HERTZ = 440;

describe("handing calls over, with baresip", needs("baresip", "dnsmasq", "tshark"), () => {
  let household: Household;
  let capture: Capture;
  let baresip: Baresip;
  let server: Dialtone;
  let desk: Dialtone;
  let lobby: Dialtone;

  before(async () => {
    household = await Household.open(76);
    capture = await Capture.start(household);
    const hosts = { a: household.address(13) };
    const dns = await startDnsmasq(household, {
      ...{ address: household.address(53), domain: DOMAIN, hosts },
    });
    const users = household.path("users.yaml");
    writeFileSync(users, "'3001': gate-3001\n'3002': desk-3002\n'3003': lobby-3003\n");
    server = new Dialtone(household, "server", [
      ...["serve", "--listen", `udp:${household.address(13)}:5060`, "--domain", DOMAIN],
      ...["--users", users, "--digest", "md5"],
    ]);
    await server.event("server.started");
    const phone = async (name: string, user: string, last: number): Promise<Dialtone> => {
      const file = household.path(`${name}.yaml`);
      writeFileSync(
        file,
        [
          "accounts:",
          `  - user: "${user}"`,
          `    password: ${name}-${user}`,
          `    servers: [{ address: ${DOMAIN}, transport: naptr, expires: 60 s }]`,
        ].join("\n"),
      );
      const started = new Dialtone(household, name, [
        ...["phone", "--config", file, "--dns", dns, "--bind", household.address(last)],
        ...["--answer", "auto"],
      ]);
      await started.event("registration.accepted");
      return started;
    };
    desk = await phone("desk", "3002", 31);
    lobby = await phone("lobby", "3003", 32);
    baresip = await Baresip.start(household, {
      ...{ address: household.address(20), dns, domain: DOMAIN, hertz: 1000 },
      ...{ user: "3001", password: "gate-3001" },
    });
    await server.event("binding.added", { aor: /3001/ });
  });

  after(async () => await household?.close());

  test("our phone hands baresip over to another phone, and is out of it", async () => {
    const closed = baresip.mark;
    desk.command({ do: "call", to: "3001" });
    await baresip.event("CALL_INCOMING", closed);
    baresip.command("accept");
    await desk.event("call.answered");
    await baresip.hears(OURS_HERTZ, 1);
    desk.command({ do: "transfer", to: "3003" });
    await lobby.event("call.answered", { peer: /3001/ });
    await desk.event("call.transferred");
    await desk.event("call.ended", { why: "transferred" });
    const answered = lobby.mark;
    lobby.command({ do: "hangup" });
    await lobby.event("call.ended", {}, answered);
  });

  test("baresip hands our phone over to another phone, and is out of it", async () => {
    const [atDesk, atLobby, closed] = [desk.mark, lobby.mark, baresip.mark];
    baresip.command("dial", `sip:3002@${DOMAIN}`);
    await baresip.event("CALL_ESTABLISHED", closed);
    baresip.command("transfer", `sip:3003@${DOMAIN}`);
    await desk.event("call.referred", { to: /3003/ }, atDesk);
    await lobby.event("call.answered", { peer: /3002/ }, atLobby);
    await baresip.event("CALL_CLOSED", closed);
    await desk.event("call.ended", { why: "peer-hung-up" }, atDesk);
    desk.command({ do: "hangup" });
    await lobby.event("call.ended", {}, atLobby);
  });

  test("tshark found nothing malformed in any of it", async () => {
    for (const phone of [desk, lobby]) assert.equal(await phone.stop(), 0);
    await baresip.process.stop();
    assert.equal(await server.stop(), 0);
    await capture.assertClean({ sip: 51 });
  });
});
