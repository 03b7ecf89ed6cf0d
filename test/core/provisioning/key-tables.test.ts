/** Each row of each table: what it says is decided is decided, nothing else is, and what is illegal is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { PhoneConfiguration } from "../../../src/core/provisioning/configuration.ts";
import type { KeyRow, KeyTable } from "../../../src/core/provisioning/key-table.ts";
import { NATIVE_KEYS } from "../../../src/core/provisioning/native-keys.ts";
import { POLYCOM_KEYS } from "../../../src/core/provisioning/polycom-keys.ts";
import { parseValue } from "../../../src/core/provisioning/value-form.ts";
import { YEALINK_KEYS } from "../../../src/core/provisioning/yealink-keys.ts";
import { illegalTexts, legalTexts } from "./key-texts.ts";
import { reading } from "./samples.ts";

type Lines = Readonly<Record<string, string>>;

interface Bench {
  readonly table: KeyTable;
  readonly base: Lines;
  /** Lines that a key needs beside it, by the key in the table's spelling. */
  readonly beside: readonly (readonly [RegExp, Lines])[];
  readonly print: (lines: Lines) => string;
}

const BENCHES: readonly Bench[] = [
  {
    table: YEALINK_KEYS,
    base: {
      "account.1.enable": "1",
      "account.1.user_name": "2001",
      "account.1.auth_name": "2001",
      "account.1.sip_server.1.address": "pbx.example.com",
      "account.1.sip_server.2.address": "gw.example.com",
      "account.1.fallback.redundancy_type": "1",
    },
    beside: [
      [/^account\.X\.outbound_(proxy|host|port)/, proxies("account.1.outbound_proxy")],
      [/sip_server\.Y\.outbound_proxy_enable$/, proxies("account.1.outbound_proxy")],
      [/^account\.X\.outbound_proxy\.Y\.address$/, { "account.1.outbound_proxy.1.address": "" }],
      [/sip_server\.Y\.(failback_timeout|failback_sub|only)/, failover("account.1.sip_server.1")],
      [
        /outbound_proxy\.Y\.(failback_timeout|failback_sub|only)/,
        failover("account.1.outbound_proxy.1"),
      ],
      [/reg_failed_retry_max_time/, { "account.1.reg_failed_retry_min_time": "30" }],
      [/^linekey\./, lamp("linekey")],
      [/^memorykey\./, lamp("memorykey")],
      [/\.blf\.subscribe/, lamp("linekey")],
      [/secondary_dns/, { "static.network.primary_dns": "192.0.2.53" }],
      [/sip_server_host/, { "account.1.sip_server.1.address": "" }],
      [/outbound_host/, { "account.1.outbound_proxy.1.address": "" }],
      [/^dns_cache_/, vendorRecords("", "ip", "replace")],
      [/^account\.X\.dns_cache_/, vendorRecords("account.1.", "ip", "replace")],
    ],
    print: (lines) =>
      ["#!version:1.0.0.1", ...Object.entries(lines).map((pair) => pair.join(" = "))].join("\n"),
  },
  {
    table: POLYCOM_KEYS,
    base: {
      "reg.1.address": "4001",
      "reg.1.auth.userId": "4001",
      "voIpProt.server.1.address": "pbx.example.com",
    },
    beside: [
      [/^reg\.X\.server\.Y\./, { "reg.1.server.1.address": "own.example.com" }],
      [/^reg\.X\.outboundProxy\./, { "reg.1.outboundProxy.address": "edge.example.com" }],
      [/SIP\.outboundProxy\./, { "voIpProt.SIP.outboundProxy.address": "edge.example.com" }],
      [/useOutboundProxy/, { "reg.1.outboundProxy.address": "edge.example.com" }],
      ...[
        "reg.1.server.1",
        "voIpProt.server.1",
        "reg.1.outboundProxy",
        "voIpProt.SIP.outboundProxy",
      ].flatMap((prefix): [RegExp, Lines][] => {
        const pattern = prefix.replace("reg.1", "reg.X").replace("server.1", "server.Y");
        const of = (leaf: string): RegExp => new RegExp(`^${pattern}.${leaf}$`);
        return [
          [of("failOver.failBack.timeout"), { [`${prefix}.failOver.failBack.mode`]: "duration" }],
          [of("failOver.failRegistrationOn"), chain(prefix, "1", "0", "0")],
          [of("failOver.onlySignalWithRegistered"), chain(prefix, "1", "1", "1")],
          [of("registerRetry.baseTimeOut"), { [`${prefix}.registerRetry.maxTimeOut`]: "1800" }],
        ];
      }),
      [/^attendant\./, { "attendant.resourceList.1.address": "4002" }],
      [/altSrvAddress/, { "device.dns.serverAddress": "192.0.2.53" }],
      [/^dns\.cache\./, polycomRecords()],
    ],
    print: (lines) => {
      const attributes = Object.entries(lines).map(([key, value]) => `${key}="${value}"`);
      return `<polycomConfig>\n<all ${attributes.join("\n")}/>\n</polycomConfig>`;
    },
  },
  {
    table: NATIVE_KEYS,
    base: {
      "accounts.1.user": "2001",
      "accounts.1.auth-name": "2001",
      "accounts.1.servers.1.address": "pbx.example.com",
    },
    beside: [
      [/proxies|through-proxy/, { "accounts.1.proxies.1.address": "edge.example.com" }],
      [/^accounts\.X\.dns\./, nativeRecords("accounts.1.")],
      [/^every-account\.dns\./, nativeRecords("every-account.")],
    ],
    print: (lines) =>
      Object.entries(lines)
        .map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
        .join("\n"),
  },
];

