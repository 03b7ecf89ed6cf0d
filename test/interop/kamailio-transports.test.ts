/**
 * Kamailio 5.6 as the registrar of our phone over UDP, TCP, TLS and WebSocket, plain and secure: it registers with
 * digest, calls and is called through it over that transport, and unregisters.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Capture } from "../support/capture.ts";
import { startDnsmasq } from "../support/dnsmasq.ts";
import { Kamailio } from "../support/kamailio.ts";
import { needs } from "../support/peers.ts";
import { Household } from "../support/processes.ts";
import { Dialtone } from "../support/processes-dialtone.ts";

const CERTIFICATES = join(import.meta.dirname, "..", "..", "..", "test", "node", "certificates");
/** The name that the certificate speaks for. */
const DOMAIN = "example.com";
const WS_PORT = 8080;
const TRANSPORTS = ["udp", "tcp", "tls", "ws", "wss"] as const;

describe("Kamailio as registrar", needs("kamailio", "dnsmasq", "tshark"), () => {
  let household: Household;
  let capture: Capture;
  let kamailio: Kamailio;
  let other: Dialtone;
  let dns: string;

  before(async () => {
    household = await Household.open(64);
    capture = await Capture.start(household);
    const address = household.address(13);
    kamailio = new Kamailio(household, "kamailio", {
      ...{ address, domain: DOMAIN, maxExpires: 60, tcp: true, ws: WS_PORT },
      users: { "3001": "gate-3001", "3002": "desk-3002" },
      tls: { certificate: join(CERTIFICATES, "server.pem"), key: join(CERTIFICATES, "server.key") },
    });
    const zone = { address: household.address(53), domain: DOMAIN, hosts: { a: address } };
    [dns] = await Promise.all([
      startDnsmasq(household, { ...zone, names: { [DOMAIN]: address } }),
      kamailio.start(),
    ]);
    other = startPhone("3002", "desk-3002", 32, { address, port: 5060, transport: "udp" });
    await other.event("registration.accepted");
  });

  after(async () => await household?.close());

  const startPhone = (user: string, password: string, last: number, server: object): Dialtone => {
    const file = household.path(`${user}.yaml`);
    const account = { user, password, domain: DOMAIN, servers: [server] };
    writeFileSync(file, JSON.stringify({ accounts: [account] }));
    const args = ["--dns", dns, "--bind", household.address(last)];
    const trust = ["--ca", join(CERTIFICATES, "authority.pem")];
    return new Dialtone(household, user, ["phone", "--config", file, ...args, ...trust]);
  };

  /** By name over TLS: that is what the certificate is checked for (R65). */
  const serverOver = (transport: (typeof TRANSPORTS)[number]): object => {
    const address = household.address(13);
    const secure = transport === "tls" || transport === "wss";
    if (secure) return { address: DOMAIN, port: 5061, transport };
    return { address, port: transport === "ws" ? WS_PORT : 5060, transport };
  };

  for (const transport of TRANSPORTS) {
    test(`over ${transport} it registers, calls, is called, keys arrive, and it leaves no binding`, async () => {
      const phone = startPhone("3001", "gate-3001", 31, serverOver(transport));
      const accepted = await phone.event("registration.accepted");
      assert.match(String(accepted.target), new RegExp(`^${transport}:${household.address(13)}:`));
      assert.equal(accepted.expires, 60);
      assert.equal((await kamailio.bindings("3001")).length, 1);

      for (const [caller, callee, number] of [
        [phone, other, "3002"],
        [other, phone, "3001"],
      ] as const) {
        const from = caller.mark;
        const fromCallee = callee.mark;
        caller.command({ do: "call", to: number });
        await caller.event("call.answered", {}, from);
        await caller.event("call.heard", {}, from);
        await callee.event("call.heard", {}, fromCallee);
        caller.command({ do: "keys", keys: "1#" });
        await callee.event("call.key-pressed", { key: "#" }, fromCallee);
        caller.command({ do: "hangup" });
        await caller.event("call.ended", { why: "hung-up" }, from);
        await callee.event("call.ended", { why: "peer-hung-up" }, fromCallee);
      }

      const peers = [...phone.messages("sent", ""), ...phone.messages("received", "")];
      const others = peers.filter(({ peer }) => !peer.startsWith(`${transport}:`));
      assert.deepEqual(others, []);
      assert.equal(await phone.stop(), 0);
      assert.deepEqual(await kamailio.bindings("3001"), []);
    });
  }

  test("tshark found nothing malformed in any of it", async () => {
    assert.equal(await other.stop(), 0);
    await capture.assertClean({ sip: 101, rtp: 21, sipOverTls: 11, sipOverWebSocket: 11 });
  });
});
