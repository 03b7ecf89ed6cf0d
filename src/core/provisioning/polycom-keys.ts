/** The parameters of Polycom UC Software and the Spectralink 84-Series: one row a key. */
import { honoured, type KeyRow, type KeyTable, type RowTuple, withoutEffect } from "./key-table.ts";
import { SERVICES } from "./static-records.ts";
import { choice, HOST, IP, number, SECRET, SWITCH, seconds, TEXT, words } from "./value-form.ts";

const MOST_SECONDS = 2147483647;
const PORT = number(0, 65535);
const U16 = number(0, 65535);
// The least TTL of a static record is five minutes (CX5500 p.261).
const RECORD_TTL = number(300, 536870912);
const TRANSPORT = choice({
  // With a port or a literal address this is UDP (UCS 4.1.6 p.48).
  DNSnaptr: "naptr",
  TCPpreferred: "tcp-preferred",
  UDPOnly: "udp",
  // No fallback to anything else; without a port 5061.
  TLS: "tls",
  TCPOnly: "tcp",
});

const ALL = "account.*.redundancy.";
const POLICY = "account.X.redundancy.";

/** The same leaves at a server and at a proxy, own and global. */
const failover: readonly RowTuple[] = [
  [
    "failBack.mode",
    words("newRequests", "DNSTTL", "registration", "duration"),
    "newRequests",
    "failbackMode",
  ],
  // 0: never by time, until the server in use fails itself (UCS 4.1.6 p.47).
  ["failBack.timeout", number(60, 65535, { words: { "0": 0 } }), "3600", "failbackSeconds"],
  ["reRegisterOn", SWITCH, "0", "registerOnFailover"],
  // Each of these three needs the one before it (UCS 4.1.6 p.51, Spectralink 84 p.231).
  ["failRegistrationOn", SWITCH, "0", "dropRegistrationOnFailover"],
  ["onlySignalWithRegistered", SWITCH, "1", "onlySignalWithRegistered"],
];

const failoverIdle: readonly RowTuple[] = [
  ["RegisterOn", SWITCH, "", "the manuals' slip for reRegisterOn: set that"],
  [
    "concurrentRegistration",
    SWITCH,
    "0",
    "the account registers at each server, at one address of each",
  ],
];

/** The working server's row speaks for the account where the policy has one value an account. */
function serverRows(prefix: string, target: string): KeyRow[] {
  const of = target.slice(0, target.indexOf(".redundancy"));
  const first = (field: string): { decides: string; slot: string } => ({
    decides: `${of}.${field}`,
    slot: `${target}${field}`,
  });
  const retries = { also: ["inviteRetries"] };
  return [
    ...honoured(prefix, target, [
      ["address", HOST, "", "address"],
      ["port", PORT, "0", "port"],
      ["transport", TRANSPORT, "DNSnaptr", "transport"],
      ["expires", number(10, MOST_SECONDS), "3600", "expiresSeconds"],
      // A lifetime below it is renewed at half (SIP 2.2 guide A-8).
      ["expires.overlap", number(5, 65535), "60", "overlapSeconds"],
      // 0: nothing is registered here, but calls come here when all servers above are down.
      ["register", SWITCH, "1", "register"],
      ["registerRetry.baseTimeOut", seconds(10, 120), "60", "", first("redundancy.backoff.baseMs")],
      ["registerRetry.maxTimeOut", seconds(60, 1800), "60", "", first("redundancy.backoff.maxMs")],
      // 0 and nothing are 3 (UCS 4.1.6 p.49).
      ["retryMaxCount", number(1, 20, { words: { "0": 3 } }), "3", "registerRetries", retries],
      // Milliseconds in steps of 100; 0 is the spacing of RFC 3261.
      ["retryTimeOut", number(0, 65535, { step: 100 }), "0", "retryIntervalMs"],
      ["useOutboundProxy", SWITCH, "1", "throughProxy"],
      ["subscribe.expires", number(10, MOST_SECONDS), "3600", "", first("subscribeExpiresSeconds")],
      ["subscribe.expires.overlap", number(5, 65535), "half", "", first("subscribeOverlapSeconds")],
    ]),
    ...honoured(`${prefix}failOver.`, target, failover),
    ...withoutEffect(`${prefix}failOver.`, failoverIdle),
    ...withoutEffect(prefix, [
      ["expires.lineSeize", U16, "30", "there are no shared lines to seize"],
      ["lcs", SWITCH, "0", "there is no special mode for Live Communications Server"],
      ["specialInterop", TEXT, "standard", "there are no special modes for other makers' servers"],
    ]),
  ];
}

/** One outbound proxy; retries and lifetimes are those of server 1. */
function proxyRows(prefix: string, target: string): KeyRow[] {
  return [
    ...honoured(prefix, target, [
      ["address", HOST, "", "address"],
      ["port", PORT, "0", "port"],
      ["transport", TRANSPORT, "DNSnaptr", "transport"],
    ]),
    ...honoured(`${prefix}failOver.`, target, failover),
    ...withoutEffect(`${prefix}failOver.`, failoverIdle),
  ];
}

