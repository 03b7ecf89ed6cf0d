/**
 * Twenty files as public templates look, both makers', each with one fault: exactly that is found, and nothing in the
 * twin whose one line is mended. However the text is laid out, the findings are the same.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import type { Fault } from "../../../src/core/provisioning/configuration.ts";
import { reading, sample } from "./samples.ts";

const FOLDER = new URL("../../../../test/fixtures/templates/", import.meta.url);

interface Template {
  /** `severity code line key`. */
  readonly found: string;
  /** The words that are the fault, and those that mend it. */
  readonly wrong: string;
  readonly right: string;
}

const TEMPLATES: Readonly<Record<string, Template>> = {
  "y01-later-blank.cfg": {
    found: "warning blank-duplicate 68 account.1.fallback.redundancy_type",
    wrong: "account.1.fallback.redundancy_type =\n",
    right: "",
  },
  "y02-second-transport.cfg": {
    found: "warning secondary-transport 19 account.1.sip_server.2.address",
    wrong: "sip_server.2.port= 5060\n",
    right: "sip_server.2.port= 5060\naccount.1.sip_server.2.transport_type = 1\n",
  },
  "y03-failback-on-address.cfg": {
    found: "warning failback-on-address 19 account.1.sip_server.1.failback_mode",
    wrong: "failback_mode = 3",
    right: "failback_mode = 0",
  },
  "y04-same-server.cfg": {
    found: "warning same-server 19 account.1.sip_server.2.address",
    wrong: "account.1.sip_server.2.address= 192.0.2.31",
    right: "account.1.sip_server.2.address= 192.0.2.32",
  },
  "y05-short-probe.cfg": {
    found: "warning probe-storm 29 account.1.fallback.timeout",
    wrong: "fallback.timeout = 10",
    right: "fallback.timeout = 60",
  },
  "y06-shared-proxy.cfg": {
    found: "warning shared-proxy 29 account.1.outbound_proxy.1.address",
    wrong: "outbound_proxy.2.address = \n",
    right: "outbound_proxy.2.address = 192.0.2.52\n",
  },
  "y07-concurrent-srv.cfg": {
    found: "warning concurrent-with-srv 31 account.1.fallback.redundancy_type",
    wrong: "fallback.redundancy_type = 0",
    right: "fallback.redundancy_type = 1",
  },
  "y08-no-keepalive.cfg": {
    found: "warning no-keepalive 26 account.1.nat.udp_update_enable",
    wrong: "udp_update_enable = 0",
    right: "udp_update_enable = 1",
  },
  "y09-placeholder.cfg": {
    found: "error unfilled-placeholder 19 account.1.sip_server.2.address",
    wrong: "{$server_address_secondary}",
    right: "192.0.2.64",
  },
  "y10-misspelt.cfg": {
    found: "warning unknown-key 28 account.1.fallback.redundancy_typ",
    wrong: "redundancy_typ =",
    right: "redundancy_type =",
  },
  "p01-port-of-server-1.xml": {
    found: "error wrong-number 19 reg.1.server.1.port",
    wrong: 'reg.1.server.1.port="5060"\n    reg.1.server.2.transport',
    right: 'reg.1.server.2.port="5060"\n    reg.1.server.2.transport',
  },
  "p02-hidden-recipe.xml": {
    found: "warning hidden-global 19 voIpProt.server.1.failOver.reRegisterOn",
    wrong: "reg.1.server.1.address",
    right: "voIpProt.server.1.address",
  },
  "p03-held-calls.xml": {
    found: "warning held-call-ends 19 reg.1.server.1.failOver.failRegistrationOn",
    wrong: 'reg.1.server.1.failOver.failRegistrationOn="1"',
    right:
      'reg.1.server.1.failOver.failRegistrationOn="1" reg.1.server.1.failOver.onlySignalWithRegistered="0"',
  },
  "p04-three-registrations.xml": {
    found: "warning many-registrations 22 reg.1.server.3.address",
    wrong: 'reg.1.server.3.port="5060"',
    right: 'reg.1.server.3.port="5060" reg.1.server.3.register="0"',
  },
  "p05-shared-proxy.xml": {
    found: "warning shared-proxy 13 reg.1.outboundProxy.address",
    wrong: 'reg.1.server.2.port="5060"',
    right: 'reg.1.server.2.port="5060" reg.1.server.2.useOutboundProxy="0"',
  },
  "p06-second-over-udp.xml": {
    found: "warning secondary-transport 16 reg.1.server.2.address",
    wrong: 'reg.1.server.2.port="5060"',
    right: 'reg.1.server.2.port="5060" reg.1.server.2.transport="TCPOnly"',
  },
  "p07-broken-chain.xml": {
    found: "warning condition-missing 8 voIpProt.server.1.failOver.failRegistrationOn",
    wrong: 'failRegistrationOn="1"',
    right: 'failRegistrationOn="0"',
  },
  "p08-short-failback.xml": {
    found: "error out-of-range 20 reg.1.server.1.failOver.failBack.timeout",
    wrong: 'failBack.timeout="30"',
    right: 'failBack.timeout="60"',
  },
  "p09-week-of-ttl.xml": {
    found: "warning ttl-too-long 41 dns.cache.A.1.ttl",
    wrong: "604800",
    right: "3600",
  },
  "p10-port-before-naptr.xml": {
    found: "warning naptr-with-port 6 voIpProt.server.1.transport",
    wrong: 'voIpProt.server.1.port="5060"',
    right: 'voIpProt.server.1.port="0"',
  },
};

const textOf = (name: string): string => readFileSync(new URL(name, FOLDER), "utf8");

