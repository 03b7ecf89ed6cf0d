/** Everything of one swarm run, drawn from its seed: who is there, how they are configured, what befalls them. */

import type { AccountPolicy } from "../../../core/redundancy/policy.ts";
import type { ResourceRecord } from "../../../core/vocabulary.ts";
import type { NetworkOptions } from "../../../worlds/sim/network.ts";
import { Prng } from "../../../worlds/sim/prng.ts";
import type { ServerSpec } from "../town.ts";
import { drawAccount, type PolicyDraw } from "./draw-policy.ts";

/** The stream of a seed that plans are drawn from. */
const PLAN_CHANCE = 50;
export const DOMAIN = "swarm.test";

export type FaultKind =
  | "kill"
  | "freeze"
  | "partition"
  | "refuse-all"
  | "delay"
  | "dns-silent"
  | "dns-failing"
  | "store-away";

export interface PlannedFault {
  readonly atMs: number;
  readonly forMs: number;
  readonly kind: FaultKind;
  /** The server that it befalls; undefined for those that befall everybody. */
  readonly server: string | undefined;
  /** Of `refuse-all`: seconds of Retry-After, 0: none. Of `delay`: milliseconds. */
  readonly amount: number;
}

export interface PlannedCall {
  readonly atMs: number;
  readonly from: number;
  readonly to: number;
  readonly forMs: number;
}

export interface SwarmPlan {
  readonly seed: number;
  readonly dialect: "native" | "yealink" | "polycom";
  readonly servers: readonly ServerSpec[];
  /** What each configured server, 1-based, resolves to. */
  readonly targets: readonly (readonly string[])[];
  readonly records: readonly ResourceRecord[];
  readonly ttlSeconds: number;
  readonly accounts: readonly AccountPolicy[];
  readonly authenticated: boolean;
  readonly sharedLocation: boolean;
  readonly network: NetworkOptions;
  readonly faults: readonly PlannedFault[];
  readonly calls: readonly PlannedCall[];
  /** How long the faults go on. */
  readonly stormMs: number;
}

export function drawPlan(seed: number): SwarmPlan {
  const prng = new Prng(seed, PLAN_CHANCE);
  const dialect = prng.pick(["native", "yealink", "polycom"] as const);
  const sharedLocation = prng.chance(0.6);
  const ttlSeconds = prng.pick([30, 60, 300]);
  const { servers, targets } = drawServers(prng, sharedLocation);
  const proxies = drawProxies(prng, dialect, servers);
  const names = targets.map((addresses, index) =>
    addresses.length > 1 || prng.chance(0.3) ? `s${index + 1}.${DOMAIN}` : undefined,
  );
  const bySrv = prng.chance(0.5);
  const records = names.flatMap((name, index) =>
    name === undefined ? [] : recordsOf(name, targets[index] ?? [], ttlSeconds, bySrv),
  );
  const stormMs = prng.between(300, 1800) * 1000;
  const faults = drawFaults(prng, servers, stormMs);
  const places = targets.map(([first = ""], index) => ({
    address: names[index] ?? first,
    port: names[index] !== undefined && bySrv ? 0 : 5060,
  }));
  const draw: PolicyDraw = {
    dialect,
    places,
    proxies,
    transport: prng.chance(0.25) ? "tcp" : "udp",
    refusals: faults.some(({ kind }) => kind === "refuse-all"),
  };
  const accounts = Array.from({ length: prng.between(2, 3) }, (_, index) =>
    drawAccount(prng, draw, index),
  );
  return {
    seed,
    dialect,
    servers,
    targets,
    records,
    ttlSeconds,
    accounts,
    authenticated: prng.chance(0.5),
    sharedLocation,
    network: {
      latencyMs: [prng.between(0, 5), prng.between(5, 60)],
      loss: prng.pick([0, 0, 0.02, 0.1]),
      duplication: prng.pick([0, 0, 0.05]),
    },
    faults,
    calls: drawCalls(prng, accounts.length, stormMs),
    stormMs,
  };
}

function drawServers(prng: Prng, shared: boolean): { servers: ServerSpec[]; targets: string[][] } {
  const servers: ServerSpec[] = [];
  const targets: string[][] = [];
  const count = prng.between(1, 3);
  for (let index = 0; index < count; index += 1) {
    const addresses: string[] = [];
    const hosts = prng.pick([1, 1, 2, 3]);
    for (let host = 0; host < hosts; host += 1) {
      const address = `10.0.${index + 1}.${13 + host}`;
      addresses.push(address);
      servers.push({
        name: `s${index + 1}-${host + 1}`,
        address,
        port: 5060,
        role: "working",
        location: shared ? "shared" : "own",
      });
    }
    targets.push(addresses);
  }
  return { servers, targets };
}

/** Servers in front of all others, with the location of the first: a proxy that registers whom it is sent. */
function drawProxies(
  prng: Prng,
  dialect: SwarmPlan["dialect"],
  servers: ServerSpec[],
): readonly string[] {
  if (!prng.chance(0.15)) return [];
  const count = dialect === "polycom" ? 1 : prng.between(1, 2);
  return Array.from({ length: count }, (_, index) => {
    const address = `10.0.8.${33 + index}`;
    const location = servers[0]?.location ?? "shared";
    servers.push({ name: `p${index + 1}`, address, port: 5060, role: "working", location });
    return address;
  });
}

/** Distinct priorities, so that everybody agrees who is primary; several addresses of one name keep their order. */
function recordsOf(
  name: string,
  addresses: readonly string[],
  ttl: number,
  bySrv: boolean,
): ResourceRecord[] {
  if (!bySrv) return addresses.map((address) => ({ type: "A", name, ttl, address }));
  return addresses.flatMap((address, index): ResourceRecord[] => {
    const target = `h${index + 1}.${name}`;
    const priority = 10 * (index + 1);
    const place = { priority, weight: 10, port: 5060, target };
    return [
      { type: "SRV", name: `_sip._udp.${name}`, ttl, ...place },
      { type: "SRV", name: `_sip._tcp.${name}`, ttl, ...place },
      { type: "A", name: target, ttl, address },
    ];
  });
}

function drawFaults(prng: Prng, servers: readonly ServerSpec[], stormMs: number): PlannedFault[] {
  const count = prng.between(2, 12);
  return Array.from({ length: count }, () => {
    const kind = prng.pick<FaultKind>([
      "kill",
      "kill",
      "kill",
      "freeze",
      "freeze",
      "partition",
      "partition",
      "refuse-all",
      "delay",
      "dns-silent",
      "dns-failing",
      "store-away",
    ]);
    const everybody = kind.startsWith("dns") || kind === "store-away";
    return {
      atMs: prng.between(0, stormMs),
      forMs: prng.pick([500, 5000, 30_000, 120_000, 400_000]),
      kind,
      server: everybody ? undefined : prng.pick(servers).name,
      amount: kind === "delay" ? prng.between(100, 3000) : prng.pick([0, 0, 10, 60]),
    };
  }).sort((one, other) => one.atMs - other.atMs);
}

function drawCalls(prng: Prng, phones: number, stormMs: number): PlannedCall[] {
  return Array.from({ length: prng.between(1, 8) }, () => {
    const from = prng.between(0, phones - 1);
    return {
      atMs: prng.between(20_000, stormMs),
      from,
      to: (from + prng.between(1, phones - 1)) % phones,
      forMs: prng.between(1, 40) * 1000,
    };
  });
}
