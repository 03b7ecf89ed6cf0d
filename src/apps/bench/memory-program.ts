/**
 * `node --expose-gc memory-program.js PHONES`: registers so many phones in virtual time, drops the servers, and prints the
 * bytes that a phone has added: its machine, credentials, timers, simulated socket and address; and, after a space, the
 * bytes together with what the servers knew of it: its user, secrets, binding, flow and nonce. A quarter of them is measured first, and what both have is left out: tables that stand once, and compiled code, of which `--no-opt` makes
 * less.
 */

import { SipServer } from "../../core/server/server.ts";
import { Users } from "../../core/server/users.ts";
import { nodePrimitives } from "../../worlds/node/primitives.ts";
import { SimulatedStore } from "../../worlds/sim/simulated-store.ts";
import { FleetAddresses, FleetUsers, fleetPhones, userName } from "../sim/fleet/phones.ts";
import { type FleetPlan, planFleet } from "../sim/fleet/plan.ts";
import { NO_ORIGIN } from "../sim/phone-config.ts";
import { Town } from "../sim/town.ts";

const SEED = 7;
/** Virtual time for the last phones to register. */
const SETTLING_MS = 200_000;
/** Of many phones a few are just renewing. */
const LEAST_REGISTERED = 0.999;

interface Grown {
  readonly phones: number;
  /** The servers and their users included. */
  readonly all: number;
}

const collect = globalThis.gc;
if (collect === undefined) throw new Error("node needs --expose-gc");
const phones = Number(process.argv[2] ?? "100000");
const few = Math.ceil(phones / 4);
// The first run pays for code.
heapOf(few);
const base = heapOf(few);
const grown = heapOf(phones);
const each = (of: (heap: Grown) => number): number => (of(grown) - of(base)) / (phones - few);
process.stdout.write(`${each(({ phones }) => phones)} ${each(({ all }) => all)}\n`);

function heapOf(count: number): Grown {
  const plan = planFleet({ seed: SEED, phones: count, hours: 1, account: undefined });
  const empty = settledHeap();
  const users = usersOf(plan);
  const before = settledHeap();
  const addresses = new FleetAddresses(count);
  const town = new Town({
    seed: SEED,
    domains: plan.domains,
    users,
    renewals: false,
    network: { latencyMs: [1, 5], loss: 0, duplication: 0 },
  });
  town.dns.records = plan.records;
  for (const spec of plan.servers) {
    town.addServer({ ...spec, location: "own" });
    town.startServer(spec.name);
  }
  const configs = fleetPhones({ plan, addresses, rule: NO_ORIGIN });
  const { host, machine } = town.addPhones("fleet", addresses, configs);
  host.run(() => {
    for (const phone of machine.phones) phone.start();
  });
  town.simulation.runUntil(plan.account.redundancy.startSurgeMs + SETTLING_MS);
  const registered = machine.phones.filter(
    ({ accounts: [account] }) => account?.registration(1)?.state === "registered",
  ).length;
  if (registered < count * LEAST_REGISTERED) throw new Error(`only ${registered} are registered`);
  const all = settledHeap() - empty;
  for (const server of town.servers) {
    server.machine = new SipServer(server.machine.configuration, nodePrimitives());
    server.host.restart(server.machine);
    server.store = new SimulatedStore();
  }
  const phones = settledHeap() - before;
  if (machine.phones.length !== count) throw new Error("phones were lost");
  return { phones, all };
}

/** With every digest secret computed, as the servers will want it: none of it is a phone's. */
function usersOf(plan: FleetPlan): Users {
  const users = new Users(new FleetUsers(plan));
  const { hash } = nodePrimitives();
  for (let number = 0; number < plan.phones; number += 1) {
    for (const algorithm of ["MD5", "SHA-256"] as const) {
      users.ha1(hash, userName(plan, number), plan.domains[0] ?? "", algorithm);
    }
  }
  return users;
}

/** Of the heap, and of the arrays of numbers that stand beside it. */
function settledHeap(): number {
  for (let round = 0; round < 4; round += 1) collect?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
