/** The keys of our own YAML: one row a key, every policy field in plain words, no vendor's least values. */
import { honoured, type KeyRow, type KeyTable } from "./key-table.ts";
import {
  choice,
  DURATION_OR_HALF,
  duration,
  ENDPOINTS,
  HOST,
  IP,
  matching,
  number,
  numbers,
  SECRET,
  TEXT,
  USERS,
  words,
} from "./value-form.ts";

// YAML 1.1 and 1.2 differ over yes and on: all of them are taken.
const YES_NO = choice({ yes: true, no: false, true: true, false: false, on: true, off: false });
const TIME = duration(1);
const SECONDS = duration(1000);
/** What repeats must not spin. */
const PERIOD = duration(1, 10);
/** What repeats for ever at somebody else's server must not be a flood. */
const PROBES = duration(1, 1000);
const KEEP_ALIVE = duration(1, 1000, { "0": 0 });
const PORT = number(0, 65535);
const U16 = number(0, 65535);
const RETRIES = number(0, 20);
const USER_AGENT = matching("^[!-~]([ -~]*[!-~])?$", "printable ASCII on one line");
const URN = matching("^urn:[A-Za-z0-9-]+:[!-~]+$", "a URN, for instance urn:uuid: and a UUID");

/** A server, a proxy, or every server. */
function serverRows(prefix: string, target: string): KeyRow[] {
  return honoured(prefix, target, [
    ["port", PORT, "0", "port"],
    [
      "transport",
      words("naptr", "udp", "tcp", "tls", "ws", "wss", "tcp-preferred"),
      "naptr",
      "transport",
    ],
    // What SUBSCRIBE needs: a basic server serves calls only.
    ["features", words("full", "basic"), "full for server 1, basic below", "features"],
    ["register", YES_NO, "yes", "register"],
    ["expires", duration(1000, 1000), "600 s", "expiresSeconds"],
    ["overlap", DURATION_OR_HALF, "60 s", "overlapSeconds"],
    ["register-retries", RETRIES, "3", "registerRetries"],
    ["invite-retries", RETRIES, "3", "inviteRetries"],
    ["retry-interval", TIME, "0", "retryIntervalMs"],
    [
      "failback",
      words("newRequests", "DNSTTL", "registration", "duration"),
      "duration",
      "failbackMode",
    ],
    ["failback-after", SECONDS, "120 s", "failbackSeconds"],
    ["register-on-failover", YES_NO, "yes", "registerOnFailover"],
    ["drop-registration-on-failover", YES_NO, "no", "dropRegistrationOnFailover"],
    ["register-on-failback", YES_NO, "yes", "registerOnFailback"],
    ["only-signal-with-registered", YES_NO, "no", "onlySignalWithRegistered"],
    ["resubscribe-on-failover", YES_NO, "yes", "resubscribeOnFailover"],
    // no: requests for this server go straight to it.
    ["through-proxy", YES_NO, "yes", "throughProxy"],
  ]);
}

