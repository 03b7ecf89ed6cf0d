/** The JSON Schema of scenario files: it takes what the reader takes, and refuses what the reader refuses. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { readScenario } from "../../src/apps/scenario/read-scenario.ts";
import { STEP_VERBS } from "../../src/apps/scenario/read-steps.ts";
import { scenarioSchema } from "../../src/apps/scenario/schema.ts";
import { offences, type Schema } from "../core/provisioning/schema-check.ts";
import { SCHEMA_FILE, schemaText } from "./scenario-schema-file.ts";

const SCHEMA: Schema = scenarioSchema();
const FOLDER = join(import.meta.dirname, "..", "..", "..", "scenarios");

test("the schema in the package is the one that the code gives", () => {
  const text = readFileSync(SCHEMA_FILE, "utf8");
  assert.equal(text, schemaText(), "run node dist/test/apps/scenario-schema-file.js");
});

test("every scenario of the project is valid by the schema", () => {
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith(".yaml"))) {
    const value: unknown = parse(readFileSync(join(FOLDER, file), "utf8"));
    assert.deepEqual(offences(SCHEMA, value), [], file);
  }
});

const HEAD = `name: n
title: t
servers: { primary: working, spare: { role: fallback, up: false } }
phones:
  alice: { user: 1, files: { a.yaml: "accounts: [ { user: u, servers: [ { address: \${primary} } ] } ]" } }
  bob: { user: 2, answer: ring, files: { a.yaml: "accounts: [ { user: u, servers: [ { address: \${primary} } ] } ]" } }
`;
/** One of each verb, as steps may be written. */
const STEPS: Readonly<Record<string, string>> = {
  start: "start: alice",
  stop: "stop: primary",
  restart: "{ restart: primary, seconds: 2 }",
  kill: "{ kill: primary, mark: gone }",
  freeze: "freeze: primary",
  revive: "{ at: 3, since: start, revive: primary }",
  reset: "reset: [alice, primary]",
  certificate: "{ certificate: primary, shown: expired }",
  drop: "drop: [alice, dns]",
  refuse: "refuse: primary",
  partition: "partition: [alice, bob]",
  lose: "{ lose: alice, share: 0.5 }",
  duplicate: "{ duplicate: [primary, spare], share: 1 }",
  reorder: "{ reorder: primary, share: 0.5, seconds: 0.1 }",
  heal: "heal: [alice, bob]",
  "answer-503": "{ answer-503: primary, retry-after: 30 }",
  delay: "{ delay: primary, seconds: 0.2 }",
  dns: "{ dns: lie, to: primary }",
  zone: "zone: $ORIGIN lab.test.",
  call: "call: { from: alice, to: bob }",
  hangup: "hangup: alice",
  hold: "hold: alice",
  resume: "resume: alice",
  wait: "wait: 1.5",
  until: "{ until: { message: 200 REGISTER, to: alice }, within: 3 }",
};

const EXPECTATIONS: readonly string[] = [
  "{ event: call.ended, by: bob, at: [0, 0.5], only: true, give: 0.1 }",
  "{ event: call.ended, between: [1, 2], figure: ended after }",
  "{ message: INVITE, from: alice, resends: false, within: 1, mark: seen }",
  "{ message: 200 INVITE, never: true, since: start, until: end }",
  "{ event: call.ended, every: 2, times: 3 }",
  "{ event: call.ended, count: 1 }",
  "{ event: call.ended, count: [1, 2] }",
];

