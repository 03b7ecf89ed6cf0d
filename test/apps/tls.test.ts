/** TLS from the command line: our own authority, the makers' TLS samples at real listeners, and wrong files told. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { DnsServer } from "../../src/apps/lab/dns-server.ts";
import { readZone } from "../../src/apps/lab/zone-file.ts";
import { authority, certificate, certificateOf, key } from "../node/certificates.ts";
import { Household, type Running } from "../support/processes.ts";
import { Dialtone } from "../support/processes-dialtone.ts";

const CLI = join(import.meta.dirname, "..", "..", "src", "apps", "cli.js");
const SAMPLES = join(import.meta.dirname, "..", "..", "..", "examples", "provisioning");
const DNS_PORT = 5353;

let household: Household;
let dns: DnsServer;

before(async () => {
  household = await Household.open(55);
  for (const [name, text] of [
    ["ca.pem", authority],
    ["example.pem", certificate],
    ["pbx.pem", certificateOf("pbx")],
    ["expired.pem", certificateOf("expired")],
    ["key.pem", key],
  ] as const) {
    writeFileSync(household.path(name), text);
  }
  const zone = `
example.com. IN A ${household.address(7)}
a.pbx.example.com. IN A ${household.address(1)}
b.pbx.example.com. IN A ${household.address(2)}
voip.example.net. IN NAPTR 100 50 "s" "SIP+D2U" "" _sip._udp.voip.example.net.
_sip._udp.voip.example.net. IN SRV 10 60 5060 edge.example.net.
edge.example.net. IN A ${household.address(3)}
`;
  dns = new DnsServer({ zone: readZone(zone).zone });
  await dns.listen(household.address(9), DNS_PORT);
});

after(async () => {
  await dns.close();
  await household.close();
});

describe("the makers' samples over TLS", () => {
  const servers: Dialtone[] = [];

  /** A server at an address, over TLS and over what the samples want besides. */
  async function serve(last: number, domain: string, listen: readonly string[]): Promise<Dialtone> {
    const users = household.path("users.yaml");
    const lines = [
      ...['"2007": office-2007', '"2008": office-2007', '"31": provider-31'],
      ...['"4006": ward-4006', '"4007": ward-4007'],
    ];
    writeFileSync(users, `${lines.join("\n")}\n`);
    const places = listen.flatMap((place) => ["--listen", place]);
    const pem = ["--certificate", household.path("pbx.pem"), "--key", household.path("key.pem")];
    const args = ["serve", ...places, "--domain", domain, "--users", users];
    const server = new Dialtone(household, `server-${last}`, [...args, ...pem]);
    servers.push(server);
    await server.event("server.started");
    return server;
  }

  /** A phone with a sample's file, whose addresses are this household's. */
  function phone(sample: string, user: string, last: number, ca = true): Dialtone {
    const text = readFileSync(join(SAMPLES, sample), "utf8")
      .replaceAll("192.0.2.15", household.address(3))
      .replaceAll("192.0.2.16", household.address(4))
      .replaceAll(/(user_name|auth_name) = 2007/g, `$1 = ${user}`);
    const file = household.path(`${last}-${sample}`);
    writeFileSync(file, text);
    const resolver = ["--dns", `${household.address(9)}:${DNS_PORT}`];
    const args = ["phone", "--config", file, ...resolver, "--bind", household.address(last)];
    const trust = ca ? ["--ca", household.path("ca.pem")] : [];
    return new Dialtone(household, `phone-${last}`, [...args, ...trust, "--port", "0"]);
  }

  before(async () => {
    const [one, two, three, four] = [1, 2, 3, 4].map((last) => household.address(last));
    await Promise.all([
      serve(1, "a.pbx.example.com", [`tls:${one}:5061`]),
      serve(2, "b.pbx.example.com", [`tls:${two}:5061`]),
      serve(3, "voip.example.net", [`udp:${three}:5060`, `tcp:${three}:5060`, `udp:${four}:5060`]),
    ]);
  });

  test("Y7 registers at both over TLS and at the provider, calls over TLS, and over the other when one dies", async () => {
    const caller = phone("Y7-tls-two-accounts.cfg", "2007", 11);
    const callee = phone("Y7-tls-two-accounts.cfg", "2008", 12);
    for (const one of [caller, callee]) {
      await one.event("registration.accepted", { server: 1, target: /^tls:/ });
      await one.event("registration.accepted", { server: 2, target: /^tls:/ });
      await one.event("registration.accepted", { account: "31", target: /^udp:/ });
    }
    for (const last of [1, 2]) {
      const from = caller.mark;
      caller.command({ do: "call", to: "2008" });
      await caller.event("call.heard", {}, from);
      const sent = caller.messages("sent", "INVITE", from).map(({ peer }) => peer);
      assert.equal(sent.at(-1), `tls:${household.address(last)}:5061`);
      caller.command({ do: "hangup" });
      await caller.event("call.ended", {}, from);
      if (last === 2) break;
      servers[0]?.process.signal("SIGKILL");
      await servers[0]?.process.exited;
      await caller.event("server.fell-back", { from: 1, to: 2 }, from);
    }
    assert.equal(await caller.stop(), 0);
    assert.equal(await callee.stop(), 0);
    await serve(1, "a.pbx.example.com", [`tls:${household.address(1)}:5061`]);
  });

  test("P6 has eight registrations, four of them over TLS, and is called over TLS", async () => {
    const called = phone("P6-tls-four-servers.xml", "", 13);
    for (const account of ["4006", "4007"]) {
      for (const [server, target] of [/^tls:/, /^tls:/, /^tcp:/, /^udp:/].entries()) {
        await called.event("registration.accepted", { account, server: server + 1, target });
      }
    }
    const caller = phone("Y7-tls-two-accounts.cfg", "2007", 14);
    await caller.event("registration.accepted", { server: 1 });
    const from = caller.mark;
    caller.command({ do: "call", to: "4007" });
    await caller.event("call.heard", {}, from);
    await called.event("call.heard");
    const [invite] = called.messages("received", "INVITE");
    assert.match(invite?.peer ?? "", /^tls:/);
    assert.equal(await caller.stop(), 0);
    assert.equal(await called.stop(), 0);
  });

  test("without the authority nothing is sent over TLS, and the event says why (R104)", async () => {
    const doubting = phone("Y7-tls-two-accounts.cfg", "2007", 15, false);
    const failed = await doubting.event("attempt.failed", { target: /^tls:/ });
    assert.equal(failed.why, "tls");
    await doubting.event("registration.accepted", { account: "31" });
    assert.deepEqual(
      doubting.messages("sent", "REGISTER").filter(({ peer }) => peer.startsWith("tls:")),
      [],
    );
    assert.equal(await doubting.stop(), 0);
  });
});

