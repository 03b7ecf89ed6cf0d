/** A fleet in virtual time: one process with many phones, each the real state machine at an address of its own. */
import { Users } from "../../../core/server/users.ts";
import { Prng } from "../../../worlds/sim/prng.ts";
import type { SimulatedEvent } from "../../../worlds/sim/simulation.ts";
import { dnsPatienceMs, type RuleTeller } from "../phone-config.ts";
import { Town, type TownPhones } from "../town.ts";
import { costOf, type FleetCost } from "./cost.ts";
import { type FleetFigures, figuresOf } from "./figures.ts";
import { FleetAddresses, FleetUsers, fleetPhones } from "./phones.ts";
import type { FleetPlan, Outage } from "./plan.ts";
import { Tally } from "./tally.ts";

export interface FleetWatch {
  /** Told every so often how far it has come. */
  readonly progress?: (progress: FleetProgress) => void;
  readonly event?: (event: SimulatedEvent) => void;
}

export interface FleetProgress {
  readonly atMs: number;
  readonly served: number;
  readonly phones: number;
  readonly placed: number;
  readonly lost: number;
}

export interface FleetRun {
  readonly figures: FleetFigures;
  readonly cost: FleetCost;
  readonly tally: Tally;
}

/** The stream of a seed that calls are drawn from. */
const CALL_CHANCE = 61;
/** Short: their audio is by far most of all packets. */
const CALL_MS: readonly [number, number] = [400, 1600];
/** The node that all phones are. */
const FLEET = "fleet";
const PROGRESS_STEPS = 12;
const SECOND_MS = 1000;

export function runFleet(plan: FleetPlan, rule: RuleTeller, watch: FleetWatch = {}): FleetRun {
  return new Fleet(plan, rule, watch).run();
}

class Fleet {
  readonly #plan: FleetPlan;
  readonly #watch: FleetWatch;
  readonly #town: Town;
  readonly #tally: Tally;
  readonly #phones: TownPhones;
  readonly #prng: Prng;

  constructor(plan: FleetPlan, rule: RuleTeller, watch: FleetWatch) {
    this.#plan = plan;
    this.#watch = watch;
    this.#prng = new Prng(plan.seed, CALL_CHANCE);
    const servers = plan.servers.map(({ name }) => name);
    this.#tally = new Tally(Math.ceil(plan.lastsMs / SECOND_MS), servers, plan);
    this.#town = new Town({
      seed: plan.seed,
      domains: plan.domains,
      users: new Users(new FleetUsers(plan)),
      renewals: false,
      network: plan.network,
      onReport: (_now, node, event) => {
        if (node === FLEET) this.#tally.event(event);
      },
      ...(watch.event === undefined ? {} : { onEvent: watch.event }),
      onMessage: (message) => this.#tally.message(message),
    });
    this.#town.dns.records = plan.records;
    for (const spec of plan.servers) this.#town.addServer(spec);
    this.#phones = this.#addPhones(rule);
  }

  run(): FleetRun {
    const { simulation } = this.#town;
    const { servers, outages, lastsMs } = this.#plan;
    const begun = process.cpuUsage();
    for (const { name } of servers) this.#town.startServer(name);
    this.#phones.host.run(() => {
      for (const phone of this.#phones.machine.phones) phone.start();
    });
    for (const outage of outages) this.#planOutage(outage);
    this.#callLater();
    this.#countLater();
    for (let step = 1; step <= PROGRESS_STEPS; step += 1) {
      simulation.runUntil((lastsMs * step) / PROGRESS_STEPS);
      this.#progress();
    }
    this.#tally.passed(simulation.now);
    return {
      figures: figuresOf(this.#plan, this.#tally, simulation.events, simulation.trace.value),
      cost: costOf(simulation.events, begun),
      tally: this.#tally,
    };
  }

  #addPhones(rule: RuleTeller): TownPhones {
    const { phones, account, servers } = this.#plan;
    const addresses = new FleetAddresses(
      phones,
      servers.map(({ address }) => address),
    );
    const configs = fleetPhones({ plan: this.#plan, addresses, rule });
    return this.#town.addPhones(FLEET, addresses, configs, dnsPatienceMs([account]));
  }

  #planOutage({ server, kind, atMs, forMs }: Outage): void {
    const { simulation } = this.#town;
    const { host, spec } = this.#town.server(server);
    simulation.after(atMs, () => {
      if (kind === "kill") host.kill();
      else if (kind === "freeze") host.freeze();
      else simulation.network.partition(server, [spec.address]);
      this.#tally.serves(spec.address, false);
    });
    simulation.after(atMs + forMs, () => {
      if (kind === "kill") this.#town.startServer(server);
      else if (kind === "freeze") host.thaw();
      else simulation.network.heal(server);
      this.#tally.serves(spec.address, true);
    });
  }

  #callLater(): void {
    const { callsPerMinute } = this.#plan;
    if (callsPerMinute === 0) return;
    const wait = (60_000 / callsPerMinute) * 2 * this.#prng.fraction();
    this.#town.simulation.after(wait, () => {
      this.#call();
      this.#callLater();
    });
  }

  /** Two phones that have no call, one calls the other. */
  #call(): void {
    const { phones } = this.#phones.machine;
    const caller = this.#prng.pick(phones);
    const callee = this.#prng.pick(phones);
    if (caller === callee || !caller.idle || !callee.idle) return;
    const user = callee.accounts[0]?.config.user ?? "";
    const lasts = this.#prng.between(...CALL_MS);
    const { host } = this.#phones;
    host.run(() => {
      const call = caller.call(user);
      if (call === undefined) return;
      this.#town.simulation.after(lasts, () => host.run((now) => call.hangUp(now)));
    });
  }

  #countLater(): void {
    const { simulation } = this.#town;
    this.#tally.passed(simulation.now);
    simulation.after(SECOND_MS, () => this.#countLater());
  }

  #progress(): void {
    const { placed, lost } = this.#tally.calls;
    this.#watch.progress?.({
      atMs: this.#town.simulation.now,
      served: this.#tally.servedNow,
      phones: this.#plan.phones,
      placed,
      lost,
    });
  }
}