const accounts = [
  ...honoured("reg.X.", "account.X.", [
    ["address", TEXT, "", "user"],
    ["displayName", TEXT, "", "displayName"],
    ["auth.userId", TEXT, "", "authName"],
    ["auth.password", SECRET, "", "password"],
    ["auth.optimizedInFailover", SWITCH, "0", "redundancy.followChallenger"],
    ["tcpFastFailover", SWITCH, "1", "redundancy.fastStreamFailover"],
  ]),
  ...honoured("msg.mwi.X.", "account.X.", [
    ["subscribe", TEXT, "", "messageWaiting", { slot: "account.X.mailbox" }],
  ]),
  // What an honest phone without a screen cannot do.
  ...withoutEffect("reg.X.", [
    ["label", TEXT, "", "it is text for a display, which names the account by its user"],
  ]),
];

const DIRECTORY =
  "whom the phone watches stands in its contact directory, which is no file of settings";

/** Whose lamps the phone shows; `reg` is the registration that asks. */
const lamps = [
  ...honoured("attendant.", "account.*.", [
    ["reg", number(1, 100), "1", "colleagues", { slot: "attendant.reg" }],
    [
      "resourceList.X.address",
      TEXT,
      "",
      "colleagues",
      { slot: "attendant.resourceList.X.address" },
    ],
  ]),
  ...withoutEffect("attendant.", [
    [
      "uri",
      TEXT,
      "",
      "lists of users (RFC 4662) are not resolved: write each under attendant.resourceList.X",
    ],
    [
      "resourceList.X.type",
      words("normal", "automata"),
      "normal",
      "nobody is there to press the key",
    ],
    ["resourceList.X.label", TEXT, "", "it is text for a display"],
  ]),
  ...withoutEffect("", [
    ["feature.presence.enabled", SWITCH, "0", DIRECTORY],
    ["pres.reg", number(1, 100), "1", DIRECTORY],
  ]),
];

const globals = [
  ...honoured("", ALL, [
    // Of the next two only the names are documented: read as they say.
    ["voIpProt.SIP.failoverOn503Response", SWITCH, "1", "failoverOn503"],
    ["voIpProt.SIP.authOptimizedInFailover", SWITCH, "0", "followChallenger"],
    ["voIpProt.SIP.tcpFastFailover", SWITCH, "1", "fastStreamFailover"],
    ["nat.keepalive.interval", seconds(0, 3600), "30", "keepAliveMs"],
    ["voIpProt.SIP.local.port", PORT, "any", "", { decides: "localPort" }],
    ["device.dns.serverAddress", IP, "", "", { decides: "resolvers.1" }],
    ["device.dns.altSrvAddress", IP, "", "", { decides: "resolvers.2" }],
  ]),
  ...honoured("voIpProt.SIP.", "account.*.", [
    ["supportFor100rel", choice({ "0": "never", "1": "required" }), "1", "reliableProvisionals"],
    ["keepalive.sessionTimers", SWITCH, "0", "sessionTimer"],
  ]),
  ...withoutEffect("voIpProt.", [
    [
      "SIP.pingInterval",
      U16,
      "",
      "no manual says what it does; nat.keepalive.interval keeps paths open",
    ],
    ["server.dhcp.available", SWITCH, "0", "servers come from the files only"],
    ["server.dhcp.option", number(128, 254), "128", "servers come from the files only"],
    ["server.dhcp.type", number(0, 1), "0", "servers come from the files only"],
  ]),
];

const records = [
  ...honoured("dns.cache.NAPTR.Z.", `${ALL}dns.records.NAPTR.Z.`, [
    ["name", HOST, "", "name"],
    ["ttl", RECORD_TTL, "300", "ttl"],
    ["order", U16, "0", "order"],
    ["preference", U16, "0", "preference"],
    ["flags", words("S", "A", "U", "P", "s"), "", "flags"],
    ["service", words(...SERVICES), "", "service"],
    ["replacement", HOST, "", "replacement"],
  ]),
  ...withoutEffect("dns.cache.NAPTR.Z.", [
    ["regexp", TEXT, "", "names are replaced, never rewritten: the replacement is used"],
  ]),
  ...honoured("dns.cache.SRV.Z.", `${ALL}dns.records.SRV.Z.`, [
    ["name", HOST, "", "name"],
    ["ttl", RECORD_TTL, "300", "ttl"],
    ["priority", U16, "0", "priority"],
    ["weight", U16, "0", "weight"],
    ["port", PORT, "0", "port"],
    ["target", HOST, "", "target"],
  ]),
  ...honoured("dns.cache.A.Z.", `${ALL}dns.records.A.Z.`, [
    ["name", HOST, "", "name"],
    ["ttl", RECORD_TTL, "300", "ttl"],
    ["address", IP, "", "address"],
  ]),
];

/** The table of the family: four servers, one outbound proxy, twelve static records of each type. */
export const POLYCOM_KEYS: KeyTable = {
  dialect: "polycom",
  rows: [
    ...accounts,
    ...serverRows("reg.X.server.Y.", `${POLICY}servers.Y.`),
    ...serverRows("voIpProt.server.Y.", `${ALL}servers.Y.`),
    ...proxyRows("reg.X.outboundProxy.", `${POLICY}proxies.1.`),
    ...proxyRows("voIpProt.SIP.outboundProxy.", `${ALL}proxies.1.`),
    ...lamps,
    ...globals,
    ...records,
  ],
  limits: { X: 100, Y: 4, Z: 12 },
  families: [
    /^(reg\.(\d+|x)|voIpProt)\.server\.(\d+|[xy])\./i,
    /\.outboundProxy\./i,
    /^dns\.cache\./i,
  ],
  others: new Set(["voipprot.server.#.protocol.sip", "reg.#.dialplanname"]),
  exactKeys: true,
  strict: false,
  clearMark: "Null",
};
