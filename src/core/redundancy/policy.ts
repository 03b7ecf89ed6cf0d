/**
 * The one plain, serialisable description of how an account survives the loss of servers. The dialects
 * (Yealink/Matrix, Polycom/Spectralink, our own YAML) only translate into it; the engine reads nothing else.
 * Times are milliseconds unless the name says seconds.
 */
import type { ResourceRecord } from "../vocabulary.ts";
import type { CallPolicy } from "./call-policy.ts";

/** When a phone that failed over goes back to the primary (vendors' failback modes). */
export type FailbackMode = "newRequests" | "DNSTTL" | "registration" | "duration";

/**
 * How a server's name and port become targets. `udp`, `tcp`, `tls`: that transport only. `naptr`: by NAPTR and
 * SRV when there is no port, UDP otherwise. `tcp-preferred`: TCP targets, then the same over UDP.
 */
export type ServerTransport = "udp" | "tcp" | "tls" | "ws" | "wss" | "naptr" | "tcp-preferred";

/** One server, and when it is left and returned to. */
export interface ServerPolicy {
  /** A literal address or a name. */
  readonly address: string;
  /** 0: none was given, so SRV is asked for (RFC 3263 §4.2). */
  readonly port: number;
  readonly transport: ServerTransport;
  /** `full` (working server) or `basic` (fallback server): SUBSCRIBE goes to full ones only. */
  readonly features: "full" | "basic";
  /** Whether the account registers here (reg.x.server.y.register). */
  readonly register: boolean;
  /** Lifetime asked for in REGISTER, seconds. */
  readonly expiresSeconds: number;
  /** Renew so long before the end; "half": at half the lifetime. A lifetime below it is renewed at half, too. */
  readonly overlapSeconds: number | "half";
  /** Resends of a non-INVITE request before the target is left: 0..20. */
  readonly registerRetries: number;
  /** Resends of INVITE before the target is left: 0..20. */
  readonly inviteRetries: number;
  /** Fixed spacing of resends; 0: that of RFC 3261 Timer E and Timer A. */
  readonly retryIntervalMs: number;
  readonly failbackMode: FailbackMode;
  /** Mode `duration`: seconds after the switch; 0: never by time. */
  readonly failbackSeconds: number;
  /** Register at the new target before anything else is sent there (register_on_enable, reRegisterOn). */
  readonly registerOnFailover: boolean;
  /** Forget the old registration when failing over (failRegistrationOn). */
  readonly dropRegistrationOnFailover: boolean;
  /**
   * With `registerOnFailover`: REGISTER at the primary before going back to it, even if the old registration there has
   * not run out; false: only where that was forgotten.
   */
  readonly registerOnFailback: boolean;
  /** Send to, and take from, the registered target only (onlySignalWithRegistered). */
  readonly onlySignalWithRegistered: boolean;
  /** SUBSCRIBE anew right after registering at another target (failback_subscribe.enable). */
  readonly resubscribeOnFailover: boolean;
  /** Whether requests for this server go through the outbound proxies. */
  readonly throughProxy: boolean;
}

/** RFC 5626 §4.5: wait uniform in [W/2, W], W = min(max, base · 2^failures); or a fixed interval. */
export type RegisterBackoff =
  | { readonly kind: "fixed"; readonly intervalMs: number }
  | { readonly kind: "rfc5626"; readonly baseMs: number; readonly maxMs: number };

