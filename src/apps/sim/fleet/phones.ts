/**
 * The phones of a fleet, as their machine is told of them. They differ by a number only, and there may be a million:
 * each is that number, and the plan that all of them share.
 */
import { silence } from "../../../core/media/tones.ts";
import type { AnswerMode, PhoneConfig } from "../../../core/phone/phone-config.ts";
import type { AccountPolicy, RedundancyPolicy } from "../../../core/redundancy/policy.ts";
import type { Directory, User } from "../../../core/server/users.ts";
import type { AddressBlock } from "../../../worlds/sim/addresses.ts";
import { instanceOf, type RuleTeller, SUPPORTED } from "../phone-config.ts";
import type { FleetPlan } from "./plan.ts";

/** Every phone has a machine of its own. */
const PORT = 5060;

/** What all phones of a fleet have in common. */
export interface FleetKind {
  readonly plan: FleetPlan;
  readonly addresses: FleetAddresses;
  readonly rule: RuleTeller;
}

export function* fleetPhones(kind: FleetKind): Generator<PhoneConfig> {
  for (let number = 0; number < kind.plan.phones; number += 1) yield new FleetPhone(kind, number);
}

/** The phone and its one account: what they have in common with all others is read from the plan. */
class FleetPhone implements PhoneConfig, AccountPolicy {
  readonly #kind: FleetKind;
  readonly #number: number;

  constructor(kind: FleetKind, number: number) {
    this.#kind = kind;
    this.#number = number;
  }

  get bindAddress(): string {
    return this.#kind.addresses.at(this.#number);
  }

  get accounts(): readonly AccountPolicy[] {
    return [this];
  }

  get localPort(): number {
    return PORT;
  }

  get answer(): AnswerMode {
    return "auto";
  }

  get recordedSamples(): number {
    return 0;
  }

  get audioSource(): typeof silence {
    return silence;
  }

  get userAgent(): string {
    return "Dialtone";
  }

