/** What is counted while a fleet runs: REGISTERs at each server by the second, who is served, what becomes of calls. */
import type { Instant } from "../../../core/machine.ts";
import type { TraceEvent } from "../../../core/vocabulary.ts";
import type { SimulatedMessage } from "../../../worlds/sim/surroundings.ts";

/** "REGISTER " */
const REGISTER = [82, 69, 71, 73, 83, 84, 69, 82, 32];

/** A server, 1-based, where an account is registered, by its address. */
interface RegisteredPlace {
  readonly server: number;
  readonly address: string;
}

/** All that one account is registered at. */
type Whereabouts = readonly RegisteredPlace[];

const NOWHERE: Whereabouts = [];

export interface CallTally {
  placed: number;
  answered: number;
  /** Neither answered nor refused by somebody who was reached, or cut off later. */
  lost: number;
}

/** Its users are numbers, one after the other. */
export interface TalliedFleet {
  readonly phones: number;
  readonly firstUser: number;
}

export class Tally {
  readonly calls: CallTally = { placed: 0, answered: 0, lost: 0 };
  readonly #seconds: number;
  readonly #registers = new Map<string, Uint32Array>();
  readonly #served: Uint32Array;
  /** Where an account can be: few, however many accounts there are, since servers are few. */
  readonly #whereabouts: Whereabouts[] = [NOWHERE];
  readonly #numbers = new Map<string, number>([["", 0]]);
  /** Which of these, by the number of the phone. */
  readonly #places: Uint16Array;
  readonly #firstUser: number;
  readonly #addresses = new Map<string, string>();
  /** Addresses of servers that do not serve now. */
  readonly #down = new Set<string>();
  /** Calls that are on, by whoever placed them, and whether they have been answered. */
  readonly #outgoing = new Map<string, boolean>();
  #servedNow = 0;
  #lastSecond = 0;

  constructor(seconds: number, servers: readonly string[], fleet: TalliedFleet) {
    this.#places = new Uint16Array(fleet.phones);
    this.#firstUser = fleet.firstUser;
    this.#seconds = seconds + 1;
    this.#served = new Uint32Array(this.#seconds);
    for (const server of servers) this.#registers.set(server, new Uint32Array(this.#seconds));
  }

  /** Accounts that are registered at a server that serves. */
  get servedNow(): number {
    return this.#servedNow;
  }

  /** By the second. */
  get served(): Uint32Array {
    return this.#served;
  }

  registersAt(server: string): Uint32Array {
    return this.#registers.get(server) ?? new Uint32Array(0);
  }

  /** What happened until now is written down for the seconds gone by. */
  passed(now: Instant): void {
    const second = Math.min(this.#seconds - 1, Math.floor(now / 1000));
    while (this.#lastSecond <= second) {
      this.#served[this.#lastSecond] = this.#servedNow;
      this.#lastSecond += 1;
    }
  }

  message({ at, node, direction, bytes }: SimulatedMessage): void {
    if (direction !== "in") return;
    const counts = this.#registers.get(node);
    if (counts === undefined || !isRegister(bytes)) return;
    const second = Math.floor(at / 1000);
    counts[second] = (counts[second] ?? 0) + 1;
  }

  event(event: TraceEvent): void {
    const account = event.account;
    if (account === undefined) return;
    const user = String(account);
    switch (event.event) {
      case "registration.accepted":
        this.#moved(user, Number(event.server), String(event.target));
        break;
      case "registration.failed":
      case "registration.removed":
        this.#moved(user, Number(event.server), undefined);
        break;
      case "call.started":
        if (event.direction !== "outgoing") break;
        this.calls.placed += 1;
        this.#outgoing.set(`${user} ${event.call}`, false);
        break;
      case "call.answered":
        this.#answered(`${user} ${event.call}`);
        break;
      case "call.ended":
        this.#ended(`${user} ${event.call}`, String(event.why), Number(event.status ?? 0));
        break;
    }
  }

  /** A server serves from now on, or does not. */
  serves(address: string, does: boolean): void {
    if (does) this.#down.delete(address);
    else this.#down.add(address);
    this.#servedNow = 0;
    const served = this.#whereabouts.map((places) => Number(this.#isServed(places)));
    for (const places of this.#places) this.#servedNow += served[places] as number;
  }

  #moved(user: string, server: number, target: string | undefined): void {
    const phone = Number(user) - this.#firstUser;
    const before = this.#whereabouts[this.#places[phone] ?? 0] ?? NOWHERE;
    const known = before.find((place) => place.server === server);
    const address = target === undefined ? undefined : this.#addressOf(target);
    if (known?.address === address) return;
    const others = before.filter((place) => place !== known);
    const after = address === undefined ? others : [{ server, address }, ...others];
    this.#places[phone] = this.#numberOf(after);
    this.#servedNow += Number(this.#isServed(after)) - Number(this.#isServed(before));
  }

  #numberOf(places: Whereabouts): number {
    const name = places.map(({ server, address }) => `${server} ${address}`).join();
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#numbers.set(name, this.#whereabouts.length);
    return this.#whereabouts.push(places) - 1;
  }

  #isServed(places: Whereabouts): boolean {
    return places.some(({ address }) => !this.#down.has(address));
  }

  /** `udp:10.0.0.13:5060` → `10.0.0.13`, one text for all. */
  #addressOf(target: string): string {
    const known = this.#addresses.get(target);
    if (known !== undefined) return known;
    const address = target.replace(/^\w+:/, "").replace(/:\d+$/, "");
    this.#addresses.set(target, address);
    return address;
  }

  #answered(call: string): void {
    if (this.#outgoing.get(call) !== false) return;
    this.#outgoing.set(call, true);
    this.calls.answered += 1;
  }

  /** Busy, declined and hung up are answers of people; the rest is ours. */
  #ended(call: string, why: string, status: number): void {
    const answered = this.#outgoing.get(call);
    if (answered === undefined) return;
    this.#outgoing.delete(call);
    const wanted = why === "hung-up" || why === "peer-hung-up" || why === "cancelled";
    const refused = why === "rejected" && (status === 486 || status === 603);
    if (wanted || (refused && !answered)) return;
    this.calls.lost += 1;
  }
}

function isRegister(bytes: Uint8Array): boolean {
  for (let index = 0; index < REGISTER.length; index += 1) {
    if (bytes[index] !== REGISTER[index]) return false;
  }
  return true;
}
