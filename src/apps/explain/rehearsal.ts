/**
 * One failure, rehearsed in virtual time: the account's own phone among simulated servers, somebody whom it calls, and
 * somebody who asks for it at each server.
 */
import type { Instant } from "../../core/machine.ts";
import type { Account } from "../../core/phone/account.ts";
import type { Call } from "../../core/phone/call.ts";
import type { Phone } from "../../core/phone/phone.ts";
import { type Bounds, boundsOf } from "../../core/redundancy/bounds.ts";
import type { AccountPolicy } from "../../core/redundancy/policy.ts";
import { hostText } from "../../core/server/domains.ts";
import { latin1Text } from "../../worlds/sim/pure-bytes.ts";
import type { SimulatedEvent } from "../../worlds/sim/simulation.ts";
import { dnsPatienceMs, type RuleTeller, simulatedPhone } from "../sim/phone-config.ts";
import { Town, type TownPhones } from "../sim/town.ts";
import { BACK_PORT, domainOf, freeNetwork, type GroundServer, type Grounds } from "./grounds.ts";
import { homeServer, isHome } from "./home.ts";
import { askedServer, ECHO, residentsOf, watcherIndex } from "./residents.ts";

/** How a server fails: its port is closed; nothing comes back; it answers 503 to everything. */
export type FaultName = "closed" | "silent" | "503";

export interface Case {
  readonly account: AccountPolicy;
  readonly rule: RuleTeller;
  readonly grounds: Grounds;
  readonly seed: number;
  /** Silent is a process that hangs: its kernel still takes connections. Else nothing comes from the machine at all. */
  readonly hangs?: boolean | undefined;
}

/** Milliseconds after the failure, or after what is said; Infinity: not within the bound, nor within a day. */
export interface Outage {
  /** Registered at any server that lives. */
  readonly registeredMs: number;
  /** Registered at a working server that lives; undefined: none does. */
  readonly fullServiceMs: number | undefined;
  /** Callers whose server lives do not reach the phone. */
  readonly unreachableMs: number;
  /** After the server is back: requests go to the primary again. */
  readonly backMs: number;
}

/** Milliseconds. */
export interface Absence {
  /** From when the phone has registered elsewhere, and tried in vain to register here, to the return of the servers. */
  readonly absentMs: number;
  /** For that trial it waits so long at most. */
  readonly trialMs: number;
}

export interface Return {
  /** From the failure to the return of the servers, milliseconds, at the least. */
  readonly awayMs: number;
  /** They returned to a phone that had registered elsewhere, be that as late as it may. */
  readonly moved: boolean;
}

export interface CallDelays {
  /** From dialling to the answer, half a second after the failure; Infinity: refused. */
  readonly firstMs: number;
  /** The same a few seconds after the first call. */
  readonly nextMs: number;
  /** What the phone decided, with the reasons. */
  readonly decisions: readonly SimulatedEvent[];
}

/** Where the people stand: the first of these networks that no server is in. */
const NETWORKS = ["10.78", "10.80", "198.19"] as const;
const PHONE_HOST = "0.1";
const OTHERS_HOST = "0.2";
/** A working server that never fails, for those whom the phone calls. */
const DESK_HOST = "0.3";
const LATENCY_MS: readonly [number, number] = [1, 3];
const SETTLED_MS = 20_000;
export const DIALLED_MS = 500;
export const TALK_MS = 1000;
export const BETWEEN_MS = 5000;
const GRACE_MS = 2000;
/** Who asks for the phone believes that it is away after so long without an answer. */
export const ASKED_MS = 5000;
export const FIRST_ASK_MS = 250;
export const ASK_GROWTH = 1.2;
const SELDOM_MS = 60_000;
/** By then a server has noted what it has just accepted. */
const KNOWN_MS = 10;
const ANSWER_MS = 100;
const GRANTED_SECONDS = 7200;
const HOUR_MS = 3_600_000;
/** Waited for no longer: bounds may be of decades, as files allow. */
const LONGEST_MS = 24 * HOUR_MS;

