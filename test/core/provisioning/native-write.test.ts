/** Either maker's files as our own dialect: read again they are the same policy, and no password leaks. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import type { PhoneConfiguration } from "../../../src/core/provisioning/configuration.ts";
import { NATIVE_KEYS } from "../../../src/core/provisioning/native-keys.ts";
import { nativeSchema } from "../../../src/core/provisioning/native-schema.ts";
import { writeNative } from "../../../src/core/provisioning/native-write.ts";
import { POLYCOM_KEYS } from "../../../src/core/provisioning/polycom-keys.ts";
import { readConfiguration } from "../../../src/core/provisioning/read.ts";
import { YEALINK_KEYS } from "../../../src/core/provisioning/yealink-keys.ts";
import {
  ACCOUNT_DEFAULTS,
  POLICY_DEFAULTS,
  SERVER_DEFAULTS,
} from "../../../src/core/redundancy/policy-defaults.ts";
import { drawnLines, type Lines, nativeText, polycomText, yealinkText } from "./drawn-files.ts";
import { faults, reading, sample } from "./samples.ts";
import { offences } from "./schema-check.ts";

const FOLDER = new URL("../../../../examples/provisioning/", import.meta.url);
const SAMPLES = readdirSync(FOLDER).filter((name) => /^[YPN]\d-/.test(name));
const SCHEMA = nativeSchema();

/** All but origins, readings and faults. */
function meaning(phone: PhoneConfiguration): unknown {
  const { accounts, resolvers, localPort, station = {} } = phone;
  return { accounts, resolvers, localPort, station };
}

/** Converts, reads again, and compares. */
function comesBack(phone: PhoneConfiguration, what: string): PhoneConfiguration {
  const text = writeNative(phone, { secrets: true });
  const again = reading(text, "own.yaml");
  assert.deepEqual(meaning(again), meaning(phone), `${what}\n${text}`);
  const errors = again.faults.filter(
    ({ severity, code }) => severity === "error" && code !== "no-account" && code !== "no-user",
  );
  assert.deepEqual(errors, [], `${what}\n${text}`);
  assert.deepEqual(offences(SCHEMA, parse(text)), [], text);
  return again;
}

test("every sample of either maker comes back from our own dialect as it was (Y1–Y8, P1–P7)", () => {
  assert.equal(SAMPLES.length, 16);
  for (const name of SAMPLES) comesBack(sample(name), name);
});

test("every field of the policy has a key of our own", () => {
  const policy = POLICY_DEFAULTS.native;
  const said = new Set(NATIVE_KEYS.rows.map(({ decides }) => decides));
  const missing: string[] = [];
  const demand = (fields: object, prefix: string, except: readonly string[]): void => {
    for (const field of Object.keys(fields)) {
      if (!except.includes(field) && !said.has(prefix + field)) missing.push(prefix + field);
    }
  };
  demand(ACCOUNT_DEFAULTS, "account.X.", ["index"]);
  demand(policy, "account.X.redundancy.", ["proxies", "dns"]);
  demand(policy.backoff, "account.X.redundancy.backoff.", ["kind"]);
  demand(policy.dns, "account.X.redundancy.dns.", ["records"]);
  demand(SERVER_DEFAULTS.native, "account.X.redundancy.servers.Y.", []);
  // What every proxy is: used by whoever goes through it, and registered at by nobody.
  const fixed = ["features", "register", "throughProxy"];
  demand(SERVER_DEFAULTS.native, "account.X.redundancy.proxies.Y.", fixed);
  assert.deepEqual(missing, []);
});

const yealinkBase: Lines = [1, 2, 4].flatMap(
  (x): Lines => [
    [`account.${x}.enable`, x === 4 ? "0" : "1"],
    [`account.${x}.user_name`, x === 2 ? "2002@pbx.example.com" : `200${x}`],
    [`account.${x}.sip_server.1.address`, "pbx.example.com"],
    [`account.${x}.sip_server.2.address`, "192.0.2.15"],
    [`account.${x}.outbound_proxy.1.address`, "edge.example.com"],
    [`account.${x}.outbound_proxy.2.address`, "2001:db8::33"],
  ],
);
const polycomBase: Lines = [
  ["reg.1.address", "4001"],
  ["reg.2.address", "4002@pbx.example.com"],
  ["reg.4.address", "4004"],
  ["voIpProt.server.1.address", "pbx.example.com"],
  ["voIpProt.server.2.address", "192.0.2.15"],
  ["reg.2.server.1.address", "own.example.com"],
  ["reg.4.outboundProxy.address", "edge.example.com"],
];

test("any file of either maker comes back as it was", () => {
  for (const [table, base, print] of [
    [YEALINK_KEYS, yealinkBase, yealinkText],
    [POLYCOM_KEYS, polycomBase, polycomText],
  ] as const) {
    let clean = 0;
    fc.assert(
      fc.property(drawnLines(table), (lines) => {
        const text = print([...base, ...lines]);
        const phone = readConfiguration([{ name: "drawn.cfg", text }]);
        if (phone.faults.every(({ severity }) => severity !== "error")) clean++;
        assert.equal(phone.accounts.length, 3);
        comesBack(phone, text);
      }),
      { numRuns: 60 },
    );
    assert.ok(clean > 0, `${clean} files without an error`);
  }
});

test("any file of our own comes back as it was", () => {
  const base: Lines = [1, 2, 4].flatMap(
    (x): Lines => [
      [`accounts.${x}.user`, `300${x}`],
      [`accounts.${x}.servers.1.address`, "pbx.example.com"],
      [`accounts.${x}.servers.2.address`, "192.0.2.15"],
      [`accounts.${x}.proxies.1.address`, "edge.example.com"],
    ],
  );
  const own = new Set(base.map(([key]) => key));
  fc.assert(
    fc.property(drawnLines(NATIVE_KEYS), (lines) => {
      const drawn = lines.filter(([key]) => !own.has(key));
      const phone = reading(nativeText([...base, ...drawn]));
      comesBack(phone, nativeText(drawn));
    }),
    { numRuns: 60 },
  );
});

test("passwords stay out unless they are asked for, and a second file may bring them", () => {
  const phone = sample("Y7-tls-two-accounts.cfg");
  const text = writeNative(phone, { secrets: false });
  for (const { password } of phone.accounts) {
    assert.ok(password.length > 0);
    assert.ok(!text.includes(password));
  }
  const again = reading(text, "own.yaml");
  assert.deepEqual(
    faults(again).filter((told) => told.startsWith("error")),
    [],
  );
  const without = phone.accounts.map((account) => ({ ...account, password: "" }));
  assert.deepEqual(again.accounts, without);
  const secrets = `accounts:\n- password: ${phone.accounts[0]?.password}\n- password: ${phone.accounts[1]?.password}\n`;
  const both = readConfiguration([
    { name: "own.yaml", text },
    { name: "secrets.yaml", text: secrets },
  ]);
  assert.deepEqual(both.accounts, phone.accounts);
});

test("a password keeps its spaces, its quotes and what looks like a number", () => {
  for (const password of [" two words ", "007", "yes", 'a"b', "ü€", "#", "a: b", "~"]) {
    const text = `<a reg.1.address="1" reg.1.server.1.address="pbx.example.com" reg.1.auth.password="${password.replaceAll('"', "&quot;")}"/>`;
    const phone = reading(text);
    assert.equal(phone.accounts[0]?.password, password);
    comesBack(phone, password);
  }
});
