/** The keys of the Yealink / Matrix SPARSH family: one row a key (manuals' ranges, defaults and units). */
import { honoured, type KeyTable, type RowTuple, withoutEffect } from "./key-table.ts";
import { SERVICES } from "./static-records.ts";
import { choice, HOST, IP, number, SECRET, SWITCH, seconds, TEXT, words } from "./value-form.ts";

const MOST_SECONDS = 2147483647;
const TRANSPORT = choice({ "0": "udp", "1": "tcp", "2": "tls", "3": "naptr" });
const MODE_NAMES = { "0": "newRequests", "1": "DNSTTL", "2": "registration", "3": "duration" };
const INHERIT = { "-1": undefined };
const INHERITED_SWITCH = choice({ ...INHERIT, "0": false, "1": true });
const HALF = { "-1": "half" };
const PORT = number(0, 65535);
const U16 = number(0, 65535);
const TTL = number(0, MOST_SECONDS);
// A mode of 1 to 59 s is read as a minute (T2P guide p.312).
const FAILBACK_TIMEOUT = { raiseTo: 60 };

/** The registration that is left no longer counts. */
const LEAVING = { also: ["dropRegistrationOnFailover"] };

const ACCOUNT = "account.X.";
const SERVER = "account.X.redundancy.servers.Y.";
const PROXY = "account.X.redundancy.proxies.Y.";
const POLICY = "account.X.redundancy.";
const ALL = "account.*.redundancy.";

/** register_expires_overlap is the account's and holds for both of its servers. */
const accounts = honoured(ACCOUNT, ACCOUNT, [
  ["enable", SWITCH, "0", "enabled"],
  ["display_name", TEXT, "", "displayName"],
  ["auth_name", TEXT, "", "authName"],
  ["user_name", TEXT, "", "user"],
  ["password", SECRET, "", "password"],
  // The name of the mailbox is not needed: the subscription is to the user's own address.
  ["subscribe_mwi", SWITCH, "0", "messageWaiting"],
  ["subscribe_register", SWITCH, "0", "subscribeRegistration"],
  [
    "subscribe_expires_overlap",
    number(1, MOST_SECONDS, { words: HALF }),
    "-1",
    "subscribeOverlapSeconds",
  ],
  ["sub_fail_retry_interval", seconds(1, MOST_SECONDS), "30", "subscribeRetryMs"],
  ["100rel_enable", choice({ "0": "never", "1": "supported" }), "0", "reliableProvisionals"],
  ["session_timer.enable", SWITCH, "0", "sessionTimer"],
  ["session_timer.expires", number(30, 7200), "1800", "sessionExpiresSeconds"],
  ["session_timer.refresher", choice({ "0": "uac", "1": "uas" }), "0", "sessionRefresher"],
  ["unregister_on_reboot", SWITCH, "0", "unregisterOnStart"],
  // -1 is half of the lifetime; no manual says so, but so the phones do.
  [
    "register_expires_overlap",
    number(1, MOST_SECONDS, { words: HALF }),
    "-1",
    "redundancy.servers.*.overlapSeconds",
  ],
]);

/** What `type` is of a key with the lamp of a colleague. */
export const LAMP = "BLF";

/** Shown by calls or by presence, with a lifetime of their own. */
const LAMPS = ["presenceOf", "watchExpiresSeconds"];

/** Keys with a lamp; a line of 0 leaves it to the phone, which takes the first. */
const lamps = ["linekey.X.", "memorykey.X."].flatMap((prefix) =>
  honoured(
    prefix,
    prefix,
    (
      [
        ["type", number(0, 99, { words: { "16": LAMP } }), "0"],
        ["line", number(0, 100), "0"],
        ["value", TEXT, ""],
      ] as const
    ).map(([leaf, form, standard]) => [
      leaf,
      form,
      standard,
      "",
      { decides: "account.*.colleagues", also: LAMPS, slot: prefix + leaf },
    ]),
  ),
);

const watching = honoured(`${ACCOUNT}blf.`, ACCOUNT, [
  ["subscribe_period", number(30, MOST_SECONDS), "1800", "watchExpiresSeconds"],
  [
    "subscribe_event",
    choice({ "0": "dialog", "1": "presence" }),
    "0",
    "colleagues",
    { slot: "account.X.lampEvent", also: ["presenceOf"] },
  ],
]);

const servers = honoured("account.X.sip_server.Y.", SERVER, [
  ["address", HOST, "", "address"],
  // Port 0 with transport 3 is NAPTR; any other port is looked for by address only (VP110 p.261).
  ["port", PORT, "5060", "port"],
  ["transport_type", TRANSPORT, "0", "transport"],
  ["expires", number(30, MOST_SECONDS), "3600", "expiresSeconds"],
  // Resends, not sends: 3 means four times on the wire (VP110 p.427; the T21 guide says "after three failed attempts").
  ["retry_counts", number(0, 20), "3", "registerRetries"],
  ["invite_retry_counts", number(1, 10), "3", "inviteRetries"],
  ["failback_mode", choice(MODE_NAMES), "0", "failbackMode"],
  ["failback_timeout", number(0, 65535, FAILBACK_TIMEOUT), "3600", "failbackSeconds"],
  // 0 takes it that the servers share their registrations (CP920 p.305).
  ["register_on_enable", SWITCH, "0", "registerOnFailover"],
  ["only_signal_with_registered", SWITCH, "0", "onlySignalWithRegistered", LEAVING],
  // This one has .enable, the line above has not: so the templates spell them.
  ["failback_subscribe.enable", SWITCH, "0", "resubscribeOnFailover"],
  ["outbound_proxy_enable", SWITCH, "", "throughProxy"],
]);

