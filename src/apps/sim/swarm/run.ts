/**
 * One swarm run: a small town from a seed, a storm of faults in which the safety invariants must hold, then everything
 * is healed and liveness is demanded within the bounds (architecture.md §8).
 */
import type { Instant } from "../../../core/machine.ts";
import type { Call } from "../../../core/phone/call.ts";
import { type Bounds, boundsOf } from "../../../core/redundancy/bounds.ts";
import { decodeBindings } from "../../../core/server/binding.ts";
import { Users } from "../../../core/server/users.ts";
import { Calls } from "../../../worlds/sim/invariants/calls.ts";
import { Home } from "../../../worlds/sim/invariants/home.ts";
import type { Invariant, Violation, Watched } from "../../../worlds/sim/invariants/invariant.ts";
import { OneBinding } from "../../../worlds/sim/invariants/one-binding.ts";
import { RegisterRate } from "../../../worlds/sim/invariants/register-rate.ts";
import { Registered } from "../../../worlds/sim/invariants/registered.ts";
import { Wire } from "../../../worlds/sim/invariants/wire.ts";
import { latin1Text } from "../../../worlds/sim/pure-bytes.ts";
import type { SimulatedEvent } from "../../../worlds/sim/simulation.ts";
import type { SimulatedMessage } from "../../../worlds/sim/surroundings.ts";
import { dnsPatienceMs, simulatedPhone } from "../phone-config.ts";
import { EPOCH_MS, Town, type TownPhones } from "../town.ts";
import { Faults } from "./faults.ts";
import { DOMAIN, drawPlan, type SwarmPlan } from "./plan.ts";

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
}

const CHECK_MS = 500;
/** Given on top of every bound, for the grain of checks and packets under way. */
const GRACE_MS = 2000;
/** Two calls after the storm must be answered so fast: nothing stands in their way any more. */
const PROMPT_MS = 15_000;
/** A phone that stops is done with its last transactions after Timer F, J or K and the like. */
const QUIET_MS = 70_000;
/** Questions of one location: NAPTR, three SRV, A and AAAA of each target. */
const MOST_QUESTIONS = 10;

export function runSwarm(seed: number, watch: SwarmWatch = {}): SwarmOutcome {
  return new Swarm(drawPlan(seed), watch).run();
}

class Swarm {
  readonly #plan: SwarmPlan;
  readonly #watch: SwarmWatch;
  readonly #town: Town;
  readonly #faults: Faults;
  readonly #phones: TownPhones[] = [];
  readonly #watched: Watched[] = [];
  readonly #invariants: Invariant[] = [];
  readonly #violations = new Map<string, Violation>();
  /** Who has sent anything since somebody last asked. */
  readonly #lately = new Set<string>();
  #nextCheck: Instant = 0;

