/** Our own dialect: what the file says is what the policy is; the defaults are those of policy-defaults.ts. */

import type {
  AccountPolicy,
  RedundancyPolicy,
  RegisterBackoff,
  ServerPolicy,
} from "../redundancy/policy.ts";
import {
  ACCOUNT_DEFAULTS,
  POLICY_DEFAULTS,
  SERVER_DEFAULTS,
} from "../redundancy/policy-defaults.ts";
import { accountNumbers, forAccount, section, serverPrefixes } from "./assemble.ts";
import type { Settings } from "./settings.ts";
import { staticRecords } from "./static-records.ts";

/** One policy per entry of `accounts`; nothing is withdrawn here, since every field stands for itself. */
export function buildNative(settings: Settings): AccountPolicy[] {
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
  const origin = settings.firstUnder(path);
  const servers = buildServers(settings, account, "servers");
  const standard = { ...ACCOUNT_DEFAULTS, index: account, enabled: true };
  const plain = section(settings, standard, [path], path);
  if (origin && plain.enabled && plain.user === "") {
    const remedy = `write accounts.${account}.user`;
    settings.error(origin, "no-user", `account ${account} has no user`, remedy);
  }
  if (servers.length === 0) {
    if (!origin || !plain.enabled) return undefined;
    const remedy = `write accounts.${account}.servers and below it - address: ...`;
    settings.error(origin, "no-server", `account ${account} has no server`, remedy);
    return undefined;
  }
  const redundancy = buildPolicy(settings, account, servers);
  return { ...plain, authName: plain.authName || plain.user, redundancy };
}

/** What `every-server` says of these is said of servers: everything may go through a proxy, and nothing past it. */
const OF_PROXIES = { features: "full", register: true, throughProxy: false } as const;

/** The list may be sparse in overlaid files: an entry counts if anything is said of it, and then needs an address. */
function buildServers(
  settings: Settings,
  account: number,
  list: "servers" | "proxies",
): ServerPolicy[] {
  const servers: ServerPolicy[] = [];
  for (let number = 1; number <= settings.index.table.limits.Y; number++) {
    const into = `account.${account}.redundancy.${list}.${number}`;
    const origin = settings.firstUnder(into);
    if (origin === undefined) continue;
    const prefixes = serverPrefixes(account, list, number);
    if (list === "proxies") prefixes.push("account.*.redundancy.servers.*");
    const features = number === 1 || list === "proxies" ? "full" : "basic";
    const standard: ServerPolicy = { ...SERVER_DEFAULTS.native, address: "", features };
    const server = section<ServerPolicy>(settings, standard, prefixes, into);
    if (server.address === "") {
      const remedy = `write accounts.${account}.${list}.${number}.address`;
      const wrong = `number ${number} of ${list} has no address`;
      settings.error(origin, "no-server", wrong, remedy);
    } else {
      servers.push(list === "proxies" ? { ...server, ...OF_PROXIES } : server);
    }
  }
  return servers;
}

function buildPolicy(
  settings: Settings,
  account: number,
  servers: readonly ServerPolicy[],
): RedundancyPolicy {
  const path = `account.${account}.redundancy`;
  const { backoff, dns, ...standard } = POLICY_DEFAULTS.native;
  const proxies = buildServers(settings, account, "proxies");
  // With no proxy there is nothing to go through, whatever through-proxy says.
  const routed = servers.map((server) => ({
    ...server,
    throughProxy: server.throughProxy && proxies.length > 0,
  }));
  const prefixes = forAccount(account, "redundancy");
  return {
    ...section(settings, { ...standard, servers: routed, proxies }, prefixes, path),
    backoff: buildBackoff(settings, account, backoff),
    dns: {
      ...section(settings, dns, forAccount(account, "redundancy.dns"), `${path}.dns`),
      records: staticRecords(settings, account, settings.index.table.limits.Z),
    },
  };
}

/** `register-retry` is a fixed wait and so stands above the back-off of RFC 5626 §4.5. */
function buildBackoff(
  settings: Settings,
  account: number,
  standard: RegisterBackoff,
): RegisterBackoff {
  const path = `account.${account}.redundancy.backoff`;
  const fixed = settings.take(forAccount(account, "retryMs"), path);
  if (fixed) return { kind: "fixed", intervalMs: Number(fixed.value) };
  return section(settings, standard, forAccount(account, "redundancy.backoff"), path);
}
