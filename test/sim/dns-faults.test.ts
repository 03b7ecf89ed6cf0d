/** Faults of the simulated resolver that a scenario may ask for. */
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { readScenario } from "../../src/apps/scenario/read-scenario.ts";
import { playInSimulator } from "../../src/apps/sim/scenarios.ts";
import { SimulatedDns } from "../../src/worlds/sim/simulated-dns.ts";

const RECORD = { type: "A", name: "pbx.lab.test", ttl: 60, address: "192.0.2.13" } as const;
const QUESTION = { kind: "dns", name: "pbx.lab.test", type: "A" } as const;

test("a lie is given for every address, believed for 5 s; whoever is not heard waits in vain", () => {
  const dns = new SimulatedDns([RECORD]);
  dns.lie = "203.0.113.9";
  const { answer } = dns.ask(QUESTION);
  deepEqual(answer.kind === "records" && answer.records, [
    { ...RECORD, ttl: 5, address: "203.0.113.9" },
  ]);
  dns.lie = undefined;
  dns.deafTo.add("alice");
  equal(dns.ask(QUESTION, 3000, "alice").answer.kind, "silent");
  equal(dns.ask(QUESTION, 3000, "bob").answer.kind, "records");
});

test("a phone that is cut off from the resolver cannot register by name; one that is not, can", async () => {
  const file = `accounts: [ { user: "\${user}", password: x, servers: [ { address: pbx.lab.test, port: 5060 } ] } ]`;
  const { scenario, faults } = readScenario(
    "x.yaml",
    `name: x
title: x
servers: { primary: working }
zone: |
  $ORIGIN lab.test.
  pbx 60 IN A \${primary}
phones:
  alice: { user: "1", password: x, files: { a.yaml: '${file}' } }
  bob: { user: "2", password: x, files: { a.yaml: '${file}' } }
play:
  - partition: [dns, alice]
  - start: alice
  - start: bob
  - until: { event: registration.accepted, by: bob }
    mark: bob-is-home
  - wait: 5
  - heal: [alice, dns]
  - until: { event: registration.accepted, by: alice }
    within: 200
expect:
  - event: registration.accepted
    by: alice
    until: bob-is-home
    never: true
`,
  );
  deepEqual(faults, []);
  if (scenario === undefined) return;
  const { verdict } = await playInSimulator(scenario, 1);
  deepEqual(verdict.failures, []);
});
