/** `dialtone phone` as a process: when its call is placed, and how it ends. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Household, type Running } from "../support/processes.ts";
import { Dialtone } from "../support/processes-dialtone.ts";

const CLI = join(import.meta.dirname, "..", "..", "src", "apps", "cli.js");

describe("dialtone phone --call", () => {
  let household: Household;

  before(async () => {
    household = await Household.open(56);
  });

  after(() => household.close());

  /** A phone of our own dialect whose account and servers say this too. */
  function phone(name: string, servers: readonly string[], account = ""): Running {
    const file = household.path(`${name}.yaml`);
    const list = servers.map((server) => `      - { ${server}, transport: udp }`).join("\n");
    writeFileSync(file, `accounts:\n  - user: "2001"\n${account}\n    servers:\n${list}\n`);
    const bind = ["--bind", household.address(9), "--port", "0"];
    const args = [CLI, "phone", "--config", file, ...bind, "--call", "2002", "--json"];
    return household.spawn(name, process.execPath, args);
  }

  /** Where nothing listens. */
  const dead = (last: number): string => `address: ${household.address(last)}, port: 5060`;

  test("where no server takes the registration, the call is tried once all have failed, and tells", async () => {
    const bold = phone("bold", [dead(2), dead(3)]);
    await bold.exited;
    const told = bold.lines.join("\n");
    assert.match(
      told,
      /"registration\.failed".*"server":1[\s\S]*"registration\.failed".*"server":2/,
    );
    assert.match(told, /"call\.started"[\s\S]*"call\.ended"/);
    assert.equal(bold.exitCode, 1);
  });

  test("where calls need a registration, it ends and says what every server said", async () => {
    const strict = phone("strict", [dead(2), dead(3)], "    invite-unregistered: false");
    await strict.exited;
    const told = strict.lines.join("\n");
    assert.match(told, /--call: no server took a registration \(2001 at server 1: transport, /);
    assert.doesNotMatch(told, /call\.started/);
    assert.equal(strict.exitCode, 1);
  });

  test("an account that registers nowhere calls at once", async () => {
    const server = createSocket("udp4");
    server.bind(0, household.address(4));
    await once(server, "listening");
    const place = `address: ${household.address(4)}, port: ${server.address().port}`;
    const free = phone("free", [`${place}, register: false`, `${dead(3)}, register: false`]);
    const [invite, from] = (await once(server, "message")) as [Buffer, { port: number }];
    const lines = invite.toString("latin1").split("\r\n");
    assert.match(lines[0] ?? "", /^INVITE sip:2002@/);
    const kept = lines.filter((line) => /^(Via|From|To|Call-ID|CSeq):/.test(line));
    const busy = ["SIP/2.0 486 Busy Here", ...kept, "Content-Length: 0", "", ""].join("\r\n");
    server.send(busy, from.port, household.address(9));
    await free.exited;
    server.close();
    assert.equal(free.exitCode, 1);
  });
});

describe("dialtone phone, stopped", () => {
  let household: Household;

  before(async () => {
    household = await Household.open(54);
  });

  after(() => household.close());

  test("SIGINT while its first REGISTER with credentials is on its way leaves no binding", async () => {
    const address = household.address(1);
    const users = household.path("users.yaml");
    writeFileSync(users, '"2001": secret\n');
    const listen = ["--listen", `udp:${address}:5060`, "--domain", address, "--users", users];
    const server = new Dialtone(household, "server", ["serve", ...listen]);
    await server.event("server.started");
    server.command({ do: "delay", ms: 400 });
    const file = household.path("phone.yaml");
    const servers = `[{ address: ${address}, port: 5060 }, { address: ${household.address(2)} }]`;
    const account = `{ user: "2001", password: secret, servers: ${servers}, registration: successive }`;
    writeFileSync(file, `accounts:\n  - ${account}\n`);
    const bind = ["--bind", household.address(9), "--port", "0"];
    const phone = new Dialtone(household, "phone", ["phone", "--config", file, ...bind]);
    await phone.process.until("credentials are sent", () =>
      phone.messages("sent", "REGISTER").find(({ text }) => /^Authorization:/m.test(text)),
    );
    phone.process.write("hang up, please\n");
    await phone.event("command.refused", { why: "no command: hang up, please" });
    const asked = performance.now();
    phone.process.signal("SIGINT");
    await phone.process.exited;
    assert.equal(phone.process.exitCode, 0);
    assert.ok(performance.now() - asked < 5000);
    await server.event("binding.added");
    await server.event("binding.removed");
    assert.equal(await server.stop(), 0);
  });
});