for (const bench of BENCHES) {
  const { dialect } = bench.table;
  for (const row of bench.table.rows) {
    if (row.noEffect === "") {
      test(`${dialect} ${row.key} decides ${row.decides} and nothing else`, () => {
        decidesItsField(bench, row);
      });
    } else {
      test(`${dialect} ${row.key} is accepted and does nothing: ${row.noEffect}`, () => {
        doesNothing(bench, row);
      });
    }
    const illegal = illegalTexts(row.form);
    if (illegal.length > 0 && row.noEffect === "") {
      test(`${dialect} ${row.key} refuses ${illegal.join(", ")}`, () =>
        refuses(bench, row, illegal));
    }
  }
}

function decidesItsField(bench: Bench, row: KeyRow): void {
  const without = flat(reading(bench.print(linesFor(bench, row, undefined))));
  const texts = legalTexts(row.form);
  const outcomes = texts.map((text) => outcome(bench, row, text));
  // A mailbox switches message waiting on whatever its name: only its absence differs.
  if (row.slot.endsWith(".mailbox")) outcomes.push(without);
  const ours = [row.decides, ...row.also.map((field) => sibling(row.decides, field))];
  let changes = 0;
  for (const other of outcomes.slice(1)) {
    for (const path of differences(outcomes[0]!, other)) {
      changes++;
      const decided = ours.some((field) => covers(field, path));
      assert.ok(decided, `${path} changes between ${texts.join(", ")}`);
    }
  }
  assert.ok(changes > 0, `nothing changes between ${texts.join(", ")}`);
  const standard = parseValue(row.form, row.default);
  const said = row.form.kind !== "text" && row.default !== "" && !standard.rejected;
  if (said && standard.value !== undefined) {
    assert.deepEqual(differences(without, outcome(bench, row, row.default)), []);
  }
}

function doesNothing(bench: Bench, row: KeyRow): void {
  const without = flat(reading(bench.print(linesFor(bench, row, undefined))));
  for (const text of legalTexts(row.form)) {
    const phone = reading(bench.print(linesFor(bench, row, text)));
    const told = phone.readings.find(({ key }) => key === concrete(row.key));
    assert.equal(told?.outcome, "no-effect");
    assert.equal(told.reason, row.noEffect);
    assert.deepEqual(differences(without, flat(phone)), []);
  }
}

function refuses(bench: Bench, row: KeyRow, illegal: readonly string[]): void {
  const key = concrete(row.key);
  for (const text of illegal) {
    const phone = reading(bench.print(linesFor(bench, row, text)));
    const fault = phone.faults.find((told) => told.key === key && told.severity === "error");
    assert.ok(fault, `${key} = ${text} is taken`);
    assert.ok(fault.remedy.length > 0);
    assert.equal(phone.readings.find((told) => told.key === key)?.outcome, "rejected");
  }
}

/** The configuration with the key at `text`, as flat paths; the reading must be honoured. */
function outcome(bench: Bench, row: KeyRow, text: string): Map<string, string> {
  const phone = reading(bench.print(linesFor(bench, row, text)));
  const told = phone.readings.find(({ key }) => key === concrete(row.key));
  assert.ok(told, concrete(row.key));
  assert.equal(told.decides, concrete(row.decides));
  assert.notEqual(told.outcome, "unknown");
  assert.notEqual(told.outcome, "rejected", `${text}: ${told.reason}`);
  return flat(phone);
}

