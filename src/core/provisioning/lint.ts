/** Traps that are legal to configure and do harm when a server dies; each told with the key that avoids it. */
import { ipv6Groups } from "../locate/address.ts";
import type {
  AccountPolicy,
  RedundancyPolicy,
  ServerPolicy,
  ServerTransport,
} from "../redundancy/policy.ts";
import { lintLoad } from "./lint-load.ts";
import { lintNames } from "./lint-names.ts";
import { LintPad } from "./lint-pad.ts";
import { lintRecords } from "./lint-records.ts";
import { lintRetries } from "./lint-retries.ts";
import { lintReturn } from "./lint-return.ts";
import { lintServer } from "./lint-server.ts";
import type { Settings } from "./settings.ts";
import { isLiteral } from "./value-form.ts";

const LONG_EXPIRES_SECONDS = 86_400;
const CONNECTED: ReadonlySet<ServerTransport> = new Set([
  "tcp",
  "tls",
  "ws",
  "wss",
  "tcp-preferred",
]);
const ANSWERS: ReadonlySet<number> = new Set([401, 407, 480, 486, 487, 488]);

/** Adds a finding for each trap of each enabled account. `phones`: how many there are of this kind, if it is known. */
export function lint(
  settings: Settings,
  accounts: readonly AccountPolicy[],
  phones: number | undefined,
): void {
  const enabled = accounts.filter((account) => account.enabled);
  for (const account of enabled) {
    const pad = new LintPad(settings, account, phones);
    for (const check of CHECKS) check(pad, account.redundancy);
    for (const list of ["servers", "proxies"] as const) {
      account.redundancy[list].forEach((server, at) => {
        lintServer(pad, server, `${list}.${at + 1}`);
      });
    }
  }
  lintRecords(settings, enabled);
}

type Check = (pad: LintPad, policy: RedundancyPolicy) => void;

/** Nothing to go to when the only address fails: that of the outbound proxy, where requests go through one. */
const singleAddress: Check = (pad, { servers, proxies }) => {
  const only = servers[0]!;
  if (servers.length > 1 || proxies.length > 1) return;
  const proxy = only.throughProxy ? proxies[0] : undefined;
  const list = proxy ? "proxies" : "servers";
  if (!isLiteral((proxy ?? only).address)) return;
  const what = proxy ? "outbound proxy" : "server";
  const second = pad.key(`${list}.2.address`);
  const wrong = `it is one address and there is no other ${what}: nothing is left when it fails`;
  const remedy = `write a name with several addresses${second ? `, or ${second} too` : ""}`;
  pad.warn([`${list}.1.address`], "single-address", wrong, remedy);
};

/** C44: one server under two numbers is no second server. */
const sameServer: Check = (pad, policy) => {
  for (const list of ["servers", "proxies"] as const) {
    policy[list].forEach((server, at) => {
      const earlier = policy[list].slice(0, at).findIndex((other) => isSame(other, server, policy));
      if (earlier === -1) return;
      const wrong = `number ${earlier + 1} has the same address, so this one is never tried`;
      const remedy = "write another address, or delete the server";
      pad.warn([`${list}.${at + 1}.address`], "same-server", wrong, remedy);
    });
  }
};

function isSame(a: ServerPolicy, b: ServerPolicy, policy: RedundancyPolicy): boolean {
  const known = addressesOf(a, policy);
  const again = addressesOf(b, policy);
  const within = again.length > 0 && again.every((address) => known.includes(address));
  if (a.address !== b.address && !within) return false;
  if (policy.skipSameAddress && within) return true;
  return a.port === b.port && a.transport === b.transport;
}

/** What the file itself says of a name: its static records. */
function addressesOf({ address }: ServerPolicy, { dns }: RedundancyPolicy): readonly string[] {
  if (isLiteral(address)) return [plainAddress(address)];
  const names = dns.records.flatMap((record) =>
    record.type === "SRV" && record.name.endsWith(`.${address}`) ? record.target : [],
  );
  return dns.records.flatMap((record) =>
    (record.type === "A" || record.type === "AAAA") && [address, ...names].includes(record.name)
      ? plainAddress(record.address)
      : [],
  );
}

/** One spelling for all that an IPv6 address has (RFC 4291 §2.2). */
function plainAddress(literal: string): string {
  const groups = literal.includes(":") ? ipv6Groups(literal) : undefined;
  return groups?.map((group) => group.toString(16)).join(":") ?? literal;
}

/** C42: two registrations at once and failover by SRV drift apart. */
const registrationAndSrv: Check = (pad, { registration, servers }) => {
  const registering = servers.filter(({ register }) => register).length;
  const working = servers[0]!;
  const bySrv = working.port === 0 && !isLiteral(working.address);
  if (registration !== "concurrent" || registering < 2 || !bySrv) return;
  const wrong = "registering at two servers at once and failover by DNS SRV should not be mixed";
  const remedy =
    pad.write("registration", "successive") ?? pad.write("servers.2.register", false) ?? "";
  const fields = ["registration", "servers.2.address"];
  pad.warn(fields, "concurrent-with-srv", wrong, `${remedy}, or give server 1 a port`);
};