/** How an account survives the loss of servers. */
export interface RedundancyPolicy {
  /** In the order of trial; the first is the working server. Never empty. */
  readonly servers: readonly ServerPolicy[];
  /** Outbound proxies, always successive; empty: none. */
  readonly proxies: readonly ServerPolicy[];
  readonly registration: "concurrent" | "successive";
  /** Successive registration: REGISTER to server 1 so often while below it (fallback.timeout). */
  readonly probeIntervalMs: number;
  /** The same for outbound proxies (outbound_proxy_fallback_interval). */
  readonly proxyProbeIntervalMs: number;
  /** RFC 3261 timers. */
  readonly t1Ms: number;
  readonly t2Ms: number;
  readonly t4Ms: number;
  readonly backoff: RegisterBackoff;
  /** REGISTER after start waits uniform in [0, this] (sip.reg_surge_prevention). */
  readonly startSurgeMs: number;
  /** CRLF or STUN on each registration; 0: none. */
  readonly keepAliveMs: number;
  /**
   * RFC 5626 is asked for over connections, over all transports, or never. Where a registrar grants it the phone
   * keeps a second flow through another outbound proxy, and takes its flows' silence for what it is.
   */
  readonly outbound: "never" | "streams" | "always";
  /** Ask for a GRUU where RFC 5626 is asked for, and bear it as Contact: for servers that know theirs (RFC 5627). */
  readonly gruu: boolean;
  /** Refresh jitter: up to this share of the wait is taken off, 0..0.5. */
  readonly refreshJitter: number;
  /** Waits before a probe or a failback by time shrink by up to this share, 0..1: a fleet returns as a slope. */
  readonly returnSpread: number;
  readonly srvOrder: "rfc2782" | "highest-weight-first";
  /** SRV built when NAPTR gives nothing: `udp` only, or `udp`, `tcp` and `tls` (naptr_build). */
  readonly srvTransports: "udp" | "all";
  /** Do not try an address twice in one go, whatever its port (skip_redundant_failover_addr). */
  readonly skipSameAddress: boolean;
  /** The last target of each name gets the full 64·T1, not only the last of the whole list. */
  readonly strictLastTarget: boolean;
  /** A connection that stands and says nothing is left by the retry count; false: after 64·T1 (tcpFastFailover). */
  readonly fastStreamFailover: boolean;
  /** A final 503 lets the request go to the next target (failoverOn503Response). */
  readonly failoverOn503: boolean;
  /** Further final statuses that do. */
  readonly failoverStatuses: readonly number[];
  /** Any final refusal of REGISTER but 401, 407 and 423 does (redundancy_with_reg_fail). */
  readonly failoverOnRegisterRefusal: boolean;
  /** INVITE may go to servers that hold no registration (Polycom; false: only where registered). */
  readonly inviteUnregistered: boolean;
  /** The next new request goes to who asked for credentials, if none other has answered (auth.optimizedInFailover). */
  readonly followChallenger: boolean;
  /** Modes 1–3 wait for an idle phone at most so long; 0: for ever. */
  readonly idleWaitMaxMs: number;
  /** Good probes in a row before a return by time or by probe; 1: the first is enough. */
  readonly goodProbes: number;
  /** … over this time, which ends when the return is due. */
  readonly goodProbesMs: number;
  /** A target that was silent is asked so often whether it is back (OPTIONS), at first at once; 0: never. */
  readonly healthProbeMs: number;
  /**
   * The registrar of a standing binding is asked so often whether it lives, by pings or OPTIONS, and more rarely the
   * slower it is; 0: never.
   */
  readonly registrarProbeMs: number;
  /** No answer of any kind for so long starts the next INVITE attempt beside the first; 0: off. */
  readonly hedgeMs: number;
  /** Leave targets known to be dead to the end of the list, for all requests (shared health). */
  readonly skipKnownDead: boolean;
  /** Tell servers that their overload reports are obeyed (RFC 7339). */
  readonly overloadControl: boolean;
  readonly dns: DnsPolicy;
}

/** How names are asked for. */
export interface DnsPolicy {
  /** Static records (dns_cache_*, dns.cache.*). */
  readonly records: readonly ResourceRecord[];
  /** Static records before live answers (static_cache_pri); false: when live ones fail. */
  readonly staticFirst: boolean;
  /** False: ask again each time (dns_cache_type 0). */
  readonly cache: boolean;
  /** Use what came in the Additional section (dns_cache_type 2). */
  readonly useAdditional: boolean;
  /** Wait for one answer, and repeats (static.network.dns.query_timeout, retry_times). */
  readonly timeoutMs: number;
  readonly retries: number;
  readonly transport: "udp" | "tcp";
}

/** One line of a phone. */
export interface AccountPolicy extends CallPolicy {
  /** 1-based, as configured. */
  readonly index: number;
  readonly enabled: boolean;
  readonly user: string;
  /** The AOR's domain if configured (`user@domain`); undefined: the address of the server in use. */
  readonly domain: string | undefined;
  readonly displayName: string;
  readonly authName: string;
  readonly password: string;
  readonly redundancy: RedundancyPolicy;
  /** Remove the bindings of an earlier life first (unregister_on_reboot). */
  readonly unregisterOnStart: boolean;
  /** SUBSCRIBE message-summary (subscribe_mwi). */
  readonly messageWaiting: boolean;
  /** SUBSCRIBE dialog of these users of our domain, whose calls are shown (BLF). */
  readonly colleagues: readonly string[];
  /** SUBSCRIBE presence of these users of our domain. */
  readonly presenceOf: readonly string[];
  /** The lifetime asked for in both (blf.subscribe_period); undefined: subscribeExpiresSeconds. */
  readonly watchExpiresSeconds: number | undefined;
  /** PUBLISH our own presence. */
  readonly publishPresence: boolean;
  /** SUBSCRIBE reg (subscribe_register). */
  readonly subscribeRegistration: boolean;
  readonly subscribeExpiresSeconds: number;
  readonly subscribeOverlapSeconds: number | "half";
  readonly subscribeRetryMs: number;
}