const DECISIONS = new Set(["request.failed-over", "server.fell-back", "server.failed-back"]);

/** The bounds of redundancy.md §10 for the account among these servers. */
export function boundsAmong(account: AccountPolicy, { targets, ttlSeconds }: Grounds): Bounds {
  return boundsOf(account.redundancy, {
    targets: (hop) => targets.get(hop) ?? 1,
    grantedSeconds: GRANTED_SECONDS,
    ttlSeconds,
    retryAfterSeconds: 0,
    answerMs: ANSWER_MS,
    callsPerMinute: 2,
  });
}

export class Rehearsal {
  readonly #case: Case;
  readonly #town: Town;
  readonly #bounds: Bounds;
  readonly #subject: TownPhones;
  readonly #others: TownPhones;
  #registers = 0;
  /** Registrations that were accepted where it is at home. */
  #renewals = 0;
  /** A server in failure has left a REGISTER unanswered or refused it. */
  #triedInVain = false;
  #decisions: SimulatedEvent[] = [];
  #victims: readonly GroundServer[] = [];
  /** Told a moment after each registration. */
  #afterRegistration: () => void = () => undefined;

  /** Everything is up, and the phone has been registered for a while. */
  constructor(one: Case) {
    this.#case = one;
    const { account, grounds, rule, seed } = one;
    const home = homeServer(account.redundancy);
    this.#bounds = boundsAmong(account, grounds);
    this.#town = new Town({
      seed,
      domains: grounds.domains,
      users: undefined,
      renewals: false,
      network: { latencyMs: LATENCY_MS, loss: 0, duplication: 0 },
      onEvent: (event) => {
        if (event.node !== "phone") return;
        if (DECISIONS.has(event.event)) this.#decisions.push(event);
        if (this.#isVain(event)) this.#triedInVain = true;
        if (event.event !== "registration.accepted") return;
        if (event.server === home) this.#renewals += 1;
        this.#afterRegistration();
      },
      onMessage: ({ node, direction, bytes }) => {
        if (node !== "phone" || direction !== "out") return;
        if (latin1Text(bytes.subarray(0, 9)) === "REGISTER ") this.#registers += 1;
      },
    });
    const desk = { name: "desk", address: this.#at(DESK_HOST), port: BACK_PORT } as const;
    this.#town.dns.records = grounds.records;
    const working = { ...desk, role: "working", location: "shared" } as const;
    for (const spec of [working, ...grounds.servers.map((server) => server.spec)]) {
      this.#town.addServer(spec);
      this.#town.startServer(spec.name);
    }
    const address = this.#at(PHONE_HOST);
    const place = { address, port: 5060, answer: "auto", number: 1 } as const;
    const patience = dnsPatienceMs([account]);
    const config = simulatedPhone([account], place, rule);
    this.#subject = this.#town.addPhones("phone", [address], [config], patience);
    this.#others = this.#addOthers();
    for (const { host, machine } of [this.#others, this.#subject]) {
      host.run(() => machine.phones[0]?.start());
    }
    const { simulation } = this.#town;
    simulation.runUntilTrue(() => this.#registered(false), within(this.#bounds.registeredMs));
    simulation.runFor(SETTLED_MS);
  }

  /** Whether it came to a registration at all. */
  get standing(): boolean {
    return this.#registered(false);
  }

  /** Which of the servers the account takes for the primary; undefined: its name came to nothing. */
  get primary(): GroundServer | undefined {
    const address = this.#account.servers.route(1).places[0]?.target.address;
    return this.#case.grounds.servers.find(({ spec }) => spec.address === address);
  }

  /** REGISTERs that the phone sends in an hour, challenges not counted: there are none. */
  registersInAnHour(): number {
    const before = this.#registers;
    this.#town.simulation.runFor(HOUR_MS);
    return this.#registers - before;
  }

  /** Lets time pass, so that the failure meets another phase of renewals and probes. */
  pass(ms: number): void {
    this.#town.simulation.runFor(ms);
  }

  /** Lets time pass until the phone has just renewed its registration where it is at home, so long at most. */
  passToRenewal(ms: number): void {
    const { simulation } = this.#town;
    const before = this.#renewals;
    simulation.runUntilTrue(() => this.#renewals > before, simulation.now + ms);
  }

  strike(victims: readonly GroundServer[], fault: FaultName): void {
    this.#victims = victims;
    for (const { spec } of victims) {
      const server = this.#town.server(spec.name);
      if (fault === "closed") server.host.kill();
      else if (fault === "503") server.host.run(() => server.machine.refuseAll(0));
      else if (this.#case.hangs === true) server.host.freeze();
      else this.#town.simulation.network.partition(spec.name, [spec.address]);
    }
  }

  /** Nobody calls until the phone has found out by itself; so long after that the servers return. */
  outage(fault: FaultName, { absentMs, trialMs }: Absence): Outage {
    const { simulation } = this.#town;
    const started = simulation.now;
    const until = started + within(this.#bounds.registeredMs);
    const asked = this.#askUntilReached(started, until);
    const registeredMs = this.#whenTrue(started, until, () => this.#registered(false));
    const full = this.#fullServersLeft();
    const fullServiceMs = full
      ? this.#whenTrue(started, until, () => this.#registered(true))
      : undefined;
    if (!asked.done) simulation.runUntilTrue(() => asked.done, until);
    simulation.runUntilTrue(() => this.#triedInVain, simulation.now + trialMs);
    simulation.runFor(absentMs);
    return {
      registeredMs,
      fullServiceMs,
      unreachableMs: asked.lastedMs,
      backMs: this.#return(fault),
    };
  }

  /** How long the way home takes once the servers were away for so long, and as it had been met; milliseconds. */
  returnAfter(fault: FaultName, { awayMs, moved }: Return): number {
    const { simulation } = this.#town;
    simulation.runFor(awayMs);
    const until = simulation.now + within(this.#bounds.registeredMs);
    if (moved) simulation.runUntilTrue(() => this.#registered(false), until);
    return this.#return(fault);
  }

  /** Somebody dials half a second after the failure, and again later. */
  calls(): CallDelays {
    const { simulation } = this.#town;
    this.#decisions = [];
    simulation.runFor(DIALLED_MS);
    const firstMs = this.#call();
    simulation.runFor(BETWEEN_MS);
    const nextMs = this.#call();
    return { firstMs, nextMs, decisions: this.#decisions };
  }

  /** An address for somebody who is no server. */
  #at(host: string): string {
    const servers = this.#case.grounds.servers.map(({ spec }) => spec.address);
    return `${freeNetwork(NETWORKS, servers)}.${host}`;
  }

  get #phone(): Phone {
    return this.#subject.machine.phones[0] as Phone;
  }

  get #account(): Account {
    return this.#phone.accounts[0] as Account;
  }

  #call(): number {
    const { simulation } = this.#town;
    const dialled = simulation.now;
    const placed: (Call | undefined)[] = [];
    this.#subject.host.run(() => {
      placed.push(this.#phone.call(ECHO));
    });
    const call = placed[0];
    if (call === undefined) return Number.POSITIVE_INFINITY;
    const settled = (): boolean => call.state === "confirmed" || call.state === "terminated";
    simulation.runUntilTrue(settled, dialled + within(this.#bounds.callMs));
    if (call.state !== "confirmed") return Number.POSITIVE_INFINITY;
    const tookMs = simulation.now - dialled;
    simulation.runFor(TALK_MS);
    this.#subject.host.run((now) => call.hangUp(now));
    simulation.runFor(TALK_MS);
    return tookMs;
  }

  #return(fault: FaultName): number {
    const { simulation } = this.#town;
    for (const { spec } of this.#victims) {
      const server = this.#town.server(spec.name);
      if (fault === "closed") this.#town.startServer(spec.name);
      else if (fault === "503") server.host.run(() => server.machine.refuseAll(undefined));
      else if (this.#case.hangs === true) server.host.thaw();
      else simulation.network.heal(spec.name);
    }
    const { homeMs } = this.#bounds;
    if (!Number.isFinite(homeMs)) return homeMs;
    const started = simulation.now;
    return this.#whenTrue(started, started + within(homeMs), () => isHome(this.#account));
  }

  #whenTrue(started: Instant, until: Instant, done: () => boolean): number {
    const { simulation } = this.#town;
    const came = simulation.runUntilTrue(done, until);
    return came ? simulation.now - started : Number.POSITIVE_INFINITY;
  }

  /** @param full at a working server. */
  #registered(full: boolean): boolean {
    const dead = new Set(this.#victims.map(({ spec }) => spec.address));
    const { now } = this.#town.simulation;
    return this.#account.servers.routes.some((route) => {
      if (full && route.policy.features !== "full") return false;
      const registration = this.#account.registration(route.index);
      const address = registration?.place?.target.address;
      return registration?.bound(now) === true && address !== undefined && !dead.has(address);
    });
  }

  #isVain({ event, method, target: to }: SimulatedEvent): boolean {
    if (event !== "attempt.failed" || method !== "REGISTER") return false;
    const target = String(to);
    return this.#victims.some(({ spec }) => target.includes(`:${hostText(spec.address)}:`));
  }

  /** By address: a drill has found its victims before it knew all of the grounds. */
  #fails({ spec }: GroundServer): boolean {
    return this.#victims.some((victim) => victim.spec.address === spec.address);
  }

  #fullServersLeft(): boolean {
    return this.#case.grounds.servers.some(
      (server) => server.spec.role === "working" && !this.#fails(server),
    );
  }

  /** Asks for the phone where people do, more and more rarely, and after each registration. */
  #askUntilReached(started: Instant, until: Instant): { done: boolean; lastedMs: number } {
    const asked = { done: false, lastedMs: Number.POSITIVE_INFINITY };
    const { simulation } = this.#town;
    const ask = (): void => {
      const waitedMs = simulation.now - started;
      if (asked.done || waitedMs > until - started) return;
      this.#ask((reached) => {
        if (!reached || asked.done) return;
        asked.done = true;
        asked.lastedMs = waitedMs <= FIRST_ASK_MS ? 0 : waitedMs;
      });
    };
    const again = (waitMs: number): void => {
      ask();
      const next = Math.min(waitMs * ASK_GROWTH, SELDOM_MS);
      if (!asked.done && simulation.now < until) simulation.after(next, () => again(next));
    };
    simulation.after(FIRST_ASK_MS, () => again(FIRST_ASK_MS));
    this.#afterRegistration = () => simulation.after(KNOWN_MS, ask);
    return asked;
  }

  #ask(answered: (reached: boolean) => void): void {
    const { account, grounds } = this.#case;
    const server = askedServer(account, grounds.servers, (one) => !this.#fails(one));
    const policy = account.redundancy.servers[(server?.server ?? 1) - 1];
    if (server === undefined || policy === undefined) return;
    const watcher = watcherIndex(grounds.servers.indexOf(server));
    let open = true;
    const told = (reached: boolean): void => {
      if (open) answered(reached);
      open = false;
    };
    this.#others.host.run((now) => {
      const to = `sip:${account.user}@${domainOf(account, policy)}`;
      const asked = { method: "OPTIONS", to, headers: [], body: "", account: watcher };
      this.#others.machine.phones[0]?.send(now, asked, {
        final: (_at, { status }) => told(status < 300),
        failed: () => told(false),
      });
    });
    this.#town.simulation.after(ASKED_MS, () => told(false));
  }

  #addOthers(): TownPhones {
    const { account, grounds } = this.#case;
    const address = this.#at(OTHERS_HOST);
    const place = { address, port: 5060, answer: "auto", number: 2 } as const;
    const accounts = residentsOf(account, grounds, this.#at(DESK_HOST));
    return this.#town.addPhones("others", [address], [simulatedPhone(accounts, place)]);
  }
}

function within(boundMs: number): number {
  return Math.min(boundMs + GRACE_MS, LONGEST_MS);
}
