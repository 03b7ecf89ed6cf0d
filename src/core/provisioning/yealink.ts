/**
 * The Yealink / Matrix SPARSH family: from settings to one policy per account, with the dependencies that its
 * manuals state. What cannot work as configured is told and left out of the policy.
 */

import type {
  AccountPolicy,
  DnsPolicy,
  RedundancyPolicy,
  RegisterBackoff,
  ServerPolicy,
} from "../redundancy/policy.ts";
import {
  ACCOUNT_DEFAULTS,
  POLICY_DEFAULTS,
  SERVER_DEFAULTS,
} from "../redundancy/policy-defaults.ts";
import {
  accountNumbers,
  failbackAddress,
  forAccount,
  inheritOrigins,
  section,
  serverPrefixes,
  settingValue,
  userAndDomain,
} from "./assemble.ts";
import { yealinkLamps } from "./lamps.ts";
import type { Setting, Settings } from "./settings.ts";
import { staticRecords } from "./static-records.ts";
import { isLiteral } from "./value-form.ts";
import { withdrawIdleFailback } from "./yealink-rules.ts";

/** 100rel_enable is off as shipped, and off means that the extension is not known. */
const OWN_CALLS = { reliableProvisionals: "never" } as const;

/** account.X.blf.subscribe_period, as shipped. */
const LAMP_SECONDS = 1800;

/** One policy per `account.X` that has a server, switched on or not. */
export function buildYealink(settings: Settings): AccountPolicy[] {
  const accounts: AccountPolicy[] = [];
  for (const account of accountNumbers(settings)) {
    settings.begin();
    const policy = buildAccount(settings, account);
    if (policy) accounts.push(policy);
  }
  return accounts;
}

function buildAccount(settings: Settings, account: number): AccountPolicy | undefined {
  const path = `account.${account}`;
  const enabled = settings.peek([`${path}.enabled`]);
  const servers = buildServers(settings, account);
  if (servers.length === 0) {
    if (enabled?.value === true) {
      const remedy = `write ${path}.sip_server.1.address`;
      const wrong = `account ${account} is on and has no server`;
      settings.error(enabled.origin, "no-server", wrong, remedy);
    }
    return undefined;
  }
  const plain = section(
    settings,
    { ...ACCOUNT_DEFAULTS, ...OWN_CALLS, index: account },
    [path],
    path,
  );
  const redundancy = buildPolicy(settings, account, servers);
  const user = settings.origins.get(`${path}.user`);
  const first = settings.origins.get(`${path}.redundancy.servers.1.address`);
  if (enabled === undefined && first) {
    const wrong = `account ${account} has a server and is not switched on`;
    settings.warn(first, "not-switched-on", wrong, `write ${path}.enable = 1`);
  }
  if (plain.enabled && user === undefined && enabled) {
    const remedy = `write ${path}.user_name`;
    const wrong = `account ${account} is on and has no user name`;
    settings.error(enabled.origin, "no-user", wrong, remedy);
  }
  const named = userAndDomain(settings, user, plain.user);
  const watched = buildLamps(settings, account, plain.watchExpiresSeconds);
  return { ...plain, ...named, ...watched, authName: plain.authName || named.user, redundancy };
}

/** Lamps show calls, or presence where the account says so. */
function buildLamps(
  settings: Settings,
  account: number,
  watchExpiresSeconds: number = LAMP_SECONDS,
): Partial<AccountPolicy> {
  const users = yealinkLamps(settings, account, accountNumbers(settings)[0] ?? account);
  if (users.length === 0) return {};
  const path = `account.${account}`;
  const event = settings.take([`${path}.lampEvent`], `${path}.presenceOf`);
  const shown = event?.value === "presence" ? { presenceOf: users } : { colleagues: users };
  return { ...shown, watchExpiresSeconds };
}

function buildServers(settings: Settings, account: number): ServerPolicy[] {
  const servers: ServerPolicy[] = [];
  for (const number of [1, 2]) {
    const prefixes = serverPrefixes(account, "servers", number);
    const address = settings.peek(prefixes.map((prefix) => `${prefix}.address`));
    if (address === undefined) continue;
    if (number === 2 && servers.length === 0) {
      const remedy = `write ${address.origin.key.replace("sip_server.2", "sip_server.1")} first`;
      const wrong = "there is a server 2 and no server 1";
      settings.error(address.origin, "missing-server", wrong, remedy);
    }
    const where = failbackAddress(String(address.value), heirsOf(settings, account, number));
    withdrawIdleFailback(settings, prefixes, where, SERVER_DEFAULTS.yealink);
    const path = `account.${account}.redundancy.servers.${number}`;
    const features = number === 1 ? "full" : "basic";
    const standard = { ...SERVER_DEFAULTS.yealink, features, address: "" } as const;
    const server = section<ServerPolicy>(settings, standard, prefixes, path);
    servers.push(leavingForGood(withoutNaptrForLiteral(settings, server, path)));
  }
  return servers;
}