/** C41: server 2 dies with the one proxy in front of both, unless the file itself gives that several addresses. */
const soleProxy: Check = (pad, policy) => {
  const { servers, proxies } = policy;
  const at = servers.findIndex((server, index) => index > 0 && server.throughProxy);
  if (proxies.length !== 1 || at === -1 || !pad.origin("proxies.1.address")) return;
  if (new Set(addressesOf(proxies[0]!, policy)).size > 1) return;
  const field = `servers.${at + 1}.throughProxy`;
  const wrong = `server ${at + 1} is reached through the one outbound proxy and fails with it`;
  const remedy = `${pad.write(field, false)}, or give a proxy name with several addresses`;
  pad.warn([field, "proxies.1.address"], "shared-proxy", wrong, remedy);
};

/** Load grows with lines times servers, worst when some are down. */
const manyRegistrations: Check = (pad, { registration, servers }) => {
  const registering = servers.filter(({ register }) => register).length;
  if (registration !== "concurrent" || registering < 3) return;
  const wrong = `each line keeps ${registering} registrations alive`;
  const remedy = `${pad.write("servers.3.register", false)} where calls are enough`;
  pad.warn(["servers.3.address"], "many-registrations", wrong, remedy);
};

/** No binding anywhere: outgoing calls only. */
const nowhereRegistered: Check = (pad, { servers }) => {
  if (servers.some(({ register }) => register)) return;
  const wrong = "the account registers nowhere, so no call can reach it";
  pad.warn(
    ["servers.1.register"],
    "registers-nowhere",
    wrong,
    `${pad.write("servers.1.register", true)}`,
  );
};

/** The phone is back when the TTL says so, and a static record's TTL is the operator's own. */
const hugeTtl: Check = (pad, { servers, proxies }) => {
  if (![...servers, ...proxies].some(({ failbackMode }) => failbackMode === "DNSTTL")) return;
  for (const { origin, seconds } of pad.recordTtls()) {
    if (seconds <= LONG_EXPIRES_SECONDS) continue;
    const wrong = `failback waits for the TTL, and ${seconds} s is more than a day`;
    pad.warnAt(origin, "ttl-too-long", wrong, "write 300, or another failback mode");
  }
};

/** C1: what is subscribed to stays with a server that is gone. */
const lostSubscription: Check = (pad, { servers }) => {
  const { failbackMode, registerOnFailover, resubscribeOnFailover, address } = servers[0]!;
  const moves = registerOnFailover && failbackMode !== "newRequests" && !isLiteral(address);
  const remedy = pad.write("servers.1.resubscribeOnFailover", true);
  const what = pad.subscribed;
  if (what.length === 0 || !moves || resubscribeOnFailover || remedy === undefined) return;
  const wrong = `what is subscribed to (${what.join(", ")}) stays with the failed server until the subscription runs out`;
  pad.warn(["servers.1.registerOnFailover"], "lost-subscription", wrong, remedy);
};

/** Templates that give the transport to server 1 alone leave server 2 with the default. */
const secondTransport: Check = (pad, policy) => {
  for (const list of ["servers", "proxies"] as const) {
    const first = policy[list][0];
    if (first === undefined || !CONNECTED.has(first.transport)) continue;
    if (pad.origin(`${list}.1.transport`) === undefined) continue;
    policy[list].slice(1).forEach((server, at) => {
      const number = at + 2;
      const said = pad.origin(`${list}.${number}.transport`) !== undefined;
      if (said || server.throughProxy || server.transport === first.transport) return;
      const wrong = `number 1 is reached over ${first.transport} and nothing is said of this one, which is reached over ${plainly(server)}`;
      // Where a proxy has no key of its own for it, it takes the one of the server of its number.
      const remedy =
        pad.write(`${list}.${number}.transport`, first.transport) ??
        pad.write(`servers.${number}.transport`, first.transport);
      pad.warn([`${list}.${number}.address`], "secondary-transport", wrong, `${remedy}`);
    });
  }
};

function plainly({ transport }: ServerPolicy): string {
  return transport === "naptr" ? "whatever the DNS says, else UDP" : transport;
}

/** A server in maintenance, or full, that says so. */
const keptByRefusal: Check = (pad, { failoverOn503 }) => {
  if (failoverOn503 || pad.origin("failoverOn503") === undefined) return;
  const wrong = "a server that answers 503 keeps every call, though others would take it";
  const remedy = `${pad.write("failoverOn503", true)}`;
  pad.warn(["failoverOn503"], "no-failover-on-503", wrong, remedy);
};

/** What a person, or the demand for credentials, says is no failure of the server. */
const sentOnByAnswer: Check = (pad, { failoverStatuses }) => {
  const said = failoverStatuses.filter((status) => ANSWERS.has(status) || status >= 600);
  if (said.length === 0) return;
  const wrong = `${said.join(", ")} is an answer to the call, which then rings again at the next server`;
  const remedy = "leave 408 and 5xx only";
  pad.warn(["failoverStatuses"], "failover-on-answer", wrong, remedy);
};

const CHECKS: readonly Check[] = [
  singleAddress,
  sameServer,
  registrationAndSrv,
  soleProxy,
  manyRegistrations,
  nowhereRegistered,
  hugeTtl,
  lostSubscription,
  lintRetries,
  lintReturn,
  lintLoad,
  lintNames,
  secondTransport,
  keptByRefusal,
  sentOnByAnswer,
];