/** In either family whatever a file is called. */
function found(text: string): string[] {
  return reading(text, "phone.cfg").faults.map(
    ({ severity, code, line, key }) => `${severity} ${code} ${line} ${key}`,
  );
}

test("each file has exactly its one finding, with code, line and key, and a remedy", () => {
  assert.deepEqual(readdirSync(FOLDER).sort(), Object.keys(TEMPLATES).sort());
  for (const [name, template] of Object.entries(TEMPLATES)) {
    assert.deepEqual(found(textOf(name)), [template.found], name);
    const [fault] = reading(textOf(name)).faults as [Fault];
    assert.ok(fault.wrong.length > 10 && fault.remedy.length > 3, name);
    const lines = textOf(name).split("\n").length;
    assert.ok(lines >= 40 && lines <= 150, `${name}: ${lines} lines`);
  }
});

test("nothing is found in the twin whose one line is mended", () => {
  for (const [name, { wrong, right }] of Object.entries(TEMPLATES)) {
    const text = textOf(name);
    assert.equal(text.split(wrong).length, 2, `${name}: ${wrong}`);
    assert.deepEqual(found(text.replace(wrong, right)), [], name);
  }
});

/** The finding as a file without lines has it. */
const plainly = (told: readonly string[]): string[] =>
  told.map((one) => one.replace(/ \d+ /, " ").toLowerCase());

test("line ends, a missing last one, comments, marks and letters' case are no matter", () => {
  for (const [name, template] of Object.entries(TEMPLATES)) {
    const text = textOf(name);
    const xml = name.endsWith(".xml");
    const same: Readonly<Record<string, string>> = {
      "CR LF": text.replaceAll("\n", "\r\n"),
      CR: text.replaceAll("\n", "\r"),
      "no last line end": text.trimEnd(),
      "spaces at line ends": text.replaceAll("\n", "  \t\n"),
      ...(xml ? { "a byte-order mark": `\uFEFF${text}` } : {}),
    };
    for (const [what, laidOut] of Object.entries(same)) {
      assert.deepEqual(found(laidOut), [template.found], `${name}, ${what}`);
    }
    const other: Readonly<Record<string, string>> = xml
      ? {
          "one line": text.replaceAll(/\s*\n\s*/g, " "),
          "spaces round =": text.replaceAll('="', ' = "'),
          "single quotes": text.replaceAll('"', "'"),
          "another root": text.replaceAll(/(?<=^<\/?)\w+(?=>$)/gm, "localcfg"),
          "comments between": text.replaceAll(
            /(?<=\/>)\n/g,
            "\n<!-- reg.1.server.9.address='x' -->\n",
          ),
        }
      : {
          "spaces round =": text.replaceAll(/ *= */g, "   =\t"),
          "keys in capitals": text.replaceAll(/^[a-z][\w.]*(?= *=)/gm, (key) => key.toUpperCase()),
          "comments between": text.replaceAll(/\n(?=account)/g, "\n#account.1.enable = 9\n\n"),
        };
    for (const [what, laidOut] of Object.entries(other)) {
      assert.deepEqual(plainly(found(laidOut)), plainly([template.found]), `${name}, ${what}`);
    }
  }
});

test("every key of a file is read, once and at its line, and what becomes of it is told", () => {
  for (const name of Object.keys(TEMPLATES)) {
    const text = textOf(name);
    const keys = name.endsWith(".cfg") ? /^([\w.]+) *=/ : /^ +([\w.]+)="/;
    const written = text.split("\n").flatMap((line, at) => {
      const key = keys.exec(line)?.[1];
      return key === undefined ? [] : [`${at + 1} ${key}`];
    });
    const { readings } = reading(text, "phone.cfg");
    assert.ok(written.length > 30, name);
    assert.deepEqual(
      readings.map(({ line, key }) => `${line} ${key}`),
      written,
      name,
    );
    for (const { outcome, reason, decides, value } of readings) {
      assert.ok(outcome === "honoured" ? decides !== "" : reason !== "", name);
      assert.ok(!value.includes("pass-"), name);
    }
  }
});

test("a byte-order mark before the version line, or none at all, is one finding more (Yealink)", () => {
  const text = textOf("y05-short-probe.cfg");
  const codes = (told: string): (string | undefined)[] =>
    reading(told).faults.map(({ code }) => code);
  assert.deepEqual(codes(`\uFEFF${text}`), ["byte-order-mark", "probe-storm"]);
  assert.deepEqual(codes(text.slice(text.indexOf("\n") + 1)), ["version-line", "probe-storm"]);
});

test("the makers' samples have no trap but those that their remarks name", () => {
  const told = (name: string): string[] =>
    sample(name).faults.map(({ severity, code }) => `${severity} ${code}`);
  for (const name of [
    "Y1-register-fallback.cfg",
    "Y2-invite-fallback.cfg",
    "Y3-dns-failover.cfg",
    "Y4-register-first-static-dns.cfg",
    "Y7-tls-two-accounts.cfg",
    "P1-fallback-register-both.xml",
    "P3-line-overrides-globals.xml",
    "P4-static-dns-ttl.xml",
    "N1-lab.yaml",
  ]) {
    assert.deepEqual(told(name), [], name);
  }
  assert.deepEqual(told("Y5-both-levels.cfg"), ["note probe-against-expiry"]);
  assert.deepEqual(told("P2-dns-failover-duration.xml"), ["note held-call-ends"]);
  assert.deepEqual(told("P5-outbound-proxy.xml"), ["note held-call-ends"]);
  assert.deepEqual(told("P6-tls-four-servers.xml"), ["warning many-registrations"]);
});
