/** The phones of a swarm: processes that make calls, take them, and now and then lose their power. */
import type { Instant } from "../../../core/machine.ts";
import type { Call } from "../../../core/phone/call.ts";
import type { Phone } from "../../../core/phone/phone.ts";
import type { PhoneConfig } from "../../../core/phone/phone-config.ts";
import type { AccountPolicy } from "../../../core/redundancy/policy.ts";
import type { SimulatedEvent } from "../../../worlds/sim/simulation.ts";
import { dnsPatienceMs, simulatedPhone } from "../phone-config.ts";
import type { Town, TownPhones } from "../town.ts";
import { accountsByPhone, type PlannedCall, type PlannedRestart, type SwarmPlan } from "./plan.ts";

/** The callee puts a call on hold so long after the caller. */
const HOLD_APART_MS = 150;
/** A call on hold is resumed so long before it is hung up. */
const LAST_WORDS_MS = 1000;

/** One account of the swarm, and where it is. */
interface Resident {
  /** Also the name of its account. */
  readonly user: string;
  /** Of its phone. */
  readonly number: number;
  /** On that phone, 1-based. */
  readonly index: number;
}

/** Told of a phone's death, and of the one that stands in its place. */
export interface Obituaries {
  died(now: Instant, number: number): void;
  reborn(now: Instant, number: number, phone: Phone): void;
}

export class SwarmPhones {
  readonly #town: Town;
  readonly #plan: SwarmPlan;
  /** By number. One that has died leaves its place to the next. */
  readonly all: TownPhones[] = [];
  readonly #configs: PhoneConfig[] = [];
  /** By number of account. */
  readonly #residents: readonly Resident[];
  /** Call-IDs by `USER CALL`, and the other way round. */
  readonly #callIds = new Map<string, string>();
  readonly #callNumbers = new Map<string, number>();

  constructor(town: Town, plan: SwarmPlan) {
    this.#town = town;
    this.#plan = plan;
    const lists = accountsByPhone(plan);
    this.#residents = plan.accounts.map(({ user }, at) => {
      const number = plan.phones[at] ?? 0;
      return { user, number, index: (lists[number]?.indexOf(at) ?? 0) + 1 };
    });
  }

  /** Puts them up; none is started. */
  settle(): void {
    const { accounts, ringMs } = this.#plan;
    const answer = ringMs === 0 ? "auto" : "ring";
    for (const [number, list] of accountsByPhone(this.#plan).entries()) {
      const address = `10.9.0.${number + 1}`;
      const own = list.map((at, position) => ({
        ...(accounts[at] as AccountPolicy),
        index: position + 1,
      }));
      const config = simulatedPhone(own, { address, port: 5060, answer, number });
      this.#configs.push(config);
      const name = own[0]?.user ?? "";
      this.all.push(this.#town.addPhones(name, [address], [config], dnsPatienceMs(own)));
    }
  }

  start(): void {
    for (const { host, machine } of this.all) {
      host.run(() => {
        for (const phone of machine.phones) phone.start();
      });
    }
  }

  /** It is back when the storm is over, at the latest. */
  planRestart({ atMs, forMs, phone }: PlannedRestart, obituaries: Obituaries): void {
    const { simulation } = this.#town;
    simulation.after(atMs, () => {
      const { host } = this.#at(phone);
      if (host.state === "down") return;
      host.kill();
      obituaries.died(simulation.now, phone);
      const awayMs = Math.min(forMs, this.#plan.stormMs - atMs);
      simulation.after(awayMs, () => this.#boot(phone, obituaries));
    });
  }

  call({ from, to, forMs, holdMs }: PlannedCall): void {
    const caller = this.phoneOf(from);
    if (!this.#lives(caller)) return;
    const call = this.place(from, to);
    if (call === undefined) return;
    const callee = this.phoneOf(to);
    const later = (who: TownPhones, afterMs: number, what: (now: Instant) => void): void =>
      this.#town.simulation.after(afterMs, () => {
        if (this.#lives(who)) who.host.run(what);
      });
    later(caller, forMs, (now) => call.hangUp(now));
    if (holdMs === undefined) return;
    const ends = [
      { who: caller, its: () => call },
      { who: callee, its: () => this.callAt(to, from, call) },
    ];
    ends.forEach(({ who, its }, turn) => {
      later(who, holdMs + turn * HOLD_APART_MS, (now) => its()?.hold(now));
      later(who, forMs - LAST_WORDS_MS, (now) => its()?.resume(now));
    });
  }

  /** The other end of a call that one account has placed to another. */
  callAt(to: number, from: number, { id }: Call): Call | undefined {
    const callId = this.#callIds.get(`${this.#resident(from).user} ${id}`);
    const number = this.#callNumbers.get(`${this.#resident(to).user} ${callId}`) ?? 0;
    return this.phoneOf(to).machine.phones[0]?.callNumbered(number);
  }

  /** From one account to another. */
  place(from: number, to: number): Call | undefined {
    const { host, machine } = this.phoneOf(from);
    const placed: Call[] = [];
    host.run(() => {
      const { index } = this.#resident(from);
      const call = machine.phones[0]?.call(this.#resident(to).user, index);
      if (call !== undefined) placed.push(call);
    });
    return placed[0];
  }

  /** The phone that an account is on. */
  phoneOf(account: number): TownPhones {
    return this.#at(this.#resident(account).number);
  }

  /** A call has begun somewhere. */
  began({ account, call, callId }: SimulatedEvent): void {
    this.#callIds.set(`${account} ${call}`, String(callId));
    this.#callNumbers.set(`${account} ${callId}`, Number(call));
  }

  /** Somebody takes an incoming call after a while. */
  answerAfter(ms: number, { node, call }: SimulatedEvent): void {
    const phone = this.all.find(({ name }) => name === node);
    if (phone === undefined) return;
    this.#town.simulation.after(ms, () => {
      if (!this.#lives(phone)) return;
      phone.host.run((now) => phone.machine.phones[0]?.callNumbered(Number(call))?.answer(now));
    });
  }

  #boot(number: number, obituaries: Obituaries): void {
    const config = this.#configs[number] as PhoneConfig;
    const phones = this.#town.bootPhones(this.#at(number), [config]);
    const phone = phones.machine.phones[0] as Phone;
    this.all[number] = phones;
    obituaries.reborn(this.#town.simulation.now, number, phone);
    phones.host.run(() => phone.start());
  }

  #resident(account: number): Resident {
    return this.#residents[account] as Resident;
  }

  #at(number: number): TownPhones {
    return this.all[number] as TownPhones;
  }

  /** Whether the process is the one that stands there now. */
  #lives({ machine, host }: TownPhones): boolean {
    return host.state !== "down" && this.all.some((one) => one.machine === machine);
  }
}