/** One account, or every account. */
function policyRows(prefix: string, target: string): KeyRow[] {
  const of = target.slice(0, target.indexOf("redundancy"));
  return honoured(prefix, target, [
    ["registration", words("concurrent", "successive"), "concurrent", "registration"],
    ["probe-interval", PROBES, "60 s", "probeIntervalMs"],
    ["proxy-probe-interval", PROBES, "60 s", "proxyProbeIntervalMs"],
    ["t1", PERIOD, "500 ms", "t1Ms"],
    ["t2", PERIOD, "4 s", "t2Ms"],
    ["t4", PERIOD, "5 s", "t4Ms"],
    // A fixed wait stands above the back-off of the next two.
    ["register-retry", PROBES, "by back-off", "backoff", { slot: `${of}retryMs` }],
    ["register-backoff-base", PERIOD, "5 s", "backoff.baseMs"],
    ["register-backoff-max", PERIOD, "120 s", "backoff.maxMs"],
    ["start-surge", TIME, "0", "startSurgeMs"],
    ["keep-alive", KEEP_ALIVE, "30 s", "keepAliveMs"],
    ["outbound", words("streams", "always", "never"), "streams", "outbound"],
    ["gruu", YES_NO, "no", "gruu"],
    ["refresh-jitter", number(0, 0.5, { whole: false }), "0.1", "refreshJitter"],
    // Waits before a probe or a return shrink by up to this share.
    ["return-spread", number(0, 1, { whole: false }), "0.2", "returnSpread"],
    ["srv-order", words("rfc2782", "highest-weight-first"), "rfc2782", "srvOrder"],
    ["srv-transports", words("all", "udp"), "all", "srvTransports"],
    ["skip-same-address", YES_NO, "no", "skipSameAddress"],
    ["strict-last-target", YES_NO, "no", "strictLastTarget"],
    ["fast-stream-failover", YES_NO, "yes", "fastStreamFailover"],
    ["failover-on-503", YES_NO, "yes", "failoverOn503"],
    ["failover-statuses", numbers(400, 699), "none", "failoverStatuses"],
    ["failover-on-register-refusal", YES_NO, "no", "failoverOnRegisterRefusal"],
    ["invite-unregistered", YES_NO, "yes", "inviteUnregistered"],
    // The next new request goes where credentials were asked for last.
    ["follow-challenger", YES_NO, "no", "followChallenger"],
    ["idle-wait-max", TIME, "1 h", "idleWaitMaxMs"],
    // The proof before a return: so many, over so long.
    ["good-probes", number(1, 100), "3", "goodProbes"],
    ["good-probes-time", TIME, "10 s", "goodProbesMs"],
    ["health-probe", KEEP_ALIVE, "20 s", "healthProbeMs"],
    // Below the 29 s of RFC 5626, so that a pong may fail to come for 10 s more and it is still known within 38 s.
    ["registrar-probe", KEEP_ALIVE, "27 s", "registrarProbeMs"],
    ["hedge", TIME, "500 ms", "hedgeMs"],
    ["skip-known-dead", YES_NO, "yes", "skipKnownDead"],
    ["overload-control", YES_NO, "yes", "overloadControl"],
    // yes: what stands below is not asked of the DNS at all.
    ["dns.static-first", YES_NO, "no", "dns.staticFirst"],
    ["dns.cache", YES_NO, "yes", "dns.cache"],
    ["dns.use-additional", YES_NO, "yes", "dns.useAdditional"],
    ["dns.timeout", PERIOD, "2 s", "dns.timeoutMs"],
    ["dns.retries", U16, "1", "dns.retries"],
    ["dns.transport", words("udp", "tcp"), "udp", "dns.transport"],
    ["dns.naptr.Z.name", HOST, "", "dns.records.NAPTR.Z.name"],
    ["dns.naptr.Z.ttl", SECONDS, "300 s", "dns.records.NAPTR.Z.ttl"],
    ["dns.naptr.Z.order", U16, "0", "dns.records.NAPTR.Z.order"],
    ["dns.naptr.Z.preference", U16, "0", "dns.records.NAPTR.Z.preference"],
    [
      "dns.naptr.Z.flags",
      words("s", "S", "a", "A", "u", "U", "p", "P"),
      "",
      "dns.records.NAPTR.Z.flags",
    ],
    ["dns.naptr.Z.service", TEXT, "", "dns.records.NAPTR.Z.service"],
    ["dns.naptr.Z.regexp", TEXT, "", "dns.records.NAPTR.Z.regexp"],
    ["dns.naptr.Z.replacement", HOST, "", "dns.records.NAPTR.Z.replacement"],
    ["dns.srv.Z.name", HOST, "", "dns.records.SRV.Z.name"],
    ["dns.srv.Z.ttl", SECONDS, "300 s", "dns.records.SRV.Z.ttl"],
    ["dns.srv.Z.priority", U16, "0", "dns.records.SRV.Z.priority"],
    ["dns.srv.Z.weight", U16, "0", "dns.records.SRV.Z.weight"],
    ["dns.srv.Z.port", PORT, "", "dns.records.SRV.Z.port"],
    ["dns.srv.Z.target", HOST, "", "dns.records.SRV.Z.target"],
    ["dns.a.Z.name", HOST, "", "dns.records.A.Z.name"],
    ["dns.a.Z.ttl", SECONDS, "300 s", "dns.records.A.Z.ttl"],
    ["dns.a.Z.address", IP, "", "dns.records.A.Z.address"],
  ]);
}

