/** A whole run drawn from its seed. What is drawn may change with this file; a plan once drawn is plain data. */
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

export function drawPlan(seed: number): SwarmPlan {
  const plan = drawFirst(seed);
  if (seed < MORE_FROM_SEED) return plan;
  const prng = new Prng(seed, MORE_CHANCE);
  const everybody = plan.accounts.map(({ user }) => user);
  return {
    ...plan,
    accounts: plan.accounts.map((account) => ({
      ...account,
      colleagues: everybody.filter((user) => user !== account.user && prng.chance(0.3)),
    })),
    restarts: drawRestarts(prng, everybody.length, plan.stormMs),
  };
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