  constructor(plan: SwarmPlan, watch: SwarmWatch) {
    this.#plan = plan;
    this.#watch = watch;
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
      onStep: (now) => this.#step(now),
    });
    this.#faults = new Faults(this.#town);
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
    const { servers, records, accounts, network } = this.#plan;
    this.#town.dns.records = records;
    for (const spec of servers) this.#town.addServer(spec);
    for (const { name } of servers) this.#town.startServer(name);
    for (const [number, account] of accounts.entries()) {
      const address = `10.9.0.${number + 1}`;
      const config = simulatedPhone([account], { address, port: 5060, answer: "auto", number });
      const patience = dnsPatienceMs([account]);
      this.#phones.push(this.#town.addPhones(account.user, [address], [config], patience));
    }
    this.#watchPhones();
    this.#faults.begin(network.loss === 0);
    for (const { host, machine } of this.#phones) {
      host.run(() => {
        for (const phone of machine.phones) phone.start();
      });
    }
  }

  #storm(): void {
    const { simulation } = this.#town;
    for (const fault of this.#plan.faults) this.#faults.plan(fault);
    for (const { atMs, from, to, forMs } of this.#plan.calls) {
      simulation.after(atMs, () => this.#call(from, to, forMs));
    }
    simulation.runUntil(this.#plan.stormMs);
  }

  /** Liveness: what the bounds promise must have come true, and stay true for a while. */
  #recover(): void {
    const { simulation } = this.#town;
    this.#faults.healAll();
    const bounds = this.#watched.map((one) => one.bounds);
    const longest = Math.max(...bounds.map((one) => Math.max(finite(one.homeMs), one.callMs)));
    simulation.runFor(longest + GRACE_MS + 2 * CHECK_MS);
    if (!this.#plan.sharedLocation) return;
    for (const from of this.#phones.keys())
      this.#demandCall(from, (from + 1) % this.#phones.length);
  }

  /** I2: all servers share location, so a call reaches whoever is called. */
  #demandCall(from: number, to: number): void {
    const { simulation } = this.#town;
    const caller = this.#phones[from] as TownPhones;
    const callee = this.#plan.accounts[to]?.user ?? "";
    const call = this.#place(caller, callee);
    const answered = (): boolean => call?.state === "confirmed";
    if (!simulation.runUntilTrue(answered, simulation.now + PROMPT_MS)) {
      const what = `a call to ${callee} is ${call?.state ?? "not there"} after ${PROMPT_MS} ms`;
      this.#complain({ invariant: "I2", at: simulation.now, node: caller.name, what });
    }
    caller.host.run((now) => call?.hangUp(now));
    simulation.runFor(GRACE_MS);
  }

  /** I8: after `stop` nothing is left but the ports, and after `close` nothing at all. */
  #stop(): void {
    const { simulation } = this.#town;
    for (const one of this.#watched) one.active = false;
    for (const { host, machine } of this.#phones) {
      host.run((now) => {
        for (const phone of machine.phones) phone.stop(now);
      });
    }
    simulation.runFor(QUIET_MS);
    this.#lately.clear();
    simulation.runFor(QUIET_MS);
    for (const { name, host, machine } of this.#phones) {
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

  #call(from: number, to: number, forMs: number): void {
    const caller = this.#phones[from] as TownPhones;
    const callee = this.#plan.accounts[to]?.user ?? "";
    const call = this.#place(caller, callee);
    if (call === undefined) return;
    this.#town.simulation.after(forMs, () => caller.host.run((now) => call.hangUp(now)));
  }

  #place({ host, machine }: TownPhones, callee: string): Call | undefined {
    const placed: Call[] = [];
    host.run(() => {
      const call = machine.phones[0]?.call(callee);
      if (call !== undefined) placed.push(call);
    });
    return placed[0];
  }

  #watchPhones(): void {
    for (const { name, machine } of this.#phones) {
      const phone = machine.phones[0];
      const account = phone?.accounts[0];
      if (phone === undefined || account === undefined) continue;
      const bounds = this.#boundsOf(account.policy);
      this.#watched.push({ node: name, phone, account, bounds, active: true });
    }
    const complain = (violation: Violation): void => this.#complain(violation);
    const bindings = (now: Instant, address: string, user: string): boolean =>
      this.#holdsBinding(now, address, user);
    this.#invariants.push(
      new Registered(this.#watched, this.#faults, bindings, complain),
      new Home(this.#watched, this.#faults, complain),
      new RegisterRate(this.#watched, complain),
      new OneBinding(this.#watched, complain),
      new Calls(this.#watched, complain),
      new Wire(this.#watched, complain),
    );
  }

  #boundsOf(policy: Parameters<typeof boundsOf>[0]): Bounds {
    const { targets, ttlSeconds, network, faults } = this.#plan;
    const quiet = faults.map(({ kind, amount }) => (kind === "refuse-all" ? amount : 0));
    const { timeoutMs, retries } = policy.dns;
    const bounds = boundsOf(policy, {
      targets: (hop) => targets[hop - 1]?.length ?? 1,
      grantedSeconds: 7200,
      ttlSeconds,
      retryAfterSeconds: Math.max(0, ...quiet),
      answerMs: 4 * network.latencyMs[1] + 100,
      callsPerMinute: this.#plan.calls.length + 2,
    });
    // A location that was under way when the resolver came back goes on waiting for what it has asked.
    const location = MOST_QUESTIONS * timeoutMs * (retries + 1);
    return {
      ...bounds,
      registeredMs: bounds.registeredMs + location + GRACE_MS,
      homeMs: bounds.homeMs + location + GRACE_MS,
      callMs: bounds.callMs + location + GRACE_MS,
    };
  }

  #holdsBinding(now: Instant, address: string, user: string): boolean {
    for (const { spec, store } of this.#town.servers) {
      if (spec.address !== address) continue;
      const answer = store.ask({ kind: "store.read", key: `aor/${user}@${DOMAIN}` });
      if (answer.kind !== "stored") return true;
      const seconds = (now + EPOCH_MS) / 1000;
      return decodeBindings(answer.value, seconds).some(({ expires }) => expires > seconds);
    }
    return false;
  }

  #event(event: SimulatedEvent): void {
    for (const invariant of this.#invariants) invariant.event?.(event);
    this.#watch.event?.(event);
  }

  #message(message: SimulatedMessage): void {
    const text = latin1Text(message.bytes);
    if (message.direction === "out") this.#lately.add(message.node);
    for (const invariant of this.#invariants) invariant.message?.(message, text);
    this.#watch.message?.(message);
  }

  #step(now: Instant): void {
    if (now < this.#nextCheck) return;
    this.#nextCheck = now + CHECK_MS;
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
