/**
 * For each code of a finding the shortest file that has it, and where: docs/explain.md shows them. `node
 * dist/test/core/provisioning/finding-examples.js` writes the page; a test compares.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { FINDINGS, type FindingCode } from "../../../src/core/provisioning/finding.ts";

export interface Example {
  /** The lines that make the fault, as the page shows them. */
  readonly lines: readonly string[];
  /** Whatever else a file needs is put before them; undefined: they are the whole file. */
  readonly beside: "yealink" | "polycom" | "native" | undefined;
  /** How many phones are told of. */
  readonly phones?: number;
}

const y = (...lines: string[]): Example => ({ lines, beside: "yealink" });
const p = (...lines: string[]): Example => ({ lines, beside: "polycom" });
const n = (...lines: string[]): Example => ({ lines, beside: "native" });
const whole = (...lines: string[]): Example => ({ lines, beside: undefined });

const TWO = ["sip_server.1.address = a.example.com", "sip_server.2.address = b.example.com"];
const NAME = "sip_server.1.address = pbx.example.com";
const P_NAME = 'reg.1.server.1.address="pbx.example.com"';
const N_NAME = "servers: [{ address: pbx.example.com }]";

/** In a Yealink line `account.1.` is left away. */
export const EXAMPLES: Readonly<Record<FindingCode, Example>> = {
  "file-unfit": whole(""),
  "mixed-dialects": whole("(a .cfg and an .xml)"),
  "not-read": y(NAME, "account.1.auto_answer_mute_enable"),
  "version-line": whole("account.1.enable = 1"),
  "byte-order-mark": whole("\uFEFF#!version:1.0.0.1"),
  "include-not-followed": y(NAME, 'include:config "y000000000096.cfg"'),
  "unknown-key": y(NAME, "sip_server.1.failback_mod = 1"),
  "unfilled-placeholder": y("sip_server.1.address = {$server_address}"),
  "duplicate-key": y(NAME, "sip_server.1.expires = 600", "sip_server.1.expires = 900"),
  "blank-duplicate": y(...TWO, "fallback.redundancy_type = 1", "fallback.redundancy_type ="),
  "wrong-number": y("sip_server.1.port = 5060", ...TWO, "sip_server.1.port = 5060"),
  "bad-value": p(P_NAME, 'reg.1.server.1.failOver.failBack.mode="later"'),
  "out-of-range": y(NAME, "sip_server.1.retry_counts = 99"),
  "adjusted-value": p(P_NAME, 'reg.1.server.1.transport="UDPonly"'),
  "key-letters": p(P_NAME, 'reg.1.server.1.RetryMaxCount="2"'),
  "beyond-family": y(NAME, "sip_server.3.address = c.example.com"),
  "no-account": whole("#!version:1.0.0.1"),
  "no-server": y(),
  "no-user": whole("#!version:1.0.0.1", "account.1.enable = 1", `account.1.${NAME}`),
  "not-switched-on": whole("#!version:1.0.0.1", "account.1.user_name = 1", `account.1.${NAME}`),
  "missing-server": y("sip_server.2.address = b.example.com"),
  "proxy-without-address": y(NAME, "outbound_proxy_enable = 1"),
  "incomplete-record": y(NAME, "dns_cache_a.1.name = pbx.example.com"),
  "srv-name": y("sip_server.1.address = _sip._udp.pbx.example.com"),
  "failback-on-address": y(
    "sip_server.1.address = 192.0.2.13",
    "sip_server.2.address = 192.0.2.15",
    "sip_server.1.failback_mode = 3",
  ),
  "condition-missing": y(NAME, "sip_server.1.only_signal_with_registered = 1"),
  "naptr-on-address": y(
    "sip_server.1.address = 192.0.2.13",
    "sip_server.2.address = 192.0.2.15",
    "sip_server.1.transport_type = 3",
  ),
  "naptr-with-port": y(NAME, "sip_server.1.port = 5060", "sip_server.1.transport_type = 3"),
  "zero-wait": y(NAME, "reg_fail_retry_interval = 0"),
  "cap-below-base": y(NAME, "reg_failed_retry_min_time = 90", "reg_failed_retry_max_time = 60"),
  "hidden-global": p('voIpProt.server.1.failOver.reRegisterOn="1"', P_NAME),
  "server-1-counts": p(
    'reg.1.server.1.address="192.0.2.13"',
    'reg.1.server.2.address="192.0.2.15"',
    'reg.1.server.2.registerRetry.baseTimeOut="30"',
  ),
  "single-address": y("sip_server.1.address = 192.0.2.13"),
  "same-server": y("sip_server.1.address = 192.0.2.13", "sip_server.2.address = 192.0.2.13"),
  "concurrent-with-srv": y(...TWO, "sip_server.1.port = 0", "sip_server.1.transport_type = 3"),
  "shared-proxy": y(
    ...TWO,
    "outbound_proxy_enable = 1",
    "outbound_proxy.1.address = c.example.com",
  ),
  "secondary-transport": y(...TWO, "sip_server.1.transport_type = 1"),
  "port-for-transport": y(NAME, "sip_server.1.port = 5060", "sip_server.1.transport_type = 2"),
  "probe-against-expiry": y(
    ...TWO,
    "fallback.redundancy_type = 1",
    "fallback.timeout = 7200",
    "sip_server.2.expires = 600",
  ),
  "probe-storm": y(
    ...TWO,
    "fallback.redundancy_type = 1",
    "fallback.timeout = 10",
    "sip_server.2.expires = 300",
  ),
  "start-storm": { ...y(NAME), phones: 1000 },
  "retry-storm": { ...y(NAME, "sip.reg_surge_prevention = 60"), phones: 2000 },
  "refresh-storm": y(NAME, "sip_server.1.expires = 30"),
  "many-registrations": p(
    'reg.1.server.1.address="192.0.2.13"',
    'reg.1.server.2.address="192.0.2.14"',
    'reg.1.server.3.address="192.0.2.15"',
  ),
  "registers-nowhere": p(P_NAME, 'reg.1.server.1.register="0"'),
  "no-keepalive": y(NAME, "nat.udp_update_enable = 0"),
  "slow-keepalive": y(NAME, "nat.udp_update_time = 600"),
  "ttl-too-long": y(
    NAME,
    "sip_server.1.failback_mode = 1",
    "dns_cache_a.1.name = pbx.example.com",
    "dns_cache_a.1.ip = 192.0.2.13",
    "dns_cache_a.1.ttl = 604800",
  ),
  "late-return": y(NAME, "sip_server.1.failback_mode = 3", "sip_server.1.failback_timeout = 43200"),
  "never-back": y(NAME, "sip_server.1.failback_mode = 3", "sip_server.1.failback_timeout = 0"),
  "never-idle": n(N_NAME, "idle-wait-max: 0"),
  "divided-return": y(NAME, "sip_server.1.register_on_enable = 1"),
  "lost-subscription": y(
    NAME,
    "subscribe_mwi = 1",
    "sip_server.1.failback_mode = 2",
    "sip_server.1.register_on_enable = 1",
  ),
  "held-call-ends": p(
    P_NAME,
    'reg.1.server.1.failOver.failBack.mode="duration"',
    'reg.1.server.1.failOver.reRegisterOn="1"',
    'reg.1.server.1.failOver.failRegistrationOn="1"',
  ),
  "retries-beyond-end": y(NAME, "sip_server.1.invite_retry_counts = 10"),
  "slow-failover": y(NAME, "sip.timer_t1 = 5"),
  "slow-dns": y(NAME, "static.network.dns.query_timeout = 60"),
  "no-dns-cache": y(NAME, "dns_cache_type = 0"),
  "unused-record": y(NAME, "dns_cache_a.1.name = pbx.example.org", "dns_cache_a.1.ip = 192.0.2.13"),
  "no-failover-on-503": p(P_NAME, 'voIpProt.SIP.failoverOn503Response="0"'),
  "failover-on-answer": n(N_NAME, "failover-statuses: [486, 500]"),
  "tls-to-address": y(
    "sip_server.1.address = 192.0.2.13",
    "sip_server.2.address = b.example.com",
    "sip_server.1.port = 5061",
    "sip_server.1.transport_type = 2",
    "sip_server.2.transport_type = 0",
  ),
  "long-lifetime": y(NAME, "sip_server.1.expires = 604800"),
  "overlap-beyond-lifetime": p(
    P_NAME,
    'reg.1.server.1.expires="60"',
    'reg.1.server.1.expires.overlap="120"',
  ),
};