/** The addresses of the proxies in use that take over what server `number` says. */
function heirsOf(settings: Settings, account: number, number: number): (Setting | undefined)[] {
  const addressOf = (list: "servers" | "proxies", of: number): Setting | undefined =>
    settings.peek(serverPrefixes(account, list, of).map((prefix) => `${prefix}.address`));
  const switches = [
    `account.${account}.proxyEnable`,
    ...[1, 2].map((of) => `account.${account}.redundancy.servers.${of}.throughProxy`),
  ];
  if (!switches.some((slot) => settings.peek([slot])?.value === true)) return [];
  const theirs = [1, 2].filter((of) => (addressOf("servers", of) ? of : 1) === number);
  return theirs.map((of) => addressOf("proxies", of));
}

/** What is left counts no longer where only the server now registered may be spoken to. */
function leavingForGood(server: ServerPolicy): ServerPolicy {
  return { ...server, dropRegistrationOnFailover: server.onlySignalWithRegistered };
}

/** DNS-NAPTR with a literal address is UDP, at port 5060 if none is given. */
function withoutNaptrForLiteral(
  settings: Settings,
  server: ServerPolicy,
  path: string,
): ServerPolicy {
  if (server.transport !== "naptr" || !isLiteral(server.address)) return server;
  const origin = settings.origins.get(`${path}.transport`);
  const wrong = `${server.address} is an address and NAPTR is for names, so UDP is used`;
  const remedy = "write 0 (UDP), or a domain name with port 0";
  if (origin) settings.warn(origin, "naptr-on-address", wrong, remedy);
  return { ...server, transport: "udp" };
}

function buildPolicy(
  settings: Settings,
  account: number,
  servers: readonly ServerPolicy[],
): RedundancyPolicy {
  const path = `account.${account}.redundancy`;
  const prefixes = forAccount(account, "redundancy");
  // Newer firmware asks per server whether it goes through the proxy; the account's switch is what holds else.
  const through = settings.peek([`account.${account}.proxyEnable`])?.value === true;
  const throughProxy = (server: ServerPolicy, number: number): boolean =>
    settings.origins.has(`${path}.servers.${number}.throughProxy`) ? server.throughProxy : through;
  const routed = servers.map((server, at) => ({
    ...server,
    throughProxy: throughProxy(server, at + 1),
  }));
  const proxied = routed.some((server) => server.throughProxy);
  const proxies = proxied ? buildProxies(settings, account, routed) : [];
  withdrawIdleProbes(settings, account, servers.length, proxies.length);
  const { backoff, dns, ...standard } = POLICY_DEFAULTS.yealink;
  return {
    ...section(settings, { ...standard, servers: routed, proxies }, prefixes, path),
    keepAliveMs: keepAlive(settings, account),
    backoff: registerBackoff(settings, account, backoff),
    dns: buildDns(settings, account, dns),
  };
}

/** Each proxy takes what it does not set from the server of its number, else from server 1. */
function buildProxies(
  settings: Settings,
  account: number,
  servers: readonly ServerPolicy[],
): ServerPolicy[] {
  const path = `account.${account}`;
  const proxies: ServerPolicy[] = [];
  for (const number of [1, 2]) {
    const prefixes = serverPrefixes(account, "proxies", number);
    const address = settings.peek(prefixes.map((prefix) => `${prefix}.address`));
    if (address === undefined) continue;
    if (number === 2 && proxies.length === 0) {
      const remedy = `write ${path}.outbound_proxy.1.address first`;
      const wrong = "there is an outbound proxy 2 and no proxy 1";
      settings.error(address.origin, "missing-server", wrong, remedy);
    }
    const twin = servers[number - 1] ?? servers[0]!;
    withdrawIdleFailback(settings, prefixes, String(address.value), twin);
    const standard: ServerPolicy = { ...twin, port: 5060, features: "full", throughProxy: false };
    const into = `${path}.redundancy.proxies.${number}`;
    proxies.push(leavingForGood(section(settings, standard, prefixes, into)));
    const from = `${path}.redundancy.servers.${servers[number - 1] ? number : 1}`;
    inheritOrigins(settings, into, from, ["port", "throughProxy"]);
  }
  const enable = settings.take([`${path}.proxyEnable`], `${path}.redundancy.proxies`);
  if (proxies.length === 0 && enable) {
    const remedy = `write ${path}.outbound_proxy.1.address, or 0 here`;
    const wrong = "the outbound proxy is on and has no address";
    settings.error(enable.origin, "proxy-without-address", wrong, remedy);
  }
  return proxies;
}