  get instance(): string {
    return instanceOf(this.#number);
  }

  get supported(): PhoneConfig["supported"] {
    return SUPPORTED;
  }

  get rule(): RuleTeller {
    return this.#kind.rule;
  }

  get user(): string {
    return userName(this.#kind.plan, this.#number);
  }

  get authName(): string {
    return this.user;
  }

  get enabled(): boolean {
    return true;
  }

  get index(): number {
    return this.#kind.plan.account.index;
  }

  get redundancy(): RedundancyPolicy {
    return this.#kind.plan.account.redundancy;
  }

  get domain(): AccountPolicy["domain"] {
    return this.#kind.plan.account.domain;
  }

  get displayName(): AccountPolicy["displayName"] {
    return this.#kind.plan.account.displayName;
  }

  get password(): AccountPolicy["password"] {
    return this.#kind.plan.account.password;
  }

  get unregisterOnStart(): AccountPolicy["unregisterOnStart"] {
    return this.#kind.plan.account.unregisterOnStart;
  }

  get messageWaiting(): AccountPolicy["messageWaiting"] {
    return this.#kind.plan.account.messageWaiting;
  }

  get colleagues(): AccountPolicy["colleagues"] {
    return this.#kind.plan.account.colleagues;
  }

  get presenceOf(): AccountPolicy["presenceOf"] {
    return this.#kind.plan.account.presenceOf;
  }

  get watchExpiresSeconds(): AccountPolicy["watchExpiresSeconds"] {
    return this.#kind.plan.account.watchExpiresSeconds;
  }

  get publishPresence(): AccountPolicy["publishPresence"] {
    return this.#kind.plan.account.publishPresence;
  }

  get subscribeRegistration(): AccountPolicy["subscribeRegistration"] {
    return this.#kind.plan.account.subscribeRegistration;
  }

  get subscribeExpiresSeconds(): AccountPolicy["subscribeExpiresSeconds"] {
    return this.#kind.plan.account.subscribeExpiresSeconds;
  }

  get subscribeOverlapSeconds(): AccountPolicy["subscribeOverlapSeconds"] {
    return this.#kind.plan.account.subscribeOverlapSeconds;
  }

  get subscribeRetryMs(): AccountPolicy["subscribeRetryMs"] {
    return this.#kind.plan.account.subscribeRetryMs;
  }

  get reliableProvisionals(): AccountPolicy["reliableProvisionals"] {
    return this.#kind.plan.account.reliableProvisionals;
  }

  get sessionTimer(): AccountPolicy["sessionTimer"] {
    return this.#kind.plan.account.sessionTimer;
  }

  get sessionExpiresSeconds(): AccountPolicy["sessionExpiresSeconds"] {
    return this.#kind.plan.account.sessionExpiresSeconds;
  }

  get sessionRefresher(): AccountPolicy["sessionRefresher"] {
    return this.#kind.plan.account.sessionRefresher;
  }
}

/** Of the phone of that number, from 0. */
export function userName({ firstUser }: FleetPlan, number: number): string {
  return String(firstUser + number);
}

const NO_SECRETS: User["ha1"] = {};
const NO_GROUPS: User["groups"] = [];

/** What the servers know of them, made when it is asked for. */
export class FleetUsers implements Directory {
  readonly #plan: FleetPlan;

  constructor(plan: FleetPlan) {
    this.#plan = plan;
  }

  get size(): number {
    return this.#plan.phones;
  }

  get(name: string): User | undefined {
    const number = Number(name) - this.#plan.firstUser;
    const own = userName(this.#plan, number);
    if (!(number >= 0 && number < this.size) || own !== name) return undefined;
    const { password } = this.#plan.account;
    return { name: own, password, voicemail: undefined, ha1: NO_SECRETS, groups: NO_GROUPS };
  }
}

/** In 10.64.0.0 and above; in 100.64.0.0 and above where a server stands among them. */
const NETWORK = 10 * 256 + 64;
const OTHER_NETWORK = 100 * 256 + 64;
/** The last byte is never 0 or 255. */
const LAST_BYTES = 254;
const DOT = 46;
const ZERO = 48;

/** Of the phone of that number, from 0: 12 million fit. */
export function phoneAddress(number: number, network: number = NETWORK): string {
  const rest = network * 256 + Math.floor(number / LAST_BYTES);
  return [rest >> 16, (rest >> 8) & 255, rest & 255, (number % LAST_BYTES) + 1].join(".");
}

/** One for each phone. */
export class FleetAddresses implements AddressBlock {
  readonly #count: number;
  readonly #network: number;

  /** @param servers their addresses, where no phone can be. */
  constructor(count: number, servers: readonly string[] = []) {
    this.#count = count;
    this.#network = servers.some((one) => isAmong(one, NETWORK, count)) ? OTHER_NETWORK : NETWORK;
  }

  at(number: number): string {
    return phoneAddress(number, this.#network);
  }

  has(address: string): boolean {
    return isAmong(address, this.#network, this.#count);
  }
}

function isAmong(address: string, network: number, count: number): boolean {
  const value = numberOf(address);
  const last = value % 256;
  const rest = Math.floor(value / 256) - network * 256;
  if (rest < 0 || last === 0 || last > LAST_BYTES) return false;
  return rest * LAST_BYTES + last <= count;
}

/** Of an IPv4 address as a number; -1: it is none. */
function numberOf(address: string): number {
  let value = 0;
  let part = 0;
  let dots = 0;
  for (let index = 0; index < address.length; index += 1) {
    const code = address.charCodeAt(index);
    if (code === DOT) {
      value = value * 256 + part;
      part = 0;
      dots += 1;
    } else if (code >= ZERO && code < ZERO + 10) part = part * 10 + code - ZERO;
    else return -1;
  }
  return dots === 3 ? value * 256 + part : -1;
}