/** The text of the file that the example stands for. */
export function exampleText({ lines, beside }: Example): string {
  switch (beside) {
    case "yealink":
      return [
        "#!version:1.0.0.1",
        "account.1.enable = 1",
        "account.1.user_name = 2001",
        ...lines.map((line) => (isOfAccount(line) ? `account.1.${line}` : line)),
      ].join("\n");
    case "polycom":
      return `<polycomConfig>\n<reg\nreg.1.address="4001"\n${lines.join("\n")}/>\n</polycomConfig>`;
    case "native":
      return ["accounts:", '  - user: "3001"', ...lines.map((line) => `    ${line}`)].join("\n");
    default:
      return lines.join("\n");
  }
}

function isOfAccount(line: string): boolean {
  return !/^(account|include|dns_cache_(a|srv|naptr)\.|static\.|sip\.)/.test(line);
}

const PAGE: URL = new URL("../../../../docs/explain.md", import.meta.url);

/** The page with the table of codes made anew. */
export function withFindings(page: string): string {
  const rows = (Object.keys(FINDINGS) as FindingCode[]).map((code) => {
    const { tells, trap } = FINDINGS[code];
    const { lines, beside, phones } = EXAMPLES[code];
    const named = lines.map((line) =>
      beside === "yealink" && isOfAccount(line) ? `account.1.${line}` : line,
    );
    const shown = named
      .map((line) => `\`${line.replaceAll("|", "\\|").replace("\uFEFF", "(U+FEFF)")}\``)
      .join("<br>");
    const many = phones === undefined ? "" : `<br>and \`--phones ${phones}\``;
    const plain = lines.join("") === "" ? "an account without one" : shown;
    return `| \`${code}\` | ${tells} | ${trap || "–"} | ${code === "file-unfit" ? "an empty file" : plain}${many} |`;
  });
  const table = ["| code | what it tells | trap | for instance |", "|---|---|---|---|", ...rows];
  const part = /(<!-- findings -->\n)[\s\S]*?(<!-- \/findings -->)/;
  return page.replace(
    part,
    (_, start: string, end: string) => `${start}${table.join("\n")}\n${end}`,
  );
}

export function explainPage(): string {
  return readFileSync(PAGE, "utf8");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  writeFileSync(PAGE, withFindings(explainPage()));
}
