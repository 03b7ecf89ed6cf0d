/** What each parameter of the Polycom / Spectralink family changes on the wire. */
import { recordRows } from "./record-rows.ts";
import type { Lines, WireRow } from "./stage.ts";

export const POLYCOM_BASE: Lines = { "reg.1.address": "4001", "nat.keepalive.interval": "0" };

type Short = readonly [
  key: string,
  value: string,
  play: WireRow["play"],
  without: string,
  shows: string,
  beside?: Lines,
];

const MAIL: Lines = { "msg.mwi.1.subscribe": "4001" };

/** Makes rows of the parameters below a prefix; `usual` stands beside each that does not say otherwise. */
function rowOf(prefix: string, usual: Lines) {
  return (
    leaf: string,
    value: string,
    play: WireRow["play"],
    without: string,
    shows: string,
    beside: Lines = usual,
  ): Short => [`${prefix}${leaf}`, value, play, without, shows, beside];
}

/** The three switches that depend on one another, at the server or proxy whose keys begin so. */
function chainOf(own: string, usual: Lines) {
  return (register: string, forget: string, only: string): Lines => ({
    ...usual,
    [`${own}failOver.reRegisterOn`]: register,
    [`${own}failOver.failRegistrationOn`]: forget,
    [`${own}failOver.onlySignalWithRegistered`]: only,
    [`${own}failOver.failBack.mode`]: "registration",
  });
}

/** The same parameters at reg.x.server.y and voIpProt.server.x; `own` is the prefix with its numbers. */
function serverRows(prefix: string, own: string): readonly Short[] {
  const first = `${own}.1.`;
  const two: Lines = {
    [`${first}address`]: "dual.pbx.example.com",
    [`${first}port`]: "5060",
    [`${first}transport`]: "UDPOnly",
    [`${own}.2.address`]: "192.0.2.15",
    [`${own}.2.transport`]: "UDPOnly",
  };
  const one: Lines = { ...two, [`${own}.2.address`]: "", [`${own}.2.transport`]: "" };
  const named: Lines = {
    ...one,
    [`${first}port`]: "",
    [`${first}transport`]: "",
  };
  const chain = chainOf(first, one);
  const row = rowOf(`${prefix}.`, two);
  return [
    row("address", "192.0.2.14", "calm", "0.0 → primary REGISTER", "0.0 → secondary REGISTER"),
    row(
      "port",
      "5070",
      "calm",
      "0.0 ? NAPTR dual.pbx.example.com",
      "0.0 → primary:5070 REGISTER",
      named,
    ),
    row("transport", "TCPOnly", "calm", "", "SIP/2.0/TCP"),
    row("expires", "600", "calm", "3540.0 → primary REGISTER", "540.0 → primary REGISTER"),
    row("expires.overlap", "600", "calm", "3540.0 → primary REGISTER", "3000.0 → primary REGISTER"),
    row("register", "0", "calm", "0.0 → primary REGISTER", "10.0 → fallback INVITE"),
    row(
      "registerRetry.baseTimeOut",
      "10",
      "nobody",
      "66.4 → primary REGISTER",
      "32.1 → primary REGISTER",
    ),
    row(
      "registerRetry.maxTimeOut",
      "600",
      "nobody",
      "66.4 → primary REGISTER",
      "117.8 → primary REGISTER",
    ),
    row("retryMaxCount", "1", "silence", "1.5 → primary INVITE", "1.5 → secondary INVITE"),
    row("retryTimeOut", "300", "silence", "0.5 → primary INVITE", "0.3 → primary INVITE"),
    row("useOutboundProxy", "0", "calm", "10.0 → proxy1 INVITE", "0.0 → primary REGISTER", {
      ...two,
      "reg.1.outboundProxy.address": "192.0.2.33",
    }),
    row("subscribe.expires", "600", "letters", "", "300.0 → primary SUBSCRIBE", {
      ...two,
      ...MAIL,
    }),
    row(
      "subscribe.expires.overlap",
      "100",
      "letters",
      "1800.0 → primary SUBSCRIBE",
      "3500.0 → primary SUBSCRIBE",
      { ...two, ...MAIL },
    ),
    row(
      "failOver.failBack.mode",
      "registration",
      "silence",
      "200.0 → primary INVITE",
      "200.0 → secondary INVITE",
      one,
    ),
    row(
      "failOver.failBack.timeout",
      "600",
      "silence",
      "3470.0 → secondary REGISTER",
      "3470.0 → primary REGISTER",
      { ...one, [`${first}failOver.failBack.mode`]: "duration" },
    ),
    row(
      "failOver.reRegisterOn",
      "1",
      "silence",
      "3470.0 → primary REGISTER",
      "7.5 → secondary REGISTER",
      one,
    ),
    row("failOver.failRegistrationOn", "1", "silence", "", "607.5 → primary REGISTER", {
      ...chain("1", "0", "0"),
      [`${first}failOver.failBack.mode`]: "duration",
      [`${first}failOver.failBack.timeout`]: "600",
    }),
    row("failOver.onlySignalWithRegistered", "0", "midcall", "", "7.5 → secondary INVITE", {
      ...chain("1", "1", "1"),
      [`${first}expires`]: "120",
    }),
  ];
}