test("where certificates are demanded a phone that shows one registers, and one that has none does not", async () => {
  const pem = (name: string): string => household.path(`${name}.pem`);
  const ca = ["--ca", pem("ca")];
  const own = ["--certificate", pem("example"), "--key", pem("key")];
  const server = new Dialtone(household, "demanding", [
    ...["serve", "--listen", `tls:${household.address(7)}:5061`, "--domain", "example.com"],
    ...["--open", "--clients", "demanded", ...ca, ...own],
  ]);
  await server.event("server.started");
  const config = household.path("demanded.yaml");
  const account = "{ user: alice, servers: [{ address: example.com, transport: tls }] }";
  writeFileSync(config, `accounts: [${account}]\n`);
  const phone = (last: number, more: readonly string[]): Dialtone =>
    new Dialtone(household, `demanded-${last}`, [
      ...["phone", "--config", config, "--dns", `${household.address(9)}:${DNS_PORT}`],
      ...["--bind", household.address(last), "--port", "0", ...ca, ...more],
    ]);
  const known = phone(16, own);
  await known.event("registration.accepted", { target: /^tls:/ });
  const unknown = phone(17, []);
  await unknown.event("attempt.failed", { target: /^tls:/ });
  for (const one of [known, unknown, server]) assert.equal(await one.stop(), 0);
});

describe("wrong files are told before anything starts: exit 2, with what to do", () => {
  async function refusal(args: readonly string[]): Promise<string> {
    const listen = ["--listen", `tls:${household.address(5)}:5061`, "--domain", "example.com"];
    const all = [CLI, "serve", ...listen, "--open", ...args];
    const server: Running = household.spawn("refused", process.execPath, all);
    await server.exited;
    assert.equal(server.exitCode, 2, server.lines.join("\n"));
    return server.lines.join("\n");
  }

  const pem = (name: string): string => household.path(`${name}.pem`);

  test("a certificate that is not there, and a key that is none", async () => {
    const told = await refusal(["--certificate", pem("gone"), "--key", pem("ca")]);
    assert.match(told, /--certificate: .*gone\.pem cannot be read: ENOENT.*; name a PEM file/);
    assert.match(told, /--key: .*ca\.pem holds no key that can be read: .*; name a PEM file/);
  });

  test("the key of another certificate", async () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    writeFileSync(pem("other"), privateKey.export({ type: "pkcs8", format: "pem" }));
    const told = await refusal(["--certificate", pem("example"), "--key", pem("other")]);
    assert.match(told, /--key: .*other\.pem is not the key of .*example\.pem; name the key/);
  });

  test("an expired certificate, with the day", async () => {
    const told = await refusal(["--certificate", pem("expired"), "--key", pem("key")]);
    assert.match(
      told,
      /--certificate: .*expired\.pem expired on \w+ .* \d{4} GMT; have it renewed/,
    );
  });

  test("a certificate without its key, an authority that is none, clients whose authority is not named", async () => {
    const lone = ["--certificate", pem("example")];
    const told = await refusal([...lone, "--ca", pem("key"), "--clients", "some"]);
    assert.match(told, /--certificate: stands without --key; write --key FILE/);
    assert.match(told, /--ca: .*key\.pem holds no certificate; name a PEM file/);
    assert.match(told, /--clients: 'some' is not known; write anonymous, asked, demanded/);
    const both = ["--certificate", pem("example"), "--key", pem("key")];
    assert.match(await refusal([...both, "--clients", "demanded"]), /; write --ca FILE/);
  });

  test("a certificate for other domains is told, and lived with", async () => {
    const listen = ["--listen", `tls:${household.address(6)}:5061`, "--domain", "example.org"];
    const both = ["--certificate", pem("example"), "--key", pem("key")];
    const args = [CLI, "serve", ...listen, "--open", ...both];
    const server = household.spawn("misnamed", process.execPath, args);
    await server.line(/server\.started/);
    assert.match(
      server.lines.join("\n"),
      /example\.pem does not speak for example\.org: .*RFC 5922/,
    );
    server.signal("SIGTERM");
    await server.exited;
    assert.equal(server.exitCode, 0);
  });
});