/** Probes exist below server 1 in successive registration, and below proxy 1. */
function withdrawIdleProbes(
  settings: Settings,
  account: number,
  servers: number,
  proxies: number,
): void {
  const path = `account.${account}`;
  const probe = settings.peek([`${path}.redundancy.probeIntervalMs`]);
  const kind = settings.peek([`${path}.redundancy.registration`]);
  if (probe && servers < 2) {
    settings.drop(probe, "there is no server 2 to come back from");
  } else if (probe && settingValue(kind, "concurrent") === "concurrent") {
    const remedy = `write ${path}.fallback.redundancy_type = 1, or delete the line`;
    const wrong = "with concurrent registration there is no probe";
    settings.withdraw(probe, "condition-missing", wrong, remedy);
  }
  const proxyProbe = settings.peek([`${path}.redundancy.proxyProbeIntervalMs`]);
  if (proxyProbe && proxies < 2) {
    settings.drop(proxyProbe, "there is no outbound proxy 2 in use");
  } else if (proxyProbe?.value === 0) {
    const wrong = "0 leaves no pause between probes, so the default of 3600 s holds";
    settings.withdraw(proxyProbe, "zero-wait", wrong, "write 10 or more");
  }
}

/** nat.udp_update_enable 1, 2 and 3 differ in what is sent; any of them keeps the path open. */
function keepAlive(settings: Settings, account: number): number {
  const path = `account.${account}.redundancy.keepAliveMs`;
  const enable = settings.take([`account.${account}.keepAlive`], path);
  const time = settings.peek([path]);
  if (enable?.value === 0) {
    if (time) settings.drop(time, "the keep-alive is off");
    return 0;
  }
  return settingValue(settings.take([path], path), POLICY_DEFAULTS.yealink.keepAliveMs);
}

/** The interval rules unless there is a base for the back-off of RFC 5626 §4.5: a base of 0 is no wait at all. */
function registerBackoff(
  settings: Settings,
  account: number,
  standard: RegisterBackoff,
): RegisterBackoff {
  const path = `account.${account}`;
  const into = `${path}.redundancy.backoff`;
  const max = settings.peek([`${path}.retryMaxMs`]);
  const interval = settings.peek([`${path}.retryMs`]);
  const min = settings.take([`${path}.retryMinMs`], into);
  const baseMs = settingValue(min, 0);
  if (baseMs === 0) {
    if (max && max.value !== 0) {
      const remedy = `write ${path}.reg_failed_retry_min_time above 0, or delete the line`;
      const wrong = "without reg_failed_retry_min_time there is no back-off";
      settings.withdraw(max, "condition-missing", wrong, remedy);
    }
    settings.take([`${path}.retryMaxMs`], `${into}.maxMs`);
    settings.take([`${path}.retryMs`], into);
    if (interval?.value !== 0) {
      if (interval === undefined) return standard;
      return { kind: "fixed", intervalMs: settingValue(interval, 30_000) };
    }
    const wrong = "0 would hammer the server, so 1 s is used";
    settings.warn(interval.origin, "zero-wait", wrong, "write 1 or more");
    return { kind: "fixed", intervalMs: 1000 };
  }
  if (interval) {
    const wrong = "it counts only while reg_failed_retry_min_time is 0";
    settings.withdraw(interval, "condition-missing", wrong, "delete this line or that one");
  }
  settings.take([`${path}.retryMaxMs`], `${into}.maxMs`);
  const maxMs = settingValue(max, 60_000);
  if (max && maxMs < baseMs) {
    const wrong = "it is below reg_failed_retry_min_time, which is used for both";
    settings.warn(max.origin, "cap-below-base", wrong, `write ${baseMs / 1000} or more`);
  }
  return { kind: "rfc5626", baseMs, maxMs: Math.max(baseMs, maxMs) };
}

/** dns_cache_type: 0 asks each time, 1 keeps answers, 2 keeps what came in the Additional section, too. */
function buildDns(settings: Settings, account: number, standard: DnsPolicy): DnsPolicy {
  const path = `account.${account}.redundancy.dns`;
  const timeout = settings.peek(forAccount(account, "redundancy.dns.timeoutMs"));
  if (timeout?.value === 0) {
    const wrong = "0 leaves no time for an answer, so the default of 3 s holds";
    settings.withdraw(timeout, "zero-wait", wrong, "write 1 or more");
  }
  const plain = section(settings, standard, forAccount(account, "redundancy.dns"), path);
  const kind = settings.take([`account.${account}.dnsCacheType`], `${path}.cache`);
  if (kind) settings.origins.set(`${path}.useAdditional`, kind.origin);
  return {
    ...plain,
    records: staticRecords(settings, account, settings.index.table.limits.Z),
    cache: kind?.value !== 0,
    useAdditional: kind?.value === 2,
  };
}
