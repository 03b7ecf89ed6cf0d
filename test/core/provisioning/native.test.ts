/** Our own YAML: what it says, what it assumes, what it refuses. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SERVER_DEFAULTS } from "../../../src/core/redundancy/policy-defaults.ts";
import { account, faults, has, reading, sample, server } from "./samples.ts";

test("N1 says a laboratory's short times in plain words", () => {
  const phone = sample("N1-lab.yaml");
  assert.deepEqual(faults(phone), []);
  assert.deepEqual(phone.resolvers, ["127.0.0.1:5353"]);
  has(account(phone).redundancy, {
    registration: "successive",
    probeIntervalMs: 2000,
    backoff: { kind: "rfc5626", baseMs: 500, maxMs: 4000 },
  });
  has(server(phone, 1), {
    features: "full",
    failbackMode: "duration",
    failbackSeconds: 3,
    registerRetries: 2,
  });
  has(server(phone, 2), { features: "basic", expiresSeconds: 30, overlapSeconds: 5 });
  const second = account(phone, 2);
  has(second, { domain: "pbx.lab" });
  has(second.redundancy, { registration: "concurrent", failoverStatuses: [500, 502] });
  assert.equal(second.redundancy.servers[1]!.features, "full");
});

test("an account of a user and a server has the defaults of policy-defaults", () => {
  const phone = reading("accounts:\n- user: a\n  servers:\n  - address: pbx.example.com\n");
  assert.deepEqual(faults(phone), []);
  has(server(phone, 1), { ...SERVER_DEFAULTS.native, throughProxy: false });
});

test("anchors are followed, and a file that grows by them without end is refused", () => {
  const shared = reading(
    "accounts:\n- user: a\n  servers: &s\n  - address: pbx.example.com\n- user: b\n  servers: *s\n",
  );
  assert.deepEqual(faults(shared), []);
  assert.equal(account(shared, 2).redundancy.servers[0]?.address, "pbx.example.com");
  const nine = (name: string): string => `[${Array(9).fill(`*${name}`).join(", ")}]`;
  const names = ["a", "b", "c", "d", "e", "f", "g", "h"];
  const bomb = names.map((name, at) =>
    at === 0 ? "a: &a {x: y}" : `${name}: &${name} ${nine(names[at - 1]!)}`,
  );
  assert.ok(reading(bomb.join("\n")).faults.some(({ severity }) => severity === "error"));
});

test("what is not YAML, or not our keys, is an error at its line", () => {
  const cases: readonly (readonly [text: string, line: number, wrong: RegExp])[] = [
    ["accounts:\n- user: a\n   bad: indent\n", 2, /not YAML/],
    ["accounts: [\n", 2, /not YAML/],
    ["just words\n", 1, /no keys/],
    ["accounts:\n- user: a\n  servres:\n  - address: b.example\n", 4, /no such key/],
    ["accounts:\n- user: a\n  servers:\n  - port: 5060\n", 4, /has no address/],
    ["accounts:\n- servers:\n  - address: b.example\n", 3, /has no user/],
    ["accounts:\n- user: a\n", 2, /has no server/],
    ["accounts:\n- user: a\n  user: b\n", 3, /duplicate key/],
    ["t1: soon\naccounts: []\n", 1, /no such key/],
  ];
  for (const [text, line, wrong] of cases) {
    const fault = reading(text).faults.find((told) => wrong.test(told.wrong));
    assert.ok(fault, `${text}: ${faults(reading(text)).join("\n")}`);
    assert.deepEqual([fault.severity, fault.line], ["error", line], text);
  }
});

test("a list of servers that is empty is a missing server, and nothing else", () => {
  const text = "accounts:\n- user: a\n  servers: []\n";
  const { faults: told } = reading(text);
  assert.deepEqual(
    told.map(({ line, wrong }) => `${line}: ${wrong}`),
    ["2: account 1 has no server"],
  );
});

test("one value is no list, and YAML's words for nothing are nothing", () => {
  const of = (...lines: string[]): string[] =>
    faults(
      reading(
        `accounts:\n  - servers: [{ address: a.example.com }]\n    ${lines.join("\n    ")}`,
        "native.yaml",
      ),
    );
  assert.deepEqual(of("user: [201, 202]", "hedge: [700]", "failover-statuses: [500]"), [
    "error native.yaml:3: accounts.1.user: it is a list; write one value",
    "error native.yaml:4: accounts.1.hedge: it is a list; write one value",
  ]);
  assert.deepEqual(of("user: [x]", "password: [secret]"), [
    "error native.yaml:3: accounts.1.user: it is a list; write one value",
    "error native.yaml:4: accounts.1.password: it is a list; write one value",
  ]);
  assert.match(of("user: ~").join(), /has no user/);
  assert.deepEqual(of("user: '~'", "password: null"), []);
});

test("a YAML error does not repeat the text of the file", () => {
  const phone = reading("accounts:\n- password: 'hush\n");
  assert.ok(phone.faults.length > 0);
  assert.ok(!faults(phone).join("\n").includes("hush"));
});

test("what is sent again for ever is sent once a second at most", () => {
  for (const key of ["probe-interval", "proxy-probe-interval", "register-retry", "keep-alive"]) {
    const text = (value: string): string =>
      `accounts:\n  - user: "1"\n    ${key}: ${value}\n    servers: [{ address: 192.0.2.1 }, { address: 192.0.2.2 }]\n`;
    assert.deepEqual(faults(reading(text("999 ms"), "fast.yaml")), [
      `error fast.yaml:3: accounts.1.${key}: "999 ms" is too short; write 1 s or more`,
    ]);
    assert.deepEqual(faults(reading(text("1 s"))), []);
  }
  const none = 'accounts: [{ user: "1", keep-alive: 0, servers: [{ address: pbx.example.com }] }]';
  assert.deepEqual(faults(reading(none)), [], "0 is none at all");
});
