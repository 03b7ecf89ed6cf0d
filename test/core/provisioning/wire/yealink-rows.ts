/** What each key of the Yealink / Matrix family changes on the wire. */
import { recordRows } from "./record-rows.ts";
import type { Lines, WireRow } from "./stage.ts";

export const YEALINK_BASE: Lines = {
  "account.1.enable": "1",
  "account.1.user_name": "2001",
  "account.1.sip_server.1.address": "dual.pbx.example.com",
  "account.1.sip_server.2.address": "192.0.2.15",
  "account.1.fallback.redundancy_type": "1",
  "account.1.nat.udp_update_enable": "0",
};

const A = "account.X.";
const S = "account.X.sip_server.Y.";
const P = "account.X.outbound_proxy.Y.";
const S1 = "account.1.sip_server.1.";
const P1 = "account.1.outbound_proxy.1.";

const SINGLE: Lines = { "account.1.sip_server.2.address": "" };
/** Keep-alives as they are unless a file says otherwise. */
const AWAKE: Lines = { "account.1.nat.udp_update_enable": "" };
const STAYS: Lines = { [`${S1}failback_mode`]: "2", [`${S1}register_on_enable`]: "1" };
/** Registrations are renewed long before subscriptions. */
const EARLY: Lines = {
  "account.1.subscribe_mwi": "1",
  "account.1.register_expires_overlap": "2400",
};
/** Registrations are renewed each minute. */
const SHORT: Lines = { [`${S1}expires`]: "120" };
const PROXIES: Lines = {
  ...SINGLE,
  "account.1.outbound_proxy_enable": "1",
  [`${P1}address`]: "edge.example.com",
};

/** A key with a lamp: a colleague's number under it. */
const LAMP: Lines = { "linekey.1.type": "16", "linekey.1.value": "2002@pbx.example.com" };

type Short = readonly [
  key: string,
  value: string,
  play: WireRow["play"],
  without: string,
  shows: string,
  beside?: Lines,
];