/** As the sip_server twins, and -1 to inherit; a proxy's transport is that of its server. */
const proxies = honoured("account.X.outbound_proxy.Y.", PROXY, [
  ["address", HOST, "", "address"],
  ["port", PORT, "5060", "port"],
  ["retry_counts", number(0, 20, { words: INHERIT }), "-1", "registerRetries"],
  ["invite_retry_counts", number(1, 10, { words: INHERIT }), "-1", "inviteRetries"],
  ["failback_mode", choice({ ...INHERIT, ...MODE_NAMES }), "-1", "failbackMode"],
  [
    "failback_timeout",
    number(0, 65535, { ...FAILBACK_TIMEOUT, words: INHERIT }),
    "-1",
    "failbackSeconds",
  ],
  ["register_on_enable", INHERITED_SWITCH, "-1", "registerOnFailover"],
  ["only_signal_with_registered", INHERITED_SWITCH, "-1", "onlySignalWithRegistered", LEAVING],
  ["failback_subscribe.enable", INHERITED_SWITCH, "-1", "resubscribeOnFailover"],
]);

const policies = honoured(ACCOUNT, POLICY, [
  // Of servers only: outbound proxies are always successive (T48 p.572).
  [
    "fallback.redundancy_type",
    choice({ "0": "concurrent", "1": "successive" }),
    "0",
    "registration",
  ],
  ["fallback.timeout", seconds(10, MOST_SECONDS), "120", "probeIntervalMs"],
  [
    "outbound_proxy_enable",
    SWITCH,
    "0",
    "proxies",
    { slot: "account.X.proxyEnable", also: ["servers.*.throughProxy"] },
  ],
  ["outbound_proxy_fallback_interval", seconds(0, 65535), "3600", "proxyProbeIntervalMs"],
  // Its name is all that is documented.
  ["redundancy_with_reg_fail.enable", SWITCH, "0", "failoverOnRegisterRefusal"],
  // Counts only while both of the next two are 0 (W53 p.98); they are the base and the cap of RFC 5626 §4.5.
  ["reg_fail_retry_interval", seconds(0, 1800), "30", "backoff", { slot: "account.X.retryMs" }],
  [
    "reg_failed_retry_min_time",
    seconds(0, MOST_SECONDS),
    "0",
    "backoff",
    { slot: "account.X.retryMinMs" },
  ],
  [
    "reg_failed_retry_max_time",
    seconds(0, MOST_SECONDS),
    "60",
    "backoff",
    { slot: "account.X.retryMaxMs" },
  ],
  ["nat.udp_update_enable", number(0, 3), "1", "keepAliveMs", { slot: "account.X.keepAlive" }],
  ["nat.udp_update_time", seconds(1, 3600), "30", "keepAliveMs"],
  ["naptr_build", choice({ "0": "udp", "1": "all" }), "0", "srvTransports"],
  ["static_cache_pri", SWITCH, "0", "dns.staticFirst"],
  [
    "dns_cache_type",
    number(0, 2),
    "1",
    "dns.cache",
    { slot: "account.X.dnsCacheType", also: ["useAdditional"] },
  ],
]);

/** For the common file: they hold for every account. */
const globals = honoured("", ALL, [
  ["sip.timer_t1", seconds(0.5, 10, { whole: false }), "0.5", "t1Ms"],
  ["sip.timer_t2", seconds(2, 40, { whole: false }), "4", "t2Ms"],
  ["sip.timer_t4", seconds(2.5, 60, { whole: false }), "5", "t4Ms"],
  ["sip.reg_surge_prevention", seconds(0, 60), "0", "startSurgeMs"],
  // Of the addresses of one go, as SRV and A may yield one twice (CP920 p.310).
  ["sip.skip_redundant_failover_addr", SWITCH, "1", "skipSameAddress"],
  ["sip.dns_transport_type", choice({ "0": "udp", "1": "tcp" }), "0", "dns.transport"],
  ["static.network.dns.query_timeout", seconds(0, 65535), "3", "dns.timeoutMs"],
  ["static.network.dns.retry_times", U16, "2", "dns.retries"],
  ["sip.listen_port", PORT, "any", "", { decides: "localPort" }],
  ["static.network.primary_dns", IP, "", "", { decides: "resolvers.1" }],
  ["static.network.secondary_dns", IP, "", "", { decides: "resolvers.2" }],
]);