/** The same parameters at reg.x.outboundProxy and voIpProt.SIP.outboundProxy. */
function proxyRows(prefix: string, own: string): readonly Short[] {
  const proxy: Lines = {
    "reg.1.server.1.address": "192.0.2.13",
    [`${own}address`]: "edge.example.com",
    [`${own}port`]: "5060",
    [`${own}transport`]: "UDPOnly",
  };
  const chain = chainOf(own, proxy);
  const row = rowOf(prefix, proxy);
  return [
    row("address", "192.0.2.34", "calm", "0.0 → proxy1 REGISTER", "0.0 → proxy2 REGISTER"),
    row("port", "5070", "calm", "0.0 → proxy1 REGISTER", "0.0 → proxy1:5070 REGISTER"),
    row("transport", "TCPOnly", "calm", "", "SIP/2.0/TCP"),
    row(
      "failOver.failBack.mode",
      "registration",
      "desolation",
      "200.0 → proxy1 INVITE",
      "200.0 → proxy2 INVITE",
    ),
    row(
      "failOver.failBack.timeout",
      "600",
      "desolation",
      "3470.0 → proxy2 REGISTER",
      "3470.0 → proxy1 REGISTER",
      { ...proxy, [`${own}failOver.failBack.mode`]: "duration" },
    ),
    row(
      "failOver.reRegisterOn",
      "1",
      "desolation",
      "3470.0 → proxy1 REGISTER",
      "7.5 → proxy2 REGISTER",
    ),
    row("failOver.failRegistrationOn", "1", "desolation", "", "607.5 → proxy1 REGISTER", {
      ...chain("1", "0", "0"),
      [`${own}failOver.failBack.mode`]: "duration",
      [`${own}failOver.failBack.timeout`]: "600",
    }),
    row("failOver.onlySignalWithRegistered", "0", "midcall", "", "7.5 → proxy2 INVITE", {
      ...chain("1", "1", "1"),
      "reg.1.server.1.expires": "120",
    }),
  ];
}

const SERVER: Lines = {
  "reg.1.server.1.address": "dual.pbx.example.com",
  "reg.1.server.1.port": "5060",
};

const STREAMS: Lines = { ...SERVER, "reg.1.server.1.transport": "TCPOnly" };

const rows: readonly Short[] = [
  ["reg.X.address", "4002", "calm", "sip:4001@", "sip:4002@", SERVER],
  ["reg.X.displayName", "Ward A", "calm", "", 'From: "Ward A"', SERVER],
  ["reg.X.auth.userId", "ward", "challenge", 'username="4001"', 'username="ward"', SERVER],
  ["reg.X.auth.password", "s3cret", "challenge", "", "", SERVER],
  [
    "reg.X.auth.optimizedInFailover",
    "1",
    "challenger",
    "40.0 → primary INVITE",
    "40.0 → secondary INVITE",
    SERVER,
  ],
  ["reg.X.tcpFastFailover", "0", "silence", "7.5 → secondary INVITE", "", STREAMS],
  ["voIpProt.SIP.tcpFastFailover", "0", "silence", "7.5 → secondary INVITE", "", STREAMS],
  ["msg.mwi.X.subscribe", "4001", "calm", "", "Event: message-summary", SERVER],
  ["attendant.resourceList.X.address", "4002", "calm", "", "Event: dialog", SERVER],
  [
    "attendant.reg",
    "2",
    "calm",
    "Event: dialog",
    "",
    { ...SERVER, "attendant.resourceList.1.address": "sip:4002@pbx.example.com" },
  ],
  ...serverRows("reg.X.server.Y", "reg.1.server"),
  ...serverRows("voIpProt.server.Y", "voIpProt.server"),
  ...proxyRows("reg.X.outboundProxy.", "reg.1.outboundProxy."),
  ...proxyRows("voIpProt.SIP.outboundProxy.", "voIpProt.SIP.outboundProxy."),
  ["voIpProt.SIP.failoverOn503Response", "0", "unavailable", "0.0 → secondary INVITE", "", SERVER],
  [
    "voIpProt.SIP.authOptimizedInFailover",
    "1",
    "challenger",
    "40.0 → primary INVITE",
    "40.0 → secondary INVITE",
    SERVER,
  ],
  [
    "nat.keepalive.interval",
    "60",
    "calm",
    "30.0 → primary keep-alive",
    "",
    { ...SERVER, "nat.keepalive.interval": "" },
  ],
  ["voIpProt.SIP.local.port", "5080", "calm", "", ":5080", SERVER],
  [
    "voIpProt.SIP.supportFor100rel",
    "0",
    "silence",
    "Supported: timer, replaces, 100rel",
    "",
    SERVER,
  ],
  ["voIpProt.SIP.keepalive.sessionTimers", "1", "silence", "", "Session-Expires: 1800", SERVER],
];

export const POLYCOM_ROWS: readonly WireRow[] = [
  ...rows.map(([key, value, play, without, shows, beside]) => ({
    key,
    value,
    play,
    without,
    with: shows,
    ...(beside === undefined ? {} : { beside }),
  })),
  ...recordRows({
    key: (type, number, field) => `dns.cache.${type}.${number}.${field}`,
    replacement: "replacement",
    address: "address",
    server: { "reg.1.server.1.address": "pbx.example.com" },
    weight: ["", ""],
    ttl: "600",
    lifetimes: {
      NAPTR: ["400.0 ? NAPTR pbx.example.com", "400.0 ? SRV _sip._udp.pbx.example.com"],
      SRV: ["400.0 ? SRV _sip._udp.pbx.example.com", "400.0 ? A a.pbx.example.com"],
      A: ["400.0 ? A a.pbx.example.com", ""],
    },
  }),
];
