/** A fleet's run: what was asked for, and everything else drawn from the seed. */
import { isIP } from "node:net";
import type { AccountPolicy, ServerPolicy } from "../../../core/redundancy/policy.ts";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
} from "../../../core/redundancy/policy-defaults.ts";
import type { ResourceRecord } from "../../../core/vocabulary.ts";
import type { NetworkOptions } from "../../../worlds/sim/network.ts";
import { Prng } from "../../../worlds/sim/prng.ts";
import type { ServerSpec } from "../town.ts";

/** The stream of a seed that fleets are drawn from. */
const PLAN_CHANCE = 60;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const DOMAIN = "fleet.test";

export interface FleetRequest {
  readonly seed: number;
  readonly phones: number;
  readonly hours: number;
  /** REGISTERs a second that each server can do; undefined: any number. */
  readonly capacity?: number | undefined;
  /** No server fails. */
  readonly calm?: boolean | undefined;
  /** The account that all phones have, each with a user of its own; undefined: our own dialect's defaults. */
  readonly account: AccountPolicy | undefined;
}

export interface Outage {
  readonly server: string;
  readonly kind: "kill" | "freeze" | "partition";
  readonly atMs: number;
  readonly forMs: number;
}

export interface FleetPlan {
  readonly seed: number;
  readonly phones: number;
  readonly lastsMs: number;
  readonly domains: readonly string[];
  readonly servers: readonly ServerSpec[];
  readonly records: readonly ResourceRecord[];
  /** What every phone's account is made of. */
  readonly account: AccountPolicy;
  readonly firstUser: number;
  readonly network: NetworkOptions;
  readonly outages: readonly Outage[];
  readonly callsPerMinute: number;
}

export function planFleet(request: FleetRequest): FleetPlan {
  const { seed, phones, hours, capacity, calm } = request;
  const prng = new Prng(seed, PLAN_CHANCE);
  const lastsMs = hours * HOUR_MS;
  const account = request.account ?? drawAccount(prng, phones);
  const { servers, records } = placesOf(account);
  const names = [...account.redundancy.servers, ...account.redundancy.proxies].map(
    ({ address }) => address,
  );
  const domains = new Set([account.domain ?? DOMAIN, ...names.filter((name) => isIP(name) === 0)]);
  return {
    seed,
    phones,
    lastsMs,
    domains: [...domains],
    servers: capacity === undefined ? servers : servers.map((one) => ({ ...one, capacity })),
    records,
    account,
    firstUser: /^\d{1,9}$/.test(account.user) ? Number(account.user) : 2001,
    network: {
      latencyMs: [1, prng.between(5, 40)],
      loss: prng.pick([0, 0, 0.005]),
      duplication: 0,
    },
    outages: calm === true ? [] : drawOutages(prng, servers, lastsMs),
    callsPerMinute: phones > 1 ? Math.min(20, Math.max(2, Math.round(phones / 20))) : 0,
  };
}

/** What was drawn, for people. */
export function describePlan(plan: FleetPlan): string[] {
  const { network, account, outages, servers } = plan;
  const { registration, startSurgeMs, keepAliveMs, refreshJitter } = account.redundancy;
  const expires = account.redundancy.servers.map(({ expiresSeconds }) => expiresSeconds);
  return [
    `${plan.phones} phones for ${minutes(plan.lastsMs)}; ${registration} registration, expires ${expires.join(" and ")} s, surge ${startSurgeMs / 1000} s, keep-alive ${keepAliveMs / 1000} s, jitter ${refreshJitter}`,
    ...limitLines(servers),
    `servers ${servers.map(({ name, address, role }) => `${name} ${address} (${role})`).join(", ")}`,
    `latency ${network.latencyMs.join(" to ")} ms, loss ${network.loss * 100} %, ${plan.callsPerMinute} calls a minute`,
    ...outages.map(
      ({ server, kind, atMs, forMs }) =>
        `${kind} of ${server} after ${minutes(atMs)} for ${minutes(forMs)}`,
    ),
  ];
}

function limitLines([first]: readonly ServerSpec[]): string[] {
  const capacity = first?.capacity;
  return capacity === undefined ? [] : [`a server can do ${capacity} REGISTERs a second`];
}

