/**
 * One swarm run: a small town from a seed, a storm of faults in which the safety invariants must hold, then everything
 * is healed and liveness is demanded within the bounds (architecture.md §8).
 */
import type { Instant } from "../../../core/machine.ts";
import type { Account } from "../../../core/phone/account.ts";
import type { Call } from "../../../core/phone/call.ts";
import type { Phone } from "../../../core/phone/phone.ts";
import { Users } from "../../../core/server/users.ts";
import { Acknowledged } from "../../../worlds/sim/invariants/acknowledged.ts";
import { BothEnds } from "../../../worlds/sim/invariants/both-ends.ts";
import { Calls } from "../../../worlds/sim/invariants/calls.ts";
import { Home } from "../../../worlds/sim/invariants/home.ts";
import { Hush } from "../../../worlds/sim/invariants/hush.ts";
import {
  type Invariant,
  LOOK_MS,
  type Violation,
  type Watched,
} from "../../../worlds/sim/invariants/invariant.ts";
import { Itineraries } from "../../../worlds/sim/invariants/itineraries.ts";
import { OneBinding } from "../../../worlds/sim/invariants/one-binding.ts";
import { OneLeg } from "../../../worlds/sim/invariants/one-leg.ts";
import { OneWay } from "../../../worlds/sim/invariants/one-way.ts";
import { RegisterRate } from "../../../worlds/sim/invariants/register-rate.ts";
import { type Bindings, Registered } from "../../../worlds/sim/invariants/registered.ts";
import { Resends } from "../../../worlds/sim/invariants/resends.ts";
import { Returns } from "../../../worlds/sim/invariants/returns.ts";
import { Subscribed } from "../../../worlds/sim/invariants/subscribed.ts";
import { Suspects } from "../../../worlds/sim/invariants/suspects.ts";
import { Wire } from "../../../worlds/sim/invariants/wire.ts";
import type { SimulatedEvent } from "../../../worlds/sim/simulation.ts";
import type { SimulatedMessage } from "../../../worlds/sim/surroundings.ts";
import { Town } from "../town.ts";
import { BindingBook, type Standing } from "./bindings.ts";
import { drawPlan } from "./draw-plan.ts";
import { Faults } from "./faults.ts";
import { type Obituaries, SwarmPhones } from "./phones.ts";
import { accountsByPhone, DOMAIN, type SwarmPlan } from "./plan.ts";
import { GRACE_MS, planBounds } from "./plan-bounds.ts";
import { Tenants } from "./tenants.ts";

export interface SwarmOutcome {
  readonly plan: SwarmPlan;
  /** The first of each kind at each node. */
  readonly violations: readonly Violation[];
  readonly traceHash: number;
  readonly steps: number;
  readonly lastedMs: number;
}

export interface SwarmWatch {
  readonly event?: (event: SimulatedEvent) => void;
  readonly message?: (message: SimulatedMessage) => void;
  /** By the younger checks, too: what they excuse has not been proved over a hundred thousand runs. Default false. */
  readonly strict?: boolean;
}

/** What has come true is watched for so long, if the run is not one that waits for the whole bound. */
const STEADY_MS = 10_000;
/** What `Bounds.callMs` gives somebody who is at work on a call. */
const PROGRESS_MS = 181_000;
/** Two calls after the storm must be answered so fast: nothing stands in their way any more. */
const PROMPT_MS = 15_000;
/** While the bound is not over, a call that came to nothing is placed again after so long. */
const AGAIN_MS = 15_000;
/** A phone that stops is done with its last transactions after Timer F, J or K and the like, in T1. */
const QUIET_T1 = 74;
/** … and then says nothing for so long. */
const SILENT_MS = 10_000;
export function runSwarm(seed: number, watch: SwarmWatch = {}): SwarmOutcome {
  return runPlan(drawPlan(seed), watch);
}

export function runPlan(plan: SwarmPlan, watch: SwarmWatch = {}): SwarmOutcome {
  return new Swarm(plan, watch).run();
}

