/**
 * SIPp against our servers: its own uac and uas with two nodes between them that share a store, REGISTER with digest
 * over UDP and TCP, and Wireshark's opinion of every packet.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Capture } from "../support/capture.ts";
import { findPeer, needs } from "../support/peers.ts";
import { Household, type Running } from "../support/processes.ts";
import { Dialtone } from "../support/processes-dialtone.ts";

const CALLS = 500;

/** From dist/test/interop to the sources. */
const SCENARIOS = join(import.meta.dirname, "..", "..", "..", "test", "interop", "sipp");

/** A REGISTER that answers the challenge, as SIPp's authentication keyword does it (MD5). */
const REGISTER_SCENARIO = `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="register">
  <send retrans="500"><![CDATA[
    REGISTER sip:example.com SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: <sip:[field0]@example.com>;tag=[call_number]
    To: <sip:[field0]@example.com>
    Call-ID: [call_id]
    CSeq: 1 REGISTER
    Contact: <sip:[field0]@[local_ip]:[local_port];transport=[transport]>
    Max-Forwards: 70
    Expires: 600
    Content-Length: 0

  ]]></send>
  <recv response="100" optional="true"/>
  <recv response="401" auth="true"/>
  <send retrans="500"><![CDATA[
    REGISTER sip:example.com SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: <sip:[field0]@example.com>;tag=[call_number]
    To: <sip:[field0]@example.com>
    Call-ID: [call_id]
    CSeq: 2 REGISTER
    Contact: <sip:[field0]@[local_ip]:[local_port];transport=[transport]>
    [field1]
    Max-Forwards: 70
    Expires: 600
    Content-Length: 0

  ]]></send>
  <recv response="200"/>
</scenario>
`;

describe("SIPp and our servers", needs("sipp", "tshark"), () => {
  let household: Household;
  let capture: Capture;

  before(async () => {
    household = await Household.open(63);
    capture = await Capture.start(household);
  });

  after(async () => await household?.close());

  const sipp = (name: string, args: readonly string[]): Running =>
    household.spawn(name, findPeer("sipp") as string, [...args, "-nostdin"]);

  const serve = async (name: string, last: number, more: readonly string[]): Promise<Dialtone> => {
    const place = `${household.address(last)}:5060`;
    const listen = ["--listen", `udp:${place}`, "--listen", `tcp:${place}`];
    const args = ["serve", ...listen, "--domain", "example.com", "--name", name, ...more];
    const server = new Dialtone(household, name, args);
    await server.event("server.started");
    return server;
  };

  test(`${CALLS} calls of SIPp's uac reach SIPp's uas through two servers that share a store`, async () => {
    const store = household.path("store");
    const shared = ["--open", "--store", store];
    const one = await serve("one", 11, shared);
    const two = await serve("two", 12, shared);
    // On a machine that stood still an INVITE may come again when its 200 is out: no reason to give the call up.
    const uas = sipp("uas", [
      ...["-sn", "uas", "-default_behaviors", "all,-abortunexp"],
      ...["-i", household.address(13), "-p", "5060"],
    ]);

    const injected = household.path("service.csv");
    writeFileSync(injected, "SEQUENTIAL\nservice;\n");
    const scenario = household.path("plain.xml");
    const path = `sip:${household.address(12)}:5060;lr`;
    writeFileSync(scenario, edgeRegister(household.address(13), path));
    const register = sipp("register", [
      ...[`${household.address(12)}:5060`, "-sf", scenario, "-inf", injected, "-m", "1"],
      ...["-i", household.address(14), "-p", "5060"],
    ]);
    await register.exited;
    assert.equal(register.exitCode, 0, register.lines.slice(-20).join("\n"));

    const errors = household.path("uac.errors");
    const uac = sipp("uac", [
      ...["-sf", join(SCENARIOS, "pair-caller.xml"), `${household.address(11)}:5060`],
      ...["-s", "service", "-i", household.address(15), "-p", "5060"],
      ...["-m", String(CALLS), "-r", "50", "-trace_err", "-error_file", errors],
    ]);
    await uac.exited;
    const complaint = existsSync(errors) ? readFileSync(errors, "utf8") : "";
    assert.equal(uac.exitCode, 0, complaint.slice(0, 4_000) + uac.lines.slice(-40).join("\n"));
    await uas.stop();
    assert.equal(await one.stop(), 0);
    assert.equal(await two.stop(), 0);
    for (const server of [one, two]) {
      assert.equal(server.all("call.answered").length, CALLS);
      assert.equal(server.all("call.ended").length, CALLS);
    }
  });

  for (const [transport, flag] of [
    ["UDP", "u1"],
    ["TCP", "t1"],
  ] as const) {
    test(`SIPp registers 50 users with digest over ${transport}`, async () => {
      const names = Array.from({ length: 50 }, (_, index) => `user${index}`);
      const users = household.path("users.yaml");
      writeFileSync(users, names.map((name) => `${name}: pw-${name}\n`).join(""));
      const injected = household.path("users.csv");
      const lines = names.map(
        (name) => `${name};[authentication username=${name} password=pw-${name}]`,
      );
      writeFileSync(injected, `SEQUENTIAL\n${lines.join("\n")}\n`);
      const scenario = household.path("register.xml");
      writeFileSync(scenario, REGISTER_SCENARIO);
      const server = await serve("registrar", 21, ["--users", users]);
      const register = sipp("register", [
        ...[`${household.address(21)}:5060`, "-sf", scenario, "-inf", injected, "-m", "50"],
        ...["-i", household.address(22), "-p", "5060", "-t", flag, "-r", "50"],
      ]);
      await register.exited;
      assert.equal(await server.stop(), 0);
      assert.equal(register.exitCode, 0, register.lines.slice(-40).join("\n"));
      assert.equal(server.all("binding.added").length, 50);
    });
  }

  test("Wireshark finds no fault in any packet of it", async () => {
    await capture.assertClean({ sip: CALLS * 20 + 1 });
  });
});

/**
 * One REGISTER of `service` at another address than SIPp's own, as an edge passes it on: by its path alone `service` is
 * to be reached (RFC 3327), so that nothing goes past a server that a busy machine holds up.
 */
function edgeRegister(contact: string, path: string): string {
  return `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="edge register">
  <send retrans="500"><![CDATA[
    REGISTER sip:example.com SIP/2.0
    Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
    Via: SIP/2.0/UDP ${contact}:5060;branch=z9hG4bK-service
    From: <sip:[field0]@example.com>;tag=[call_number]
    To: <sip:[field0]@example.com>
    Call-ID: [call_id]
    CSeq: 1 REGISTER
    Contact: <sip:[field0]@${contact}:5060>
    Path: <${path}>
    Supported: path
    Max-Forwards: 70
    Expires: 600
    Content-Length: 0

  ]]></send>
  <recv response="200"/>
</scenario>
`;
}
