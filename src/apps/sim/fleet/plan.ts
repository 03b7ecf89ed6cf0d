/** A fleet's run: what was asked for, and everything else drawn from the seed. */
import type { AccountPolicy } from "../../../core/redundancy/policy.ts";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
} from "../../../core/redundancy/policy-defaults.ts";
import type { ResourceRecord } from "../../../core/vocabulary.ts";
import type { NetworkOptions } from "../../../worlds/sim/network.ts";
import { Prng } from "../../../worlds/sim/prng.ts";
import { groundsOf } from "../../explain/grounds.ts";
import type { ServerSpec } from "../town.ts";

/** The stream of a seed that fleets are drawn from. */
const PLAN_CHANCE = 60;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const DOMAIN = "fleet.test";
/** Behind the name of server 1, where no file was given. */
const DRAWN_ADDRESSES: ReadonlyMap<number, readonly string[]> = new Map([
  [1, ["10.0.0.13", "10.0.0.14"]],
]);
/** The first of a ground server's doors is for those who are not the phone in question. */
const BACK_DOORS = 1;

export interface FleetRequest {
  readonly seed: number;
  readonly phones: number;
  readonly hours: number;
  /** REGISTERs a second that each server can do; undefined: any number. */
  readonly capacity?: number | undefined;
  /** Placed a minute among all phones; undefined: one for each twenty phones, 2 to 20. */
  readonly calls?: number | undefined;
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

type Places = Pick<FleetPlan, "servers" | "records" | "domains">;

export function planFleet(request: FleetRequest): FleetPlan {
  const { seed, phones, hours, capacity, calm, calls } = request;
  const prng = new Prng(seed, PLAN_CHANCE);
  const lastsMs = hours * HOUR_MS;
  const account = request.account ?? drawAccount(prng, phones);
  const drawn = request.account === undefined ? DRAWN_ADDRESSES : undefined;
  const { servers, records, domains } = placesOf(account, drawn);
  return {
    seed,
    phones,
    lastsMs,
    domains,
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
    callsPerMinute: phones > 1 ? (calls ?? usualCalls(phones)) : 0,
  };
}

function usualCalls(phones: number): number {
  return Math.min(20, Math.max(2, Math.round(phones / 20)));
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

/** The machines that `explain` supposes, too, each with the doors that the phones look for and no other. */
function placesOf(account: AccountPolicy, found?: ReadonlyMap<number, readonly string[]>): Places {
  const around = { targets: 2, ...(found === undefined ? {} : { found }) };
  const grounds = groundsOf(account, around);
  const counts = new Map<string, number>();
  const servers = grounds.servers.map(({ spec, group }) => {
    const position = counts.get(group) ?? 0;
    counts.set(group, position + 1);
    const listen = spec.listen?.slice(BACK_DOORS) ?? [];
    const port = listen[0]?.port ?? spec.port;
    return { ...spec, name: nameOf(group, position), port, listen };
  });
  return { ...grounds, servers };
}

/** `server 1` is the primary and the secondary, `server 2` a fallback, `proxy 1` as it is. */
function nameOf(group: string, position: number): string {
  const [kind, number] = group.split(" ");
  const more = position === 0 ? "" : `-${position + 1}`;
  if (kind === "proxy") return `proxy-${number}${more}`;
  if (number !== "1") return `fallback-${Number(number) - 1}${more}`;
  return ["primary", "secondary"][position] ?? `primary${more}`;
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