function linesFor(bench: Bench, row: KeyRow, text: string | undefined): Lines {
  const lines: Record<string, string> = { ...bench.base };
  for (const [pattern, beside] of bench.beside) {
    if (pattern.test(row.key)) Object.assign(lines, beside);
  }
  delete lines[concrete(row.key)];
  if (text !== undefined) lines[concrete(row.key)] = text;
  return Object.fromEntries(
    Object.entries(lines).filter(([key, value]) => value !== "" || key === ""),
  );
}

function concrete(path: string): string {
  return path.replace(/(?<=^|\.)[XYZ](?=\.|$)/g, "1");
}

function sibling(path: string, field: string): string {
  return path.slice(0, path.lastIndexOf(".") + 1) + field;
}

/** Whether a change of `path` is what a key that decides `decided` may do. */
function covers(decided: string, path: string): boolean {
  const record = decided.indexOf(".dns.records");
  const whole = record === -1 ? decided : decided.slice(0, record + ".dns.records".length);
  const pattern = concrete(whole).replaceAll(".", "\\.").replaceAll("*", "\\d+");
  return new RegExp(`^${pattern}(\\.|$)`).test(path);
}

function flat(phone: PhoneConfiguration): Map<string, string> {
  const paths = new Map<string, string>();
  const walk = (value: unknown, path: string): void => {
    if (Array.isArray(value)) {
      for (const [at, item] of value.entries()) walk(item, `${path}.${at + 1}`);
    } else if (typeof value === "object" && value !== null) {
      for (const [field, inner] of Object.entries(value)) walk(inner, `${path}.${field}`);
    } else {
      paths.set(path, String(value));
    }
  };
  for (const account of phone.accounts) walk(account, `account.${account.index}`);
  walk(phone.resolvers, "resolvers");
  walk(phone.localPort, "localPort");
  for (const [field, value] of Object.entries(phone.station ?? {})) walk(value, field);
  return paths;
}

function differences(a: Map<string, string>, b: Map<string, string>): string[] {
  const paths = new Set([...a.keys(), ...b.keys()]);
  return [...paths].filter((path) => a.get(path) !== b.get(path));
}

function proxies(prefix: string): Lines {
  return {
    [`${prefix}_enable`]: "1",
    [`${prefix}.1.address`]: "edge.example.com",
    [`${prefix}.2.address`]: "rim.example.com",
  };
}

function lamp(key: string): Lines {
  return { [`${key}.1.type`]: "16", [`${key}.1.line`]: "1", [`${key}.1.value`]: "2002" };
}

function failover(prefix: string): Lines {
  return { [`${prefix}.failback_mode`]: "3", [`${prefix}.register_on_enable`]: "1" };
}

function chain(prefix: string, register: string, forget: string, only: string): Lines {
  return {
    [`${prefix}.failOver.reRegisterOn`]: register,
    [`${prefix}.failOver.failRegistrationOn`]: forget,
    [`${prefix}.failOver.onlySignalWithRegistered`]: only,
  };
}

function vendorRecords(prefix: string, address: string, replacement: string): Lines {
  return {
    [`${prefix}dns_cache_naptr.1.name`]: "n.example.com",
    [`${prefix}dns_cache_naptr.1.service`]: "SIP+D2U",
    [`${prefix}dns_cache_naptr.1.${replacement}`]: "_sip._udp.n.example.com",
    [`${prefix}dns_cache_srv.1.name`]: "_sip._udp.n.example.com",
    [`${prefix}dns_cache_srv.1.port`]: "5060",
    [`${prefix}dns_cache_srv.1.target`]: "a.example.com",
    [`${prefix}dns_cache_a.1.name`]: "a.example.com",
    [`${prefix}dns_cache_a.1.${address}`]: "192.0.2.13",
  };
}

function polycomRecords(): Lines {
  const lines = vendorRecords("", "address", "replacement");
  return renamed(lines, (key) =>
    key.replace(/dns_cache_(\w+)/, (_, type: string) => `dns.cache.${type.toUpperCase()}`),
  );
}

function nativeRecords(prefix: string): Lines {
  const lines = vendorRecords("", "address", "replacement");
  return renamed(lines, (key) => prefix + key.replace("dns_cache_", "dns."));
}

function renamed(lines: Lines, rename: (key: string) => string): Lines {
  return Object.fromEntries(Object.entries(lines).map(([key, value]) => [rename(key), value]));
}
