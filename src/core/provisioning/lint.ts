/** Traps that are legal to configure and do harm when a server dies; each told with the key that avoids it. */
import type { AccountPolicy, RedundancyPolicy, ServerPolicy } from "../redundancy/policy.ts";
import { LintPad } from "./lint-pad.ts";
import { lintRetries } from "./lint-retries.ts";
import { lintServer } from "./lint-server.ts";
import type { Settings } from "./settings.ts";
import { isLiteral } from "./value-form.ts";

const MANY_BINDINGS = 30;
const SHORT_PROBE_MS = 30_000;
const LONG_EXPIRES_SECONDS = 86_400;

/** Adds a warning for each trap of each enabled account. */
export function lint(settings: Settings, accounts: readonly AccountPolicy[]): void {
  for (const account of accounts) {
    if (!account.enabled) continue;
    const pad = new LintPad(settings, account);
    for (const check of CHECKS) check(pad, account.redundancy);
    for (const list of ["servers", "proxies"] as const) {
      account.redundancy[list].forEach((server, at) => {
        lintServer(pad, server, `${list}.${at + 1}`);
      });
    }
  }
}

type Check = (pad: LintPad, policy: RedundancyPolicy) => void;

/** Nothing to go to when the only address fails. */
const singleAddress: Check = (pad, { servers, proxies }) => {
  const only = servers[0]!;
  if (servers.length > 1 || proxies.length > 1 || !isLiteral(only.address)) return;
  const second = pad.key("servers.2.address");
  const wrong = "it is one address and there is no other server: nothing is left when it fails";
  pad.warn(["servers.1.address"], wrong, `write a name with several addresses, or ${second} too`);
};

/** C44: one server under two numbers is no second server. */
const sameServer: Check = (pad, policy) => {
  for (const list of ["servers", "proxies"] as const) {
    policy[list].forEach((server, at) => {
      const earlier = policy[list].slice(0, at).findIndex((other) => isSame(other, server, policy));
      if (earlier === -1) return;
      const wrong = `number ${earlier + 1} has the same address, so this one is never tried`;
      pad.warn([`${list}.${at + 1}.address`], wrong, "write another address, or delete the server");
    });
  }
};

function isSame(a: ServerPolicy, b: ServerPolicy, policy: RedundancyPolicy): boolean {
  if (a.address !== b.address) return false;
  if (policy.skipSameAddress && isLiteral(a.address)) return true;
  return a.port === b.port && a.transport === b.transport;
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
  pad.warn(["registration", "servers.2.address"], wrong, `${remedy}, or give server 1 a port`);
};

/** C41: server 2 dies with the one proxy in front of both. */
const soleProxy: Check = (pad, { servers, proxies }) => {
  const at = servers.findIndex((server, index) => index > 0 && server.throughProxy);
  if (proxies.length !== 1 || at === -1) return;
  const field = `servers.${at + 1}.throughProxy`;
  const wrong = `server ${at + 1} is reached through the one outbound proxy and fails with it`;
  const remedy = `${pad.write(field, false)}, or give a proxy name with several addresses`;
  pad.warn([field, "proxies.1.address"], wrong, remedy);
};

/** After the return, callers at server 2 still ring a path that is gone. */
const staleBinding: Check = (pad, { registration, servers, probeIntervalMs }) => {
  const below = servers[1];
  if (registration !== "successive" || below === undefined) return;
  const ratio = (below.expiresSeconds * 1000) / probeIntervalMs;
  if (ratio <= MANY_BINDINGS) return;
  const probe = probeIntervalMs / 1000;
  const wrong = `server 2 keeps its binding for ${below.expiresSeconds} s and the phone may be back after ${probe} s`;
  const remedy = pad.write("servers.2.expiresSeconds", Math.max(30, probe * 10));
  pad.warn(["probeIntervalMs", "servers.2.address"], wrong, `${remedy}`);
};

/** A fixed short probe from every phone is a load of its own. */
const probeLoad: Check = (pad, { registration, servers, probeIntervalMs }) => {
  const probing = registration === "successive" && servers.length > 1;
  if (!probing || probeIntervalMs >= SHORT_PROBE_MS || pad.dialect === "native") return;
  const load = Math.round(1_000_000 / probeIntervalMs);
  const wrong = `1000 phones that fell back send ${load} REGISTERs a second to a server that returns`;
  pad.warn(["probeIntervalMs"], wrong, `${pad.write("probeIntervalMs", SHORT_PROBE_MS)} or more`);
};

/** Load grows with lines times servers, worst when some are down. */
const manyRegistrations: Check = (pad, { registration, servers }) => {
  const registering = servers.filter(({ register }) => register).length;
  if (registration !== "concurrent" || registering < 3) return;
  const wrong = `each line keeps ${registering} registrations alive`;
  const remedy = `${pad.write("servers.3.register", false)} where calls are enough`;
  pad.warn(["servers.3.address"], wrong, remedy);
};

/** No binding anywhere: outgoing calls only. */
const nowhereRegistered: Check = (pad, { servers }) => {
  if (servers.some(({ register }) => register)) return;
  const wrong = "the account registers nowhere, so no call can reach it";
  pad.warn(["servers.1.register"], wrong, `${pad.write("servers.1.register", true)}`);
};

/** C11, C31: without traffic a dead path is found at the next renewal only. */
const silentPath: Check = (pad, { keepAliveMs, servers }) => {
  const expires = Math.max(...servers.map(({ expiresSeconds }) => expiresSeconds));
  if (keepAliveMs > 0 || expires <= 600) return;
  const wrong = `with no keep-alive a dead server is noticed up to ${expires} s late`;
  pad.warn(["keepAliveMs"], wrong, `${pad.write("keepAliveMs", 30_000)}`);
};

/** The phone is back when the TTL says so, and a static record's TTL is the operator's own. */
const hugeTtl: Check = (pad, { servers, proxies }) => {
  if (![...servers, ...proxies].some(({ failbackMode }) => failbackMode === "DNSTTL")) return;
  for (const { origin, seconds } of pad.recordTtls()) {
    if (seconds <= LONG_EXPIRES_SECONDS) continue;
    const wrong = `failback waits for the TTL, and ${seconds} s is more than a day`;
    pad.warnAt(origin, wrong, "write 300, or another failback mode");
  }
};

/** C1: message waiting stays with a server that is gone. */
const lostSubscription: Check = (pad, { servers }) => {
  const { failbackMode, registerOnFailover, resubscribeOnFailover, address } = servers[0]!;
  const moves = registerOnFailover && failbackMode !== "newRequests" && !isLiteral(address);
  const remedy = pad.write("servers.1.resubscribeOnFailover", true);
  if (!pad.messageWaiting || !moves || resubscribeOnFailover || remedy === undefined) return;
  const wrong = "message waiting stays with the failed server until its subscription runs out";
  pad.warn(["servers.1.registerOnFailover"], wrong, remedy);
};

const CHECKS: readonly Check[] = [
  singleAddress,
  sameServer,
  registrationAndSrv,
  soleProxy,
  staleBinding,
  probeLoad,
  manyRegistrations,
  nowhereRegistered,
  silentPath,
  hugeTtl,
  lostSubscription,
  lintRetries,
];
