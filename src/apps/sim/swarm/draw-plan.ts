/** A whole run drawn from its seed. What is drawn may change with this file; a plan once drawn is plain data. */
import type { AccountPolicy } from "../../../core/redundancy/policy.ts";
import type { Dialect } from "../../../core/redundancy/policy-defaults.ts";
import { Prng } from "../../../worlds/sim/prng.ts";
import type { ServerSpec } from "../town.ts";
import { drawAccount } from "./draw-policy.ts";
import { drawServers, type PlaceDraw, serverAt } from "./draw-servers.ts";
import { drawCalls, drawFaults, drawRestarts } from "./draw-storm.ts";
import type { SwarmPlan } from "./plan.ts";

/** The stream of a seed that plans are drawn from. */
const PLAN_CHANCE = 50;
/** … and that of what was thought of later. */
const MORE_CHANCE = 51;
/** Seeds from here on draw that, too: those below go on showing what they have shown. */
const MORE_FROM_SEED = 2 ** 31;
/** … and from here on phones with several accounts. */
const SEVERAL_FROM_SEED = 3 * 2 ** 30;

export function drawPlan(seed: number): SwarmPlan {
  const plan = drawFirst(seed);
  if (seed < MORE_FROM_SEED) return plan;
  const prng = new Prng(seed, MORE_CHANCE);
  const everybody = plan.accounts.map(({ user }) => user);
  const watching = plan.accounts.map((account) => ({
    ...account,
    colleagues: everybody.filter((user) => user !== account.user && prng.chance(0.3)),
  }));
  const restarts = drawRestarts(prng, everybody.length, plan.stormMs);
  if (seed < SEVERAL_FROM_SEED) return { ...plan, accounts: watching, restarts };
  const phones = drawPhones(prng, watching.length);
  return {
    ...plan,
    phones,
    accounts: watching.map((account, at) => onPhoneOf(watching[first(phones, at)], account)),
    restarts: restarts.map((restart) => ({ ...restart, phone: phones[restart.phone] ?? 0 })),
  };
}

/** Each account after the first shares a phone with one before it, or has the next one to itself. */
function drawPhones(prng: Prng, accounts: number): number[] {
  const phones: number[] = [];
  for (let at = 0; at < accounts; at += 1) {
    const shares = at > 0 && prng.chance(0.5);
    phones.push(shares ? prng.pick(phones) : Math.max(-1, ...phones) + 1);
  }
  return phones;
}

/** The first account on the phone of another. */
function first(phones: readonly number[], at: number): number {
  return phones.indexOf(phones[at] ?? 0);
}

/** The resolver belongs to the phone. */
function onPhoneOf(owner: AccountPolicy | undefined, account: AccountPolicy): AccountPolicy {
  if (owner === undefined || owner === account) return account;
  const { timeoutMs, retries, transport } = owner.redundancy.dns;
  const dns = { ...account.redundancy.dns, timeoutMs, retries, transport };
  return { ...account, redundancy: { ...account.redundancy, dns } };
}

function drawFirst(seed: number): SwarmPlan {
  const prng = new Prng(seed, PLAN_CHANCE);
  const dialect = prng.pick(["native", "yealink", "polycom"] as const);
  const sharedLocation = prng.chance(0.6);
  const ttlSeconds = prng.pick([30, 60, 300]);
  const wish = { dialect, shared: sharedLocation, ttlSeconds };
  const { servers, targets, places, counts, records } = drawServers(prng, wish);
  const proxies = drawProxies(prng, dialect, servers);
  const stormMs = drawStormMs(prng);
  const faults = drawFaults(prng, servers, stormMs);
  const draw = { dialect, places, proxies, records };
  const accounts = Array.from({ length: prng.pick([2, 2, 3]) }, (_, index) =>
    drawAccount(prng, draw, index),
  );
  return {
    seed,
    dialect,
    servers,
    targets,
    places: { servers: counts, proxies: proxies.map(() => 1) },
    records,
    ttlSeconds,
    accounts,
    phones: accounts.map((_, at) => at),
    authenticated: prng.chance(0.5),
    sharedLocation,
    network: {
      latencyMs: [prng.between(0, 5), prng.between(5, 60)],
      loss: prng.pick([0, 0, 0.02, 0.1]),
      duplication: prng.pick([0, 0, 0.05]),
    },
    faults,
    calls: drawCalls(prng, accounts.length, stormMs),
    restarts: [],
    stormMs,
    ringMs: prng.pick([0, 0, 0, 500, 4000, 20_000]),
    patient: prng.chance(0.1),
  };
}

/** Mostly short: many small runs find more than few long ones. */
function drawStormMs(prng: Prng): number {
  const [least, most] = prng.pick([
    [20, 60],
    [20, 60],
    [20, 60],
    [60, 120],
    [60, 120],
    [120, 600],
  ] as const);
  return prng.between(least * 1000, most * 1000);
}

/** Servers in front of all others, with the location of the first: a proxy that registers whom it is sent. */
function drawProxies(prng: Prng, dialect: Dialect, servers: ServerSpec[]): PlaceDraw[] {
  if (!prng.chance(0.15)) return [];
  const count = dialect === "polycom" ? 1 : prng.between(1, 2);
  const transport = prng.pick(["udp", "udp", "tcp"] as const);
  return Array.from({ length: count }, (_, index) => {
    const address = `10.0.8.${33 + index}`;
    const location = servers[0]?.location ?? "shared";
    servers.push(serverAt(`p${index + 1}`, address, "working", location));
    return { address, port: 5060, transport };
  });
}