export function minutes(ms: number): string {
  return `${(ms / MINUTE_MS).toFixed(1)} min`;
}

/** Our own defaults with a start spread over time: a primary and a secondary behind one name, and a fallback. */
function drawAccount(prng: Prng, phones: number): AccountPolicy {
  const transport = "udp";
  const expiresSeconds = prng.pick([300, 600, 900]);
  const redundancy = {
    ...defaultPolicy(
      defaultServer(`pbx.${DOMAIN}`, { transport, expiresSeconds }),
      defaultServer("10.0.0.15", { transport, expiresSeconds, features: "basic" }),
    ),
    registration: "successive" as const,
    startSurgeMs: Math.min(300_000, Math.max(10_000, phones * prng.pick([5, 20, 60]))),
    refreshJitter: prng.pick([0.1, 0.2]),
  };
  return defaultAccount("2001", redundancy, { domain: DOMAIN, password: "fleet" });
}

/** A machine for each literal address, two for each name that no static record speaks for. */
function placesOf({ redundancy }: AccountPolicy): {
  servers: ServerSpec[];
  records: ResourceRecord[];
} {
  const places = new Map<string, ServerSpec>();
  const records: ResourceRecord[] = [];
  const hops = redundancy.servers.length > 0 ? [...redundancy.servers, ...redundancy.proxies] : [];
  for (const [index, hop] of hops.entries()) {
    const proxy = index >= redundancy.servers.length;
    const role = !proxy && index > 0 ? "fallback" : "working";
    for (const [position, address] of addressesOf(hop, index, redundancy.dns.records).entries()) {
      const name = nameOf(index, position, proxy, redundancy.servers.length);
      const location = role === "working" ? "shared" : "own";
      const port = hop.port === 0 ? 5060 : hop.port;
      if (!places.has(address)) places.set(address, { name, address, port, role, location });
      if (isIP(hop.address) === 0) records.push(...recordsOf(hop, position, address));
    }
  }
  return { servers: [...places.values()], records };
}

function addressesOf(
  hop: ServerPolicy,
  index: number,
  fixed: readonly ResourceRecord[],
): readonly string[] {
  if (isIP(hop.address) !== 0) return [hop.address];
  const known = fixed.flatMap((record) =>
    record.type === "A" && record.name.endsWith(hop.address) ? record.address : [],
  );
  return known.length > 0 ? known : [`10.0.${index}.13`, `10.0.${index}.14`];
}

function nameOf(index: number, position: number, proxy: boolean, servers: number): string {
  if (proxy) return `proxy-${index - servers + 1}`;
  if (index > 0) return position === 0 ? `fallback-${index}` : `fallback-${index}-${position + 1}`;
  return ["primary", "secondary"][position] ?? `primary-${position + 1}`;
}

function recordsOf(hop: ServerPolicy, position: number, address: string): ResourceRecord[] {
  const host = `h${position + 1}.${hop.address}`;
  const service = {
    ttl: 60,
    priority: 10 * (position + 1),
    weight: 10,
    port: 5060,
    target: host,
  };
  return [
    { type: "SRV", name: `_sip._udp.${hop.address}`, ...service },
    { type: "SRV", name: `_sip._tcp.${hop.address}`, ...service },
    { type: "A", name: host, ttl: 60, address },
    { type: "A", name: hop.address, ttl: 60, address },
  ];
}

/** The first server dies once, and sometimes another one later. */
function drawOutages(prng: Prng, servers: readonly ServerSpec[], lastsMs: number): Outage[] {
  const kinds = ["kill", "kill", "freeze", "partition"] as const;
  const first = servers[0];
  if (first === undefined) return [];
  const outages: Outage[] = [
    {
      server: first.name,
      kind: prng.pick(kinds),
      atMs: Math.round(lastsMs * (0.25 + 0.1 * prng.fraction())),
      forMs: Math.round(lastsMs * (0.15 + 0.15 * prng.fraction())),
    },
  ];
  if (servers.length > 1 && prng.chance(0.4)) {
    outages.push({
      server: prng.pick(servers).name,
      kind: prng.pick(kinds),
      atMs: Math.round(lastsMs * 0.75),
      forMs: Math.round(lastsMs * 0.1),
    });
  }
  return outages;
}