const OWN_PHONE = `alice: { user: 1, files: { a.yaml: "accounts: [ { user: u, servers: [ { address: \${primary} } ] } ]" } }`;
/** Nodes of another make: what stands in servers, phones and load. */
const GUESTS: readonly (readonly [servers: string, phones: string, load: string])[] = [
  ["{ primary: { kind: kamailio } }", "{ bob: { kind: baresip, user: 2 } }", ""],
  [
    `{ primary: { kind: kamailio, role: fallback, up: false, expires: 30, config: "listen=udp:\${address}:\${port}" } }`,
    "{ bob: { kind: linphone, user: 2, password: p, answer: ring, server: primary, expires: 9 } }",
    "load: { many: { kind: sipp, scenario: uac, to: primary, callee: bob, rate: 0.5, calls: 9, talk: 0, patience: 2.5, transport: tcp } }",
  ],
  ["{ primary: working }", `{ ${OWN_PHONE} }`, "load: { many: { kind: sipp, scenario: uas } }"],
  ["{ primary: working }", "{}", "load: { many: { kind: sipp, scenario: calls/mine.xml } }"],
  [
    "{ primary: { kind: kamailio, tls: true } }",
    "{ bob: { kind: linphone, user: 2, transport: tls }, carol: { kind: baresip, user: 3, transport: tcp } }",
    "network: namespaces",
  ],
];
const WRONG_GUESTS: readonly (readonly [servers: string, phones: string, load: string])[] = [
  ["{ primary: { kind: asterisk } }", "{}", ""],
  ["{ primary: { kind: kamailio, tls: true, config: mine.cfg } }", "{}", ""],
  ["{ primary: { kind: kamailio, expires: 0 } }", "{}", ""],
  ["{ primary: working }", "{ bob: { kind: pjsua, user: 2 } }", ""],
  ["{ primary: working }", "{ bob: { kind: baresip } }", ""],
  ["{ primary: working }", "{ bob: { kind: baresip, user: 2, transport: tcp } }", ""],
  ["{ primary: working }", "{ bob: { kind: baresip, user: 2, answer: busy } }", ""],
  ["{ primary: working }", "{ bob: { kind: baresip, user: 2, files: {} } }", ""],
  ["{ primary: working }", "{}", "load: { many: { kind: sipp, scenario: uac } }"],
  ["{ primary: working }", "{}", "load: { many: { kind: sipp, scenario: calls } }"],
  ["{ primary: working }", "{}", "load: { many: { scenario: uas } }"],
  ["{ primary: working }", "{}", "network: bridges"],
  [
    "{ primary: working }",
    "{ bob: { kind: baresip, user: 2, transport: tls } }",
    "network: loopback",
  ],
  ["{ primary: working }", "{}", "load: { many: { kind: sipp, scenario: uas, rate: 0 } }"],
];

/** What both must refuse. */
const WRONG: readonly string[] = [
  "play: [ explode: primary ]",
  "play: [ { kill: primary, freeze: primary } ]",
  "play: [ { kill: primary, seconds: 3 } ]",
  "play: [ delay: primary ]",
  "play: [ { delay: primary, seconds: soon } ]",
  "play: [ { lose: primary, share: 1.5 } ]",
  "play: [ partition: [ alice ] ]",
  "play: [ partition: primary ]",
  "play: [ dns: deaf ]",
  "play: [ dns: lie ]",
  "play: [ { certificate: primary, shown: red } ]",
  "play: [ call: { from: alice } ]",
  "play: [ until: { event: call.ended, message: INVITE } ]",
  "play: [ until: { by: alice } ]",
  "play: [ wait: -1 ]",
  "play: []\nexpect: [ { event: call.ended } ]",
  "play: []\nexpect: [ { event: call.ended, within: 1, never: true } ]",
  "play: []\nexpect: [ { event: call.ended, count: 1, only: true } ]",
  "play: []\nexpect: [ { event: call.ended, between: [1] } ]",
  "play: []\nexpect: [ { within: 1 } ]",
  "play: []\nsequence: { alice: [ message.sent ] }",
  "play: []\nsequence: { alice: { leaving-out: [ nothing ], events: [] } }",
  "play: []\ncolour: red",
  "expect: []",
];

function verdicts(text: string): { reader: boolean; schema: boolean } {
  return verdictsOn(`${HEAD}${text}\n`);
}

function verdictsOn(whole: string): { reader: boolean; schema: boolean } {
  const { faults } = readScenario("x.yaml", whole);
  return { reader: faults.length === 0, schema: offences(SCHEMA, parse(whole)).length === 0 };
}

test("reader and schema take every verb and every demand", () => {
  assert.deepEqual(Object.keys(STEPS).sort(), [...STEP_VERBS].sort());
  const right = [
    ...Object.values(STEPS).map((step) => `play:\n  - ${step}`),
    ...EXPECTATIONS.map((expectation) => `play: []\nexpect:\n  - ${expectation}`),
    "play: []\nsettle: 3\nsequence: { alice: { leaving-out: [call.ended], events: [call.started a=b] }, bob: [] }",
  ];
  for (const text of right) assert.deepEqual(verdicts(text), { reader: true, schema: true }, text);
});

test("reader and schema refuse the same mistakes", () => {
  for (const text of WRONG)
    assert.deepEqual(verdicts(text), { reader: false, schema: false }, text);
});

test("reader and schema agree about programs of others", () => {
  for (const right of [true, false]) {
    for (const [servers, phones, load] of right ? GUESTS : WRONG_GUESTS) {
      const nodes = `servers: ${servers}\nphones: ${phones}\n${load}`;
      const whole = `name: n\ntitle: t\n${nodes}\nplay: []\n`;
      assert.deepEqual(verdictsOn(whole), { reader: right, schema: right }, whole);
    }
  }
});
