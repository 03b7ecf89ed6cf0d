/**
 * What holds where a configuration says nothing, for each dialect, as plain objects; and short ways to build a
 * policy from them. The vendors' columns follow their manuals; ours prefers dial tone to faithfulness.
 */
import { CALL_DEFAULTS } from "./call-policy.ts";
import type {
  AccountPolicy,
  DnsPolicy,
  RedundancyPolicy,
  RegisterBackoff,
  ServerPolicy,
} from "./policy.ts";

/** The families of provisioning files. */
export type Dialect = "yealink" | "polycom" | "native";

/** A server of our own dialect at `address`: RFC 3263 from a name, UDP 5060 for a literal address. */
export function defaultServer(address: string, change: Partial<ServerPolicy> = {}): ServerPolicy {
  return { ...SERVER_DEFAULTS.native, address, ...change };
}

/** Our own policy for these servers, in the order of trial. */
export function defaultPolicy(...servers: readonly (ServerPolicy | string)[]): RedundancyPolicy {
  return {
    ...POLICY_DEFAULTS.native,
    servers: servers.map((server) => (typeof server === "string" ? defaultServer(server) : server)),
  };
}

/** An enabled account 1 with no password. */
export function defaultAccount(
  user: string,
  redundancy: RedundancyPolicy,
  change: Partial<AccountPolicy> = {},
): AccountPolicy {
  return { ...ACCOUNT_DEFAULTS, enabled: true, user, authName: user, redundancy, ...change };
}

const OWN_SERVER: Omit<ServerPolicy, "address"> = {
  port: 0,
  transport: "naptr",
  features: "full",
  register: true,
  expiresSeconds: 600,
  overlapSeconds: 60,
  registerRetries: 3,
  inviteRetries: 3,
  retryIntervalMs: 0,
  failbackMode: "duration",
  failbackSeconds: 120,
  registerOnFailover: true,
  dropRegistrationOnFailover: false,
  registerOnFailback: true,
  onlySignalWithRegistered: false,
  resubscribeOnFailover: true,
  throughProxy: true,
};

/** One server, by dialect; the address is all that is missing. */
export const SERVER_DEFAULTS: Readonly<Record<Dialect, Omit<ServerPolicy, "address">>> = {
  native: OWN_SERVER,
  yealink: {
    ...OWN_SERVER,
    port: 5060,
    transport: "udp",
    expiresSeconds: 3600,
    overlapSeconds: "half",
    failbackMode: "newRequests",
    failbackSeconds: 3600,
    registerOnFailover: false,
    resubscribeOnFailover: false,
  },
  polycom: {
    ...OWN_SERVER,
    expiresSeconds: 3600,
    overlapSeconds: 60,
    failbackMode: "newRequests",
    failbackSeconds: 3600,
    registerOnFailover: false,
    registerOnFailback: false,
    resubscribeOnFailover: false,
  },
};

const OWN_DNS: DnsPolicy = {
  records: [],
  staticFirst: false,
  cache: true,
  useAdditional: true,
  timeoutMs: 2000,
  retries: 1,
  transport: "udp",
};

const VENDOR_DNS: DnsPolicy = { ...OWN_DNS, useAdditional: false, timeoutMs: 3000, retries: 2 };

/** RFC 5626 §4.5 with a short first wait: a phone that is registered nowhere has no dial tone. */
const OWN_BACKOFF: RegisterBackoff = { kind: "rfc5626", baseMs: 5000, maxMs: 120_000 };

const OWN_POLICY: Omit<RedundancyPolicy, "servers"> = {
  proxies: [],
  registration: "concurrent",
  probeIntervalMs: 60_000,
  proxyProbeIntervalMs: 60_000,
  t1Ms: 500,
  t2Ms: 4000,
  t4Ms: 5000,
  backoff: OWN_BACKOFF,
  startSurgeMs: 0,
  keepAliveMs: 30_000,
  outbound: "streams",
  gruu: false,
  refreshJitter: 0.1,
  returnSpread: 0.2,
  srvOrder: "rfc2782",
  srvTransports: "all",
  skipSameAddress: false,
  strictLastTarget: false,
  failoverOn503: true,
  failoverStatuses: [],
  failoverOnRegisterRefusal: false,
  inviteUnregistered: true,
  followChallenger: false,
  fastStreamFailover: true,
  idleWaitMaxMs: 3_600_000,
  goodProbes: 3,
  goodProbesMs: 10_000,
  healthProbeMs: 20_000,
  registrarProbeMs: 27_000,
  hedgeMs: 500,
  skipKnownDead: true,
  overloadControl: true,
  dns: OWN_DNS,
};

/** What no maker's phone does (redundancy.md §8), switched off: the plain engine. */
export const PLAIN: Pick<
  RedundancyPolicy,
  | "returnSpread"
  | "goodProbes"
  | "goodProbesMs"
  | "healthProbeMs"
  | "registrarProbeMs"
  | "hedgeMs"
  | "skipKnownDead"
  | "overloadControl"
> = {
  returnSpread: 0,
  goodProbes: 1,
  goodProbesMs: 0,
  healthProbeMs: 0,
  registrarProbeMs: 0,
  hedgeMs: 0,
  skipKnownDead: false,
  overloadControl: false,
};

/** The account's policy, by dialect; the servers are all that is missing. */
export const POLICY_DEFAULTS: Readonly<Record<Dialect, Omit<RedundancyPolicy, "servers">>> = {
  native: OWN_POLICY,
  yealink: {
    ...OWN_POLICY,
    probeIntervalMs: 120_000,
    proxyProbeIntervalMs: 3_600_000,
    backoff: { kind: "fixed", intervalMs: 30_000 },
    outbound: "never",
    refreshJitter: 0,
    ...PLAIN,
    srvOrder: "highest-weight-first",
    srvTransports: "udp",
    skipSameAddress: true,
    inviteUnregistered: false,
    idleWaitMaxMs: 0,
    dns: VENDOR_DNS,
  },
  polycom: {
    ...OWN_POLICY,
    backoff: { kind: "rfc5626", baseMs: 60_000, maxMs: 60_000 },
    outbound: "never",
    refreshJitter: 0,
    ...PLAIN,
    idleWaitMaxMs: 0,
    dns: VENDOR_DNS,
  },
};

/** An account with nothing in it, the same in all dialects. */
export const ACCOUNT_DEFAULTS: Omit<AccountPolicy, "redundancy"> = {
  index: 1,
  enabled: false,
  user: "",
  domain: undefined,
  displayName: "",
  authName: "",
  password: "",
  unregisterOnStart: false,
  messageWaiting: false,
  colleagues: [],
  presenceOf: [],
  watchExpiresSeconds: undefined,
  publishPresence: false,
  subscribeRegistration: false,
  subscribeExpiresSeconds: 3600,
  subscribeOverlapSeconds: "half",
  subscribeRetryMs: 30_000,
  ...CALL_DEFAULTS,
};
