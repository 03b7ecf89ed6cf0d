/** Two `dialtone serve` that share a folder: what an operator tells the one lights the lamp of a phone at the other. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { Household } from "../support/processes.ts";
import { Dialtone } from "../support/processes-dialtone.ts";

const TOKEN = "opensesame";

test("a count changed at one node is told by the other, where the phone subscribes, within 5 s (RFC 3842)", async (context) => {
  const household = await Household.open(68);
  context.after(() => household.close());
  const serve = (name: string, address: string): Dialtone =>
    new Dialtone(household, name, [
      ...["serve", "--listen", `udp:${address}:5060`, "--domain", "pbx.example.com", "--open"],
      ...["--name", name, "--store", household.path("store"), "--http", `${address}:0`],
    ]);
  const [first, second] = [household.address(1), household.address(2)];
  process.env.DIALTONE_TOKEN = TOKEN;
  const one = serve("one", first);
  const two = serve("two", second);
  delete process.env.DIALTONE_TOKEN;
  await two.event("server.started");
  const { port } = await one.event("http.started");

  const file = household.path("phone.yaml");
  writeFileSync(file, configurationOf(second));
  const bind = household.address(3);
  const phone = new Dialtone(household, "phone", ["phone", "--config", file, "--bind", bind]);
  await phone.event("subscription.accepted", { package: "message-summary" });

  const answer = await fetch(`http://${first}:${Number(port)}/messages/2001?new=2&old=1`, {
    method: "PUT",
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  assert.equal(answer.status, 204);
  const wanted = { waiting: true, new: 2, old: 1 };
  await phone.event("message-waiting.changed", wanted, 0, 10_000);
  assert.equal(await one.stop(), 0);
  assert.equal(await two.stop(), 0);
});

function configurationOf(address: string): string {
  return [
    "accounts:",
    '  - user: "2001"',
    "    domain: pbx.example.com",
    "    message-waiting: yes",
    "    servers:",
    `      - { address: ${address}, port: 5060, transport: udp, features: full }`,
  ].join("\n");
}