const accounts = honoured("accounts.X.", "account.X.", [
  ["enabled", YES_NO, "yes", "enabled"],
  ["user", TEXT, "", "user"],
  ["domain", HOST, "the server's address", "domain"],
  ["display-name", TEXT, "", "displayName"],
  ["auth-name", TEXT, "the user", "authName"],
  ["password", SECRET, "", "password"],
  ["unregister-on-start", YES_NO, "no", "unregisterOnStart"],
  ["message-waiting", YES_NO, "no", "messageWaiting"],
  ["colleagues", USERS, "", "colleagues"],
  ["presence-of", USERS, "", "presenceOf"],
  ["watch-expires", duration(1000, 1000), "as subscribe-expires", "watchExpiresSeconds"],
  ["publish-presence", YES_NO, "no", "publishPresence"],
  ["subscribe-registration", YES_NO, "no", "subscribeRegistration"],
  ["subscribe-expires", duration(1000, 1000), "1 h", "subscribeExpiresSeconds"],
  ["subscribe-overlap", DURATION_OR_HALF, "half", "subscribeOverlapSeconds"],
  ["subscribe-retry", PERIOD, "30 s", "subscribeRetryMs"],
  [
    "reliable-provisionals",
    words("never", "required", "supported"),
    "required",
    "reliableProvisionals",
  ],
  ["session-timer", YES_NO, "no", "sessionTimer"],
  ["session-expires", duration(1000, 1000), "1800 s", "sessionExpiresSeconds"],
  ["session-refresher", words("uac", "uas"), "uac", "sessionRefresher"],
]);

const OWN = "account.X.redundancy.";
const ALL = "account.*.redundancy.";
const ADDRESS = ["address", HOST, "", "address"] as const;

/** The table of our own dialect; the numbers are places in lists, from 1. */
export const NATIVE_KEYS: KeyTable = {
  dialect: "native",
  rows: [
    ...accounts,
    ...policyRows("accounts.X.", OWN),
    ...policyRows("every-account.", ALL),
    ...honoured("accounts.X.servers.Y.", `${OWN}servers.Y.`, [ADDRESS]),
    ...serverRows("accounts.X.servers.Y.", `${OWN}servers.Y.`),
    ...serverRows("every-server.", `${ALL}servers.*.`),
    ...honoured("accounts.X.proxies.Y.", `${OWN}proxies.Y.`, [ADDRESS]),
    ...serverRows("accounts.X.proxies.Y.", `${OWN}proxies.Y.`).filter(
      ({ key }) => !/\.(features|register|through-proxy)$/.test(key),
    ),
    ...honoured("", "", [
      ["local-port", PORT, "any", "", { decides: "localPort" }],
      ["resolvers", ENDPOINTS, "the system's", "", { decides: "resolvers" }],
      ["bind", IP, "every address", "", { decides: "bind" }],
      ["answer", words("auto", "ring", "busy"), "as the program says", "", { decides: "answer" }],
      ["user-agent", USER_AGENT, "", "", { decides: "userAgent" }],
      ["instance", URN, "made of host and users", "", { decides: "instance" }],
    ]),
  ],
  limits: { X: 1000, Y: 16, Z: 100 },
  families: [/^/],
  others: new Set(),
  exactKeys: false,
  strict: true,
  clearMark: undefined,
};