/** Keys of older firmware, for files that have outlived it. */
const old = honoured(ACCOUNT, POLICY, [
  ["sip_server_host", HOST, "", "servers.1.address", { old: true }],
  ["sip_server_port", PORT, "5060", "servers.1.port", { old: true }],
  ["transport", TRANSPORT, "0", "servers.*.transport", { old: true }],
  ["outbound_host", HOST, "", "proxies.1.address", { old: true }],
  ["outbound_port", PORT, "5060", "proxies.1.port", { old: true }],
  ["advanced.timer_t1", seconds(0.5, 10, { whole: false }), "0.5", "t1Ms", { old: true }],
  ["advanced.timer_t2", seconds(2, 40, { whole: false }), "4", "t2Ms", { old: true }],
  ["advanced.timer_t4", seconds(2.5, 60, { whole: false }), "5", "t4Ms", { old: true }],
  ["dns_query_timeout", seconds(1, 9), "3 of the newer key", "dns.timeoutMs", { old: true }],
]);

/** Static records, global and in the older form of each account. */
const records = [
  { prefix: "", target: ALL },
  { prefix: ACCOUNT, target: POLICY },
].flatMap(({ prefix, target }) => [
  ...honoured(`${prefix}dns_cache_naptr.Z.`, `${target}dns.records.NAPTR.Z.`, [
    ["name", HOST, "", "name"],
    ["flags", words("s", "S", "a", "A", "u", "U", "p", "P"), "", "flags"],
    ["order", U16, "0", "order"],
    ["preference", U16, "0", "preference"],
    ["replace", HOST, "", "replacement"],
    ["service", words(...SERVICES), "", "service"],
    ["ttl", TTL, "300", "ttl"],
  ]),
  ...honoured(`${prefix}dns_cache_srv.Z.`, `${target}dns.records.SRV.Z.`, [
    ["name", HOST, "", "name"],
    ["port", PORT, "0", "port"],
    ["priority", U16, "0", "priority"],
    ["target", HOST, "", "target"],
    ["weight", U16, "0", "weight"],
    ["ttl", TTL, "300", "ttl"],
  ]),
  ...honoured(`${prefix}dns_cache_a.Z.`, `${target}dns.records.A.Z.`, [
    ["name", HOST, "", "name"],
    ["ip", IP, "", "address"],
    ["ttl", TTL, "300", "ttl"],
  ]),
]);

// Why a key changes nothing; `explain` repeats it.
const TTL_ALWAYS = "the TTL of each answer is always honoured";
const STALE =
  "an answer past its TTL serves only while no resolver answers, for as long as that lasts";

const NOBODY = "nobody is there to press the key";
const NO_LISTS = "lists of users (RFC 4662) are not resolved: write each user as a BLF key";
const MODULES = "keys of expansion modules are not read: write them as linekey.X";

const ineffective = withoutEffect("", [
  ["account.X.blf.blf_list_uri", TEXT, "", NO_LISTS],
  ...["linekey.X.", "memorykey.X."].flatMap((prefix): RowTuple[] => [
    [`${prefix}label`, TEXT, "", "it is text for a display"],
    [`${prefix}extension`, TEXT, "", NOBODY],
    [`${prefix}pickup_value`, TEXT, "", NOBODY],
  ]),
  ...["type", "line", "value", "label", "extension", "pickup_value"].map(
    (leaf): RowTuple => [`expansion_module.X.key.Y.${leaf}`, TEXT, "", MODULES],
  ),
  ["account.X.label", TEXT, "", "it is text for a display, which names the account by its user"],
  ["static.network.dns.ttl_enable", SWITCH, "", TTL_ALWAYS],
  ["static.network.dns.last_cache_expired", U16, "", STALE],
  ["static.network.dns.last_cache_expired.enable", SWITCH, "", STALE],
]);

/** The table of the family; X up to 100 as on its largest base, Y 1 and 2, twelve static records of each type. */
export const YEALINK_KEYS: KeyTable = {
  dialect: "yealink",
  rows: [
    ...accounts,
    ...lamps,
    ...watching,
    ...servers,
    ...proxies,
    ...policies,
    ...globals,
    ...old,
    ...records,
    ...ineffective,
  ],
  limits: { X: 100, Y: 2, Z: 12 },
  families: [
    /^account\.(\d+|x)\.((sip_server|outbound_proxy)\.(\d+|[xy])|fallback)\./i,
    /^(account\.\d+\.)?dns_cache_(a|srv|naptr)\./i,
    // Whatever they stand under: nothing else has these names.
    /(^|\.)((failback|redundancy)_(mode|type|timeout)|register_on_enable|(invite_)?retry_counts)$/i,
    /(^|\.)only_signal_with_registered$/i,
  ],
  others: new Set([
    "account.#.subscribe_mwi_to_vm",
    "account.#.sip_server_type",
    "account.#.sip_listen_port",
    "account.#.blf.blf_list_code",
    "sip.listen_mode",
    "sip.tls_listen_port",
  ]),
  exactKeys: false,
  strict: false,
  clearMark: "%NULL%",
};