class Swarm implements Obituaries {
  readonly #plan: SwarmPlan;
  readonly #watch: SwarmWatch;
  readonly #town: Town;
  readonly #faults: Faults;
  readonly #bindings: BindingBook;
  readonly #phones: SwarmPhones;
  readonly #watched: Watched[] = [];
  readonly #invariants: Invariant[] = [];
  /** Those of liveness, once there are phones. */
  #proven: (now: Instant) => boolean = () => false;
  #nextLook: Instant = 0;
  #healed = false;
  readonly #violations = new Map<string, Violation>();
  /** Who has sent anything but answers since somebody last asked. */
  readonly #lately = new Set<string>();
  readonly #tenants: Tenants;

  constructor(plan: SwarmPlan, watch: SwarmWatch) {
    this.#plan = plan;
    this.#watch = watch;
    this.#tenants = new Tenants(plan);
    const users = plan.accounts.map(({ user, password }) => ({
      name: user,
      password,
      ha1: {},
      voicemail: undefined,
      groups: [],
    }));
    this.#town = new Town({
      seed: plan.seed,
      domains: [DOMAIN],
      users: plan.authenticated ? new Users(users) : undefined,
      renewals: false,
      network: plan.network,
      onEvent: (event) => this.#event(event),
      onMessage: (message) => this.#message(message),
      onLost: (node, peer, cause) => {
        this.#bindings.lost(peer);
        for (const user of this.#tenants.of(node)) {
          for (const invariant of this.#invariants) invariant.lost?.(user, peer, cause);
        }
      },
      onLeft: (peer) => this.#bindings.lost(peer),
      onStep: (now) => this.#step(now),
    });
    this.#faults = new Faults(this.#town);
    this.#bindings = new BindingBook(this.#town);
    this.#phones = new SwarmPhones(this.#town, plan);
  }

  run(): SwarmOutcome {
    this.#settle();
    this.#storm();
    this.#recover();
    this.#stop();
    const { simulation } = this.#town;
    return {
      plan: this.#plan,
      violations: [...this.#violations.values()],
      traceHash: simulation.trace.value,
      steps: simulation.steps,
      lastedMs: simulation.now,
    };
  }

  #settle(): void {
    const { servers, records, network } = this.#plan;
    this.#town.dns.records = records;
    for (const spec of servers) this.#town.addServer(spec);
    for (const { name } of servers) this.#town.startServer(name);
    this.#phones.settle();
    this.#watchPhones();
    this.#faults.begin(network.loss === 0);
    this.#phones.start();
  }

  #storm(): void {
    const { simulation } = this.#town;
    for (const fault of this.#plan.faults) this.#faults.plan(fault);
    for (const call of this.#plan.calls) simulation.after(call.atMs, () => this.#phones.call(call));
    for (const restart of this.#plan.restarts) this.#phones.planRestart(restart, this);
    simulation.runUntil(this.#plan.stormMs);
  }

  /** From the phones. */
  died(now: Instant, number: number): void {
    for (const one of this.#on(number)) {
      one.active = false;
      for (const invariant of this.#invariants) invariant.died?.(now, one.node);
    }
  }

  /** From the phones: it has begun anew. */
  reborn(now: Instant, number: number, phone: Phone): void {
    this.died(now, number);
    for (const [at, one] of this.#on(number).entries()) {
      one.phone = phone;
      one.account = phone.accounts[at] as Account;
      one.active = true;
    }
  }

  /** Those on one phone. */
  #on(number: number): Watched[] {
    return this.#watched.filter((_, at) => this.#plan.phones[at] === number);
  }

  /** Liveness: what the bounds promise must have come true, and stay true for a while. */
  #recover(): void {
    const { simulation } = this.#town;
    this.#faults.healAll();
    this.#healed = true;
    const bounds = this.#watched.map((one) => one.bounds);
    const longest = Math.max(...bounds.map((one) => Math.max(finite(one.homeMs), one.callMs)));
    const end = simulation.now + longest + GRACE_MS + 2 * LOOK_MS;
    if (this.#plan.patient) simulation.runUntil(end);
    else {
      simulation.runUntilTrue(() => this.#converged(), end);
      simulation.runUntil(Math.min(end, simulation.now + STEADY_MS));
    }
    if (!this.#plan.sharedLocation) return;
    const { length } = this.#plan.accounts;
    for (let from = 0; from < length; from += 1) this.#demandCall(from, (from + 1) % length, end);
  }

  /** What the bounds promise has come true for everybody. */
  #converged(): boolean {
    const { now } = this.#town.simulation;
    if (now < this.#nextLook) return false;
    this.#nextLook = now + LOOK_MS;
    return this.#proven(now) && this.#watched.every(({ phone }) => phone.idle);
  }

  /** I2: all servers share location, so a call reaches whoever is called, at the latest when the bound is over. */
  #demandCall(from: number, to: number, end: Instant): void {
    const { simulation } = this.#town;
    const { host } = this.#phones.phoneOf(from);
    for (;;) {
      const last = simulation.now >= end;
      const call = this.#phones.place(from, to);
      const done = (): boolean => call?.state === "confirmed" || call?.state === "terminated";
      simulation.runUntilTrue(done, simulation.now + PROMPT_MS);
      const state = call?.state ?? "not there";
      host.run((now) => call?.hangUp(now));
      simulation.runFor(GRACE_MS);
      if (state === "confirmed") {
        this.#demandEnd(from, to, call as Call);
        return;
      }
      if (last) {
        const what = `a call to ${this.#userOf(to)} is ${state} after ${PROMPT_MS} ms at most`;
        this.#complain({ invariant: "I2", at: simulation.now, node: this.#userOf(from), what });
        return;
      }
      simulation.runUntil(Math.min(end, simulation.now + AGAIN_MS));
    }
  }

  /** I10: nobody is left alone in a call that the other has ended. */
  #demandEnd(from: number, to: number, call: Call): void {
    const { simulation } = this.#town;
    const over = (): boolean => this.#phones.callAt(to, from, call)?.state !== "confirmed";
    if (simulation.runUntilTrue(over, simulation.now + PROMPT_MS)) return;
    const what = `is left alone in a call that ${this.#userOf(from)} has ended`;
    this.#complain({ invariant: "I10", at: simulation.now, node: this.#userOf(to), what });
  }

  #userOf(account: number): string {
    return this.#plan.accounts[account]?.user ?? "";
  }

  /** I8: after `stop` nothing is left but the ports, and after `close` nothing at all. */
  #stop(): void {
    const { simulation } = this.#town;
    const stood = this.#watched.map((one) => ({ one, places: this.#standings(one) }));
    for (const { host, machine } of this.#phones.all) {
      host.run((now) => {
        for (const phone of machine.phones) phone.stop(now);
      });
    }
    const t1Ms = Math.max(...this.#plan.accounts.map(({ redundancy }) => redundancy.t1Ms));
    simulation.runFor(QUIET_T1 * t1Ms);
    for (const { one, places } of stood) {
      const held = (standing: Standing): boolean =>
        !this.#wantsQuiet(standing.peer.address) &&
        this.#bindings.holds(standing.peer.address, one.node, standing);
      const left = places.filter(held).map(({ peer }) => peer.address);
      if (left.length === 0) continue;
      const what = `the bindings at ${left.join(" ")} were not removed`;
      this.#complain({ invariant: "I8", at: simulation.now, node: one.node, what });
    }
    this.#lately.clear();
    simulation.runFor(SILENT_MS);
    for (const { name, host, machine } of this.#phones.all) {
      if (this.#lately.has(name) || machine.phones.some((phone) => !phone.atRest)) {
        const what = "something is on its way long after stop";
        this.#complain({ invariant: "I8", at: simulation.now, node: name, what });
      }
      host.run(() => machine.close());
      const left = machine.holdings + host.holdings;
      if (left === 0) continue;
      const what = `${left} timers, flows or transactions are left`;
      this.#complain({ invariant: "I8", at: simulation.now, node: name, what });
    }
  }

  /** A server that has asked not to be asked is not asked to remove anything. */
  #wantsQuiet(address: string): boolean {
    const { faults, servers } = this.#plan;
    const { name } = servers.find((server) => server.address === address) ?? {};
    return faults.some(
      ({ server, kind, amount }) => server === name && kind === "refuse-all" && amount > 0,
    );
  }

  /** Where the account is registered: nothing more is demanded of it from here on. */
  #standings(one: Watched): Standing[] {
    one.active = false;
    return one.account.servers.routes.flatMap(({ index }) => {
      const registration = one.account.registration(index);
      const stands = registration?.bound(this.#town.simulation.now) === true;
      const peer = registration?.place?.flow.peer;
      return stands && peer !== undefined ? [{ server: index, peer }] : [];
    });
  }

  #watchPhones(): void {
    const lists = accountsByPhone(this.#plan);
    for (const [at, { user, redundancy }] of this.#plan.accounts.entries()) {
      const [phone] = this.#phones.phoneOf(at).machine.phones as [Phone];
      const place = lists[this.#plan.phones[at] ?? 0]?.indexOf(at) ?? 0;
      const account = phone.accounts[place] as Account;
      const bounds = planBounds(this.#plan, redundancy);
      this.#watched.push({ node: user, phone, account, bounds, active: true });
    }
    const complain = (violation: Violation): void => this.#complain(violation);
    const bindings: Bindings = (address, user) => this.#bindings.holds(address, user);
    const reaches: Bindings = (address, user) => this.#bindings.reaches(address, user);
    const hush = new Hush(this.#watched, complain);
    const registered = new Registered(this.#watched, this.#faults, bindings, hush, complain);
    const home = new Home(this.#watched, this.#faults, complain);
    this.#proven = (now) => registered.proven(now) && home.proven;
    this.#invariants.push(
      registered,
      home,
      new RegisterRate(this.#watched, complain),
      hush,
      new OneBinding(this.#watched, complain),
      new Calls(this.#watched, this.#faults, complain),
      new BothEnds(this.#watched, this.#faults, reaches, this.#partingMs, complain),
      new Wire(this.#watched, complain),
      new OneWay(this.#watched, complain),
      new OneLeg(this.#watched, complain),
    );
    if (this.#watch.strict !== true) return;
    this.#invariants.push(
      new Acknowledged(this.#watched, complain),
      new Itineraries(this.#watched, complain),
      new Resends(this.#watched, complain),
      new Returns(this.#watched, complain),
      new Suspects(this.#watched, this.#faults, complain),
      new Subscribed(this.#watched, this.#faults, complain),
    );
  }

  /** A call's last words go wherever its first ones could have gone. */
  get #partingMs(): number {
    const { accounts, network } = this.#plan;
    const rounds = this.#watched.map(({ bounds }) => bounds.callMs);
    const t1 = Math.max(...accounts.map(({ redundancy }) => redundancy.t1Ms));
    return Math.max(...rounds) - PROGRESS_MS + 64 * t1 + 10 * network.latencyMs[1];
  }

  #event(event: SimulatedEvent): void {
    if (event.event === "server.started") this.#faults.started(event.node);
    if (event.event === "call.started") {
      const { ringMs } = this.#plan;
      // Once the storm is over, people answer at once.
      if (event.direction === "incoming" && ringMs > 0) {
        this.#phones.answerAfter(this.#healed ? 1 : ringMs, event);
      }
      this.#phones.began(event);
    }
    for (const told of this.#tenants.event(event)) {
      for (const invariant of this.#invariants) invariant.event?.(told);
    }
    this.#watch.event?.(event);
  }

  #message(message: SimulatedMessage): void {
    const { node, direction, bytes } = message;
    this.#watch.message?.(message);
    if (this.#tenants.of(node).length === 0) return;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
    // Who is asked goes on answering: a server may have a last word about a subscription long left.
    if (direction === "out" && !text.startsWith("SIP/2.0")) this.#lately.add(node);
    const own = this.#tenants.message(message, text);
    if (own === undefined) return;
    for (const invariant of this.#invariants) invariant.message?.(own, text);
  }

  #step(now: Instant): void {
    for (const invariant of this.#invariants) invariant.check?.(now);
  }

  #complain(violation: Violation): void {
    const key = `${violation.invariant} ${violation.node}`;
    if (!this.#violations.has(key)) this.#violations.set(key, violation);
  }
}

/** A policy that never returns by time promises nothing. */
function finite(bound: number): number {
  return Number.isFinite(bound) ? bound : 0;
}