const rows: readonly Short[] = [
  [
    `${A}enable`,
    "0",
    "calm",
    "0.0 → primary REGISTER",
    "",
    {
      "account.2.enable": "1",
      "account.2.user_name": "31",
      "account.2.sip_server.1.address": "192.0.2.15",
    },
  ],
  [`${A}display_name`, "Front desk", "calm", "", 'From: "Front desk"'],
  [`${A}auth_name`, "desk", "challenge", 'username="2001"', 'username="desk"'],
  [`${A}user_name`, "31", "calm", "sip:2001@", "sip:31@"],
  [`${A}password`, "s3cret", "challenge", "", ""],
  [`${A}subscribe_mwi`, "1", "calm", "", "Event: message-summary"],
  [`${A}subscribe_register`, "1", "calm", "", "Event: reg"],
  [
    `${A}subscribe_expires_overlap`,
    "100",
    "letters",
    "1800.0 → primary SUBSCRIBE",
    "3500.0 → primary SUBSCRIBE",
    { "account.1.subscribe_mwi": "1" },
  ],
  [
    `${A}sub_fail_retry_interval`,
    "100",
    "refused letters",
    "30.0 → primary SUBSCRIBE",
    "100.0 → primary SUBSCRIBE",
    { "account.1.subscribe_mwi": "1" },
  ],
  ...["linekey", "memorykey"].flatMap((keys): Short[] => [
    [`${keys}.X.type`, "16", "calm", "", "Event: dialog", { [`${keys}.1.value`]: "2002" }],
    [`${keys}.X.value`, "2002", "calm", "", "SUBSCRIBE sip:2002@", { [`${keys}.1.type`]: "16" }],
    [
      `${keys}.X.line`,
      "2",
      "calm",
      "Event: dialog",
      "",
      { [`${keys}.1.type`]: "16", [`${keys}.1.value`]: "2002" },
    ],
  ]),
  [`${A}blf.subscribe_period`, "600", "letters", "", "300.0 → primary SUBSCRIBE", LAMP],
  [`${A}blf.subscribe_event`, "1", "calm", "Event: dialog", "Event: presence", LAMP],
  [`${A}100rel_enable`, "1", "silence", "", "Supported: timer, replaces, 100rel"],
  [`${A}session_timer.enable`, "1", "silence", "", "Session-Expires: 1800"],
  [
    `${A}session_timer.expires`,
    "600",
    "silence",
    "Session-Expires: 1800",
    "Session-Expires: 600",
    { "account.1.session_timer.enable": "1" },
  ],
  [
    `${A}session_timer.refresher`,
    "1",
    "silence",
    "refresher=uac",
    "refresher=uas",
    { "account.1.session_timer.enable": "1" },
  ],
  [`${A}unregister_on_reboot`, "1", "calm", "", "Expires: 0"],
  [
    `${A}register_expires_overlap`,
    "600",
    "calm",
    "1800.0 → primary REGISTER",
    "3000.0 → primary REGISTER",
  ],
  [`${S}address`, "192.0.2.14", "calm", "0.0 → primary REGISTER", "0.0 → secondary REGISTER"],
  [`${S}port`, "5070", "calm", "", "0.0 → primary:5070 REGISTER"],
  [`${S}transport_type`, "1", "calm", "SIP/2.0/UDP", "SIP/2.0/TCP"],
  [`${S}expires`, "600", "calm", "", "300.0 → primary REGISTER"],
  [`${S}retry_counts`, "1", "renewal", "1801.5 → primary REGISTER", "1801.5 → secondary REGISTER"],
  [`${S}invite_retry_counts`, "1", "silence", "1.5 → primary INVITE", "1.5 → secondary INVITE"],
  [`${S}failback_mode`, "2", "silence", "200.0 → primary INVITE", "200.0 → secondary INVITE"],
  [
    `${S}failback_timeout`,
    "600",
    "silence",
    "1730.0 → secondary REGISTER",
    "1730.0 → primary REGISTER",
    { [`${S1}failback_mode`]: "3" },
  ],
  [
    `${S}register_on_enable`,
    "1",
    "silence",
    "1730.0 → primary REGISTER",
    "7.5 → secondary REGISTER",
  ],
  [
    `${S}only_signal_with_registered`,
    "1",
    "midcall",
    "7.5 → secondary INVITE",
    "",
    { ...STAYS, ...SHORT },
  ],
  [
    `${S}failback_subscribe.enable`,
    "1",
    "moving letters",
    "1800.0 → secondary SUBSCRIBE",
    "1207.5 → secondary SUBSCRIBE",
    { ...STAYS, ...EARLY },
  ],
  [
    `${S}outbound_proxy_enable`,
    "0",
    "calm",
    "0.0 → proxy1 REGISTER",
    "0.0 → primary REGISTER",
    PROXIES,
  ],
  [`${P}address`, "192.0.2.34", "calm", "0.0 → proxy1 REGISTER", "0.0 → proxy2 REGISTER", PROXIES],
  [`${P}port`, "5070", "calm", "", "0.0 → proxy1:5070 REGISTER", PROXIES],
  [
    `${P}retry_counts`,
    "1",
    "desolation",
    "1731.5 → proxy1 REGISTER",
    "1731.5 → proxy2 REGISTER",
    PROXIES,
  ],
  [
    `${P}invite_retry_counts`,
    "1",
    "desolation",
    "1.5 → proxy1 INVITE",
    "1.5 → proxy2 INVITE",
    PROXIES,
  ],
  [
    `${P}failback_mode`,
    "2",
    "desolation",
    "200.0 → proxy1 INVITE",
    "200.0 → proxy2 INVITE",
    PROXIES,
  ],
  [
    `${P}failback_timeout`,
    "600",
    "desolation",
    "1730.0 → proxy2 REGISTER",
    "1730.0 → proxy1 REGISTER",
    { ...PROXIES, [`${P1}failback_mode`]: "3" },
  ],
  [
    `${P}register_on_enable`,
    "1",
    "desolation",
    "1730.0 → proxy1 REGISTER",
    "7.5 → proxy2 REGISTER",
    PROXIES,
  ],
  [
    `${P}only_signal_with_registered`,
    "1",
    "midcall",
    "7.5 → proxy2 INVITE",
    "",
    { ...PROXIES, ...SHORT, [`${P1}failback_mode`]: "2", [`${P1}register_on_enable`]: "1" },
  ],
  [
    `${P}failback_subscribe.enable`,
    "1",
    "moving letters",
    "1800.0 → secondary SUBSCRIBE",
    "1207.5 → secondary SUBSCRIBE",
    {
      ...PROXIES,
      [`${P1}address`]: "dual.pbx.example.com",
      [`${P1}failback_mode`]: "2",
      [`${P1}register_on_enable`]: "1",
      ...EARLY,
    },
  ],
  [`${A}fallback.redundancy_type`, "0", "calm", "", "0.0 → fallback REGISTER"],
  [`${A}fallback.timeout`, "60", "desolation", "", "75.0 → primary REGISTER"],
  [
    `${A}outbound_proxy_enable`,
    "1",
    "calm",
    "0.0 → primary REGISTER",
    "0.0 → proxy1 REGISTER",
    { ...PROXIES, "account.1.outbound_proxy_enable": "" },
  ],
  [
    `${A}outbound_proxy_fallback_interval`,
    "70",
    "desolation",
    "3607.5 → proxy1 REGISTER",
    "77.5 → proxy1 REGISTER",
    {
      ...PROXIES,
      [`${P1}address`]: "192.0.2.33",
      "account.1.outbound_proxy.2.address": "192.0.2.34",
    },
  ],
  [
    `${A}redundancy_with_reg_fail.enable`,
    "1",
    "refusal",
    "0.0 → fallback REGISTER",
    "0.0 → secondary REGISTER",
  ],
  [
    `${A}reg_fail_retry_interval`,
    "7",
    "nobody",
    "77.0 → primary REGISTER",
    "54.0 → primary REGISTER",
  ],
  [
    `${A}reg_failed_retry_min_time`,
    "10",
    "nobody",
    "77.0 → primary REGISTER",
    "64.1 → primary REGISTER",
  ],
  [
    `${A}reg_failed_retry_max_time`,
    "600",
    "nobody",
    "234.9 → primary REGISTER",
    "251.4 → primary REGISTER",
    { "account.1.reg_failed_retry_min_time": "10" },
  ],
  [`${A}nat.udp_update_enable`, "0", "calm", "30.0 → primary keep-alive", "", AWAKE],
  [`${A}nat.udp_update_time`, "60", "calm", "30.0 → primary keep-alive", "", AWAKE],
  [
    `${A}naptr_build`,
    "1",
    "calm",
    "0.0 → secondary REGISTER",
    "0.0 → primary REGISTER",
    {
      ...SINGLE,
      [`${S1}address`]: "bare.example.com",
      [`${S1}port`]: "0",
      [`${S1}transport_type`]: "3",
    },
  ],
  [
    `${A}static_cache_pri`,
    "1",
    "calm",
    "0.0 → primary REGISTER",
    "0.0 → secondary REGISTER",
    { "dns_cache_a.1.name": "dual.pbx.example.com", "dns_cache_a.1.ip": "192.0.2.14" },
  ],
  [`${A}dns_cache_type`, "0", "calm", "", ""],
  ["sip.timer_t1", "1", "silence", "0.5 → primary INVITE", "1.0 → primary INVITE"],
  ["sip.timer_t2", "2", "nobody", "7.5 → secondary REGISTER", "5.5 → secondary REGISTER"],
  ["sip.reg_surge_prevention", "20", "calm", "0.0 → primary REGISTER", "11.6 → primary REGISTER"],
  [
    "sip.skip_redundant_failover_addr",
    "0",
    "silence",
    "7.5 → secondary INVITE",
    "7.5 → primary:5070 INVITE",
    {
      ...SINGLE,
      [`${S1}address`]: "twice.example.com",
      [`${S1}port`]: "0",
      [`${S1}transport_type`]: "3",
    },
  ],
  [
    "static.network.dns.query_timeout",
    "1",
    "unnamed",
    "9.0 → fallback REGISTER",
    "3.0 → fallback REGISTER",
  ],
  [
    "static.network.dns.retry_times",
    "0",
    "unnamed",
    "9.0 → fallback REGISTER",
    "3.0 → fallback REGISTER",
  ],
  ["sip.listen_port", "5080", "calm", "", ":5080"],
  [
    `${A}sip_server_host`,
    "192.0.2.14",
    "calm",
    "0.0 → fallback REGISTER",
    "0.0 → secondary REGISTER",
    { [`${S1}address`]: "" },
  ],
  [`${A}sip_server_port`, "5070", "calm", "", "0.0 → primary:5070 REGISTER"],
  [`${A}transport`, "1", "calm", "SIP/2.0/UDP", "SIP/2.0/TCP"],
  [
    `${A}outbound_host`,
    "192.0.2.34",
    "calm",
    "0.0 → primary REGISTER",
    "0.0 → proxy2 REGISTER",
    { ...PROXIES, [`${P1}address`]: "" },
  ],
  [`${A}outbound_port`, "5070", "calm", "", "0.0 → proxy1:5070 REGISTER", PROXIES],
  [`${A}advanced.timer_t1`, "1", "silence", "0.5 → primary INVITE", "1.0 → primary INVITE"],
  [`${A}advanced.timer_t2`, "2", "nobody", "7.5 → secondary REGISTER", "5.5 → secondary REGISTER"],
  [`${A}dns_query_timeout`, "1", "unnamed", "9.0 → fallback REGISTER", "3.0 → fallback REGISTER"],
];

const NAMED: Lines = {
  ...SINGLE,
  [`${S1}address`]: "pbx.example.com",
  [`${S1}port`]: "0",
  [`${S1}transport_type`]: "3",
};

export const YEALINK_ROWS: readonly WireRow[] = [
  ...rows.map(([key, value, play, without, shows, beside]) => ({
    key,
    value,
    play,
    without,
    with: shows,
    ...(beside === undefined ? {} : { beside }),
  })),
  ...["", "account.1."].flatMap((prefix) =>
    recordRows({
      key: (type, number, field) => `${prefix}dns_cache_${type.toLowerCase()}.${number}.${field}`,
      replacement: "replace",
      address: "ip",
      server: NAMED,
      weight: ["1.8 → secondary REGISTER", "1.8 → primary REGISTER"],
      ttl: "30",
      lifetimes: {
        NAPTR: ["", "0.0 ? NAPTR pbx.example.com\n0.0 → primary INVITE"],
        SRV: ["", "0.0 ? SRV _sip._udp.pbx.example.com"],
        A: ["", "0.0 ? A a.pbx.example.com"],
      },
    }),
  ),
];
