/** Programs of others in scenario files: what the reader says of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readCommand } from "../../src/apps/dashboard/read-command.ts";
import { shownCast } from "../../src/apps/lab/shown-cast.ts";
import { readScenario } from "../../src/apps/scenario/read-scenario.ts";

test("what a program of others cannot be made to do is told at its line, with what can be", () => {
  const { faults } = readScenario(
    "guests.yaml",
    `name: guests
title: t
servers: { primary: { kind: kamailio, config: "x=\${nobody}" }, other: { kind: kamailio } }
phones: { bob: { kind: baresip, user: 2 }, alice: { user: 1, files: {} } }
load: { many: { kind: sipp, scenario: uac, callee: bob } }
play:
  - answer-503: primary
  - partition: [bob, primary]
  - call: { from: many, to: bob }
  - certificate: other
    shown: expired
`,
  );
  const told = faults.map(({ line, key, wrong }) => `${line} ${key} ${wrong}`);
  assert.deepEqual(told, [
    `3 servers.primary.config uses ${"$"}{nobody}`,
    "5 load.many calls nobody's server",
    "7 play[1].answer-503 is primary, a program of others, which cannot be told to",
    "8 play[2].partition are two programs of others, and nothing of the lab stands between them",
    "9 play[3].call.from is many",
    "10 play[4].certificate is other, a program of others, which cannot be told to",
  ]);
  assert.ok(faults.every(({ remedy }) => remedy !== ""));
});

test("a configuration or SIPp scenario in a file of its own is meant from the folder of the scenario", () => {
  const { scenario: read } = readScenario(
    "plays/guests.yaml",
    `name: guests
title: t
servers: { primary: { kind: kamailio, config: mine.cfg }, other: { kind: kamailio, config: /etc/k.cfg } }
phones: {}
load: { many: { kind: sipp, scenario: calls/mine.xml } }
play: []
`,
  );
  assert.deepEqual(
    read?.topology.servers.map(({ guest }) => guest?.config),
    [{ path: "plays/mine.cfg" }, { path: "/etc/k.cfg" }],
  );
  assert.deepEqual(read?.topology.loads?.[0]?.scenario, { path: "plays/calls/mine.xml" });
});

test("pages are told which nodes are of others, and of loads beside the phones", () => {
  const { scenario: read } = readScenario(
    "guests.yaml",
    `name: guests
title: t
servers: { primary: { kind: kamailio }, other: working }
phones: { bob: { kind: linphone, user: "2002" } }
load: { many: { kind: sipp, scenario: uas } }
play: []
`,
  );
  assert.ok(read !== undefined);
  const { servers, phones } = shownCast(read.topology);
  const shown = [...servers, ...phones].map(({ name, program }) => `${name} ${program ?? "ours"}`);
  assert.deepEqual(shown, ["primary kamailio", "other ours", "bob linphone", "many sipp"]);
});

test("pages are told what cannot be done to a program of others; what they ask for is done to those that die only", () => {
  const { scenario: read } = readScenario(
    "guests.yaml",
    `name: guests
title: t
network: namespaces
servers: { primary: { kind: kamailio }, other: { kind: kamailio, config: mine.cfg } }
phones: { bob: { kind: linphone, user: 2, transport: tcp } }
load: { many: { kind: sipp, scenario: uas } }
play:
  - kill: bob
  - restart: bob
  - reset: [bob, primary]
  - lose: [many, other]
`,
  );
  assert.ok(read !== undefined);
  assert.deepEqual(
    read.steps.map(({ text }) => text),
    ["kill bob", "restart bob", "reset bob - primary", "lose many - other"],
  );
  const { servers, networked } = shownCast(read.topology);
  assert.equal(networked, true);
  assert.deepEqual(
    servers.map(({ unmoved }) => unmoved),
    [undefined, "its own configuration says what it answers"],
  );
  const scope = { servers: [], phones: ["alice", "bob"], scenarios: [], resolver: false };
  const asked = (phone: string, kind: string): unknown =>
    readCommand({ do: "fate", phone, fate: { kind } }, scope);
  assert.deepEqual(asked("bob", "freeze"), { do: "fate", phone: "bob", fate: { kind: "freeze" } });
  assert.equal(asked("carol", "kill"), "no such phone");
  assert.equal(asked("bob", "stop"), "no such fate");
});
