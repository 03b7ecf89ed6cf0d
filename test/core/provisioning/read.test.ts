/** Several files as one: dialects, overlay, origins, secrets, and text that means harm. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { formatFault } from "../../../src/core/provisioning/fault.ts";
import { dialectOf, readConfiguration } from "../../../src/core/provisioning/read.ts";
import { account, faults, has, reading, sample, server } from "./samples.ts";

const FOLDER = new URL("../../../../examples/provisioning/", import.meta.url);
const NAMES = readdirSync(FOLDER).filter((name) => /^[YPN]\d-/.test(name));
const SAMPLES = NAMES.map((name) => ({
  name,
  text: readFileSync(new URL(name, FOLDER), "utf8"),
}));

test("the dialect is told by the content, whatever the file is called", () => {
  for (const { name, text } of SAMPLES) {
    const expected = name.startsWith("Y") ? "yealink" : name.startsWith("P") ? "polycom" : "native";
    assert.equal(dialectOf(text), expected, name);
    assert.equal(dialectOf(`\uFEFF${text}`), expected, name);
  }
  assert.equal(dialectOf("# a comment\naccount.1.enable = 1"), "yealink");
  assert.equal(dialectOf("# a comment\naccounts:\n"), "native");
});

test("a later file overlays an earlier one key by key", () => {
  const common = { name: "common.cfg", text: sampleText("Y1-register-fallback.cfg") };
  const own = {
    name: "own.cfg",
    text: "#!version:1.0.0.1\naccount.1.fallback.timeout = 300\naccount.1.sip_server.2.address = %NULL%",
  };
  const phone = readConfiguration([common, own]);
  assert.equal(account(phone).redundancy.servers.length, 1);
  const probe = phone.readings.filter(({ key }) => key === "account.1.fallback.timeout");
  assert.deepEqual(
    probe.map(({ file, outcome, reason }) => [file, outcome, reason]),
    [
      ["common.cfg", "overridden", "set again at own.cfg:2"],
      ["own.cfg", "no-effect", "there is no server 2 to come back from"],
    ],
  );
});

test("a file named after a MAC address overlays common ones, wherever it stands", () => {
  const text = (user: string): string =>
    `#!version:1.0.0.1\naccount.1.enable = 1\naccount.1.user_name = ${user}\n` +
    "account.1.sip_server.1.address = pbx.example.com\n";
  const own = { name: "/tftp/001565a1b2c3.cfg", text: text("own") };
  const common = { name: "/tftp/y000000000028.cfg", text: text("common") };
  const other = { name: "site.cfg", text: text("site") };
  has(account(readConfiguration([own, common])), { user: "own" });
  has(account(readConfiguration([own, other, common])), { user: "own" });
  has(account(readConfiguration([other, common])), { user: "site" });
});

test("a blank value in a later file undoes the earlier one and is told (C2)", () => {
  const phone = readConfiguration([
    { name: "a.cfg", text: sampleText("Y1-register-fallback.cfg") },
    { name: "b.cfg", text: "#!version:1.0.0.1\naccount.1.fallback.redundancy_type =\n" },
  ]);
  has(account(phone).redundancy, { registration: "concurrent" });
  assert.match(faults(phone).join("\n"), /b\.cfg:2: .*blank, so the value of a\.cfg:19 is undone/);
});

test("files of two families are a fault", () => {
  const phone = readConfiguration([
    { name: "y.cfg", text: sampleText("Y1-register-fallback.cfg") },
    { name: "p.xml", text: sampleText("P1-fallback-register-both.xml") },
  ]);
  assert.deepEqual(faults(phone), [
    "error p.xml:1: (file): this is a polycom file and y.cfg is a yealink file; " +
      "give files of one family only",
  ]);
});

test("no file, an empty one and a huge one are faults", () => {
  assert.match(faults(readConfiguration([])).join(), /no account is switched on/);
  assert.match(faults(reading(" \n")).join(), /the file is empty/);
  assert.match(faults(reading(`#!version\n${"#".repeat(4_000_001)}`)).join(), /more than 4000000/);
});

test("each policy field that a file decided has the line that decided it", () => {
  const phone = sample("Y1-register-fallback.cfg");
  assert.deepEqual(phone.origins.get("account.1.redundancy.probeIntervalMs"), {
    file: "Y1-register-fallback.cfg",
    line: 20,
    key: "account.1.fallback.timeout",
  });
  const global = sample("P2-dns-failover-duration.xml");
  assert.deepEqual(global.origins.get("account.1.redundancy.servers.1.failbackSeconds"), {
    file: "P2-dns-failover-duration.xml",
    line: 16,
    key: "voIpProt.server.1.failOver.failBack.timeout",
  });
  assert.equal(phone.origins.get("account.1.redundancy.t1Ms"), undefined);
});

test("each reading says what became of it", () => {
  for (const { name, text } of SAMPLES) {
    for (const told of readConfiguration([{ name, text }]).readings) {
      if (told.outcome === "honoured") assert.notEqual(told.decides, "", `${name} ${told.key}`);
      else assert.notEqual(told.reason, "", `${name} ${told.key}`);
    }
  }
});

test("a fault is one line FILE:LINE: KEY: wrong; remedy, whatever is in it", () => {
  const fault = {
    severity: "error",
    file: "a\nb",
    line: 3,
    key: "k",
    wrong: "w\u2028",
    remedy: "r",
  };
  assert.equal(formatFault({ ...fault, severity: "error" }), "a?b:3: k: w?; r");
});

test("no secret stands in a reading or a fault", () => {
  const secret = "hush-4711";
  const texts = [
    `#!version:1.0.0.1\naccount.1.password = ${secret}\naccount.1.pasword = ${secret}\n` +
      `account.1.password = ${secret}x\nweb.login.pin = ${secret}\n` +
      `static.auto_provision.server.url = http://u:${secret}@example.com/\n${secret}`,
    `<a reg.1.address="1" reg.1.auth.password="${secret}" reg.1.auth.pasword="${secret} & x"\n` +
      `device.auth.localAdminPassword='${secret}' x="http://u:${secret}@h/" <${secret}>`,
    `<a reg.1.auth.password="${secret}`,
    `accounts:\n- user: a\n  password: ${secret}\n  pasword: ${secret}\n`,
    `accounts:\n- user: a\n  password: {${secret}\n`,
  ];
  for (const text of texts) {
    const { readings, faults: told } = reading(text);
    assert.ok(!JSON.stringify({ readings, told }).includes(secret), text);
  }
});

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc
    .array(fc.constantFrom(..."<>/=\"'&;#!-[]{}:,*\n\r \tab1."), { maxLength: 200 })
    .map((all) => all.join("")),
  fc
    .tuple(
      fc.constantFrom(...SAMPLES),
      fc.array(fc.tuple(fc.nat(3000), fc.nat(40), fc.string({ maxLength: 12 })), { maxLength: 6 }),
    )
    .map(([{ text }, edits]) =>
      edits.reduce((all, [at, cut, put]) => all.slice(0, at) + put + all.slice(at + cut), text),
    ),
);

test("no text makes the reader throw, and every fault stands on a line of its file", () => {
  fc.assert(
    fc.property(anyText, anyText, (first, second) => {
      const files = [
        { name: "first", text: first },
        { name: "second", text: second },
      ];
      for (const given of [files.slice(0, 1), files]) {
        const phone = readConfiguration(given);
        const lines = new Map(
          given.map(({ name, text }) => [name, text.split(/\r\n|\n|\r/).length]),
        );
        for (const { file, line } of [...phone.faults, ...phone.readings]) {
          assert.ok(line >= 1 && line <= (lines.get(file) ?? 0), `${file}:${line}`);
        }
        for (const { redundancy } of phone.accounts) assert.ok(redundancy.servers.length > 0);
        for (const fault of phone.faults) assert.ok(!/[\r\n]/.test(formatFault(fault)));
      }
    }),
    { numRuns: 400 },
  );
});

test("deep nesting is a fault and no overflow", () => {
  for (const text of [
    "[".repeat(50_000),
    "<a>".repeat(50_000),
    "a: ".repeat(50_000),
    "- ".repeat(50_000),
  ]) {
    assert.ok(reading(text).faults.length > 0);
  }
});

test("a big file is read in time that grows with its size", () => {
  const lines = Array.from({ length: 50_000 }, (_, at) => `phone.setting.${at}.value = ${at}`);
  const text = `${sampleText("Y1-register-fallback.cfg")}${lines.join("\n")}`;
  has(server(reading(text), 1), { address: "192.0.2.13" });
});

function sampleText(name: string): string {
  const found = SAMPLES.find((candidate) => candidate.name === name);
  assert.ok(found, name);
  return found.text;
}
