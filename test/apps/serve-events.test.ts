/**
 * `dialtone serve` and `dialtone phone` as processes: the phone subscribes to its registration and to its messages
 * where it is registered, and an operator's word over HTTP reaches it (R84, R115).
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { Household } from "../support/processes.ts";
import { Dialtone } from "../support/processes-dialtone.ts";

const TOKEN = "opensesame";

describe("an operator at a server, over HTTP", () => {
  let household: Household;
  let server: Dialtone;
  let phone: Dialtone;
  let base: string;

  before(async () => {
    household = await Household.open(66);
    const address = household.address(1);
    const users = household.path("users.yaml");
    writeFileSync(users, '"2001": {password: secret, voicemail: "500"}\n');
    process.env.DIALTONE_TOKEN = TOKEN;
    server = new Dialtone(household, "serve", [
      ...["serve", "--listen", `udp:${address}:5060`, "--domain", "pbx.example.com"],
      ...["--users", users, "--http", `${address}:0`],
    ]);
    delete process.env.DIALTONE_TOKEN;
    const { port } = await server.event("http.started");
    base = `http://${address}:${Number(port)}`;
    await server.event("server.started");
    const file = household.path("phone.yaml");
    writeFileSync(file, configurationOf(address));
    const bind = household.address(2);
    phone = new Dialtone(household, "phone", ["phone", "--config", file, "--bind", bind]);
    await phone.event("subscription.accepted", { package: "reg" });
    await phone.event("subscription.accepted", { package: "message-summary" });
  });

  after(() => household.close());

  const ask = async (method: string, path: string): Promise<Response> => {
    return await fetch(`${base}${path}`, { method, headers: { authorization: `Bearer ${TOKEN}` } });
  };

  test("says that messages wait, and the lamp goes on and off (R115)", async () => {
    assert.equal((await ask("PUT", "/messages/2001?new=2&old=1")).status, 204);
    await phone.event("message-waiting.changed", { waiting: true, new: 2, old: 1 });
    const from = phone.mark;
    assert.equal((await ask("PUT", "/messages/2001?new=0&old=3")).status, 204);
    await phone.event("message-waiting.changed", { waiting: false, new: 0, old: 3 }, from);
    assert.equal((await ask("PUT", "/messages/2001?new=many")).status, 400);
  });

  test("sees what is published, without what it takes to change it (RFC 3903)", async () => {
    await phone.event("publication.accepted");
    const listed = JSON.parse(await (await fetch(`${base}/publications`)).text());
    assert.equal(listed[0].aor, "2001@pbx.example.com");
    const [publication] = listed[0].publications;
    assert.deepEqual(Object.keys(publication), ["expires", "tuples", "activities", "notes"]);
    assert.equal(publication.tuples[0].basic, "open");
  });

  test("deactivates a registration, and the phone registers again at once (R84)", async () => {
    const from = phone.mark;
    assert.equal((await ask("DELETE", "/registrations/2001?event=deactivated")).status, 204);
    await phone.event("registration.recalled", { why: "deactivated", waitMs: 0 }, from);
    await phone.event("registration.accepted", {}, from);
  });

  test("puts all on probation, and they register again after that time, not before (R84, R111)", async () => {
    const from = phone.mark;
    const answer = await ask("DELETE", "/registrations?event=probation&retry-after=2&spread=10");
    assert.deepEqual(await answer.json(), { removed: 1 });
    const recalled = await phone.event("registration.recalled", { why: "probation" }, from);
    assert.equal(recalled.waitMs, 2_000);
    const accepted = await phone.event("registration.accepted", {}, from);
    assert.ok(accepted.at - recalled.at >= 1_900, `${accepted.at - recalled.at} ms`);
  });

  test("must have the token, and say what is known", async () => {
    assert.equal((await fetch(`${base}/registrations`, { method: "DELETE" })).status, 401);
    assert.equal((await fetch(`${base}/messages/2001?new=1`, { method: "PUT" })).status, 401);
    assert.equal((await ask("DELETE", "/registrations/2001?event=banished")).status, 400);
    assert.equal((await ask("DELETE", "/registrations?spread=never")).status, 400);
  });
});

function configurationOf(address: string): string {
  return [
    "accounts:",
    '  - user: "2001"',
    "    domain: pbx.example.com",
    "    password: secret",
    "    message-waiting: yes",
    "    subscribe-registration: yes",
    "    publish-presence: yes",
    "    servers:",
    `      - { address: ${address}, port: 5060, transport: udp, features: full }`,
  ].join("\n");
}
