/** The phones of a simulated stage: processes that start, stop, lose their power and come back. */
import { ruleTeller } from "../../api/rule-teller.ts";
import type { Phone } from "../../core/phone/phone.ts";
import type { PhoneConfig } from "../../core/phone/phone-config.ts";
import { readConfiguration } from "../../core/provisioning/read.ts";
import type { SimulatedHost } from "../../worlds/sim/simulated-host.ts";
import { type Block, loopbackBlock } from "../lab/addresses.ts";
import { fillPlaceholders } from "../scenario/placeholders.ts";
import type { Fate, PhoneCommand, PhonePlan } from "../scenario/scenario.ts";
import { StageFault } from "../scenario/stage.ts";
import { dnsPatienceMs, simulatedPhone } from "./phone-config.ts";
import type { Town, TownPhones } from "./town.ts";

/** Processes have so long to end, in milliseconds. */
export const GRACE_MS = 4_000;
/** Addresses are those of the lab's first block. */
export const BLOCK: Block = loopbackBlock(0);

export class StagePhones {
  readonly #town: () => Town;
  readonly #placeholders: ReadonlyMap<string, string>;
  readonly #phones = new Map<string, TownPhones>();
  readonly #configs = new Map<string, PhoneConfig>();
  /** Those that were killed, and have not come back: what they held is gone with them. */
  readonly #dead = new Set<string>();

  constructor(town: () => Town, placeholders: ReadonlyMap<string, string>) {
    this.#town = town;
    this.#placeholders = placeholders;
  }

  get names(): readonly string[] {
    return [...this.#phones.keys()];
  }

  /** Those that have ended and hold something yet. */
  get left(): readonly string[] {
    return [...this.#phones.values()].flatMap(({ name, machine }) =>
      machine.holdings > 0 && !this.#dead.has(name) ? name : [],
    );
  }

  hostOf(name: string): SimulatedHost | undefined {
    return this.#phones.get(name)?.host;
  }

  /** @throws StageFault when its files have no account. */
  start(plan: PhonePlan, index: number): Phone {
    const { host, machine } = this.#booted(plan.name) ?? this.#add(plan, index);
    const phone = machine.phones[0];
    if (phone === undefined) throw new StageFault(`${plan.name} has no account`);
    host.run(() => phone.start());
    return phone;
  }

  /** In order: they hang up and unregister, and are waited for. */
  stop(names: readonly string[]): void {
    const stopping = names
      .flatMap((name) => this.#phones.get(name) ?? [])
      .filter(({ host }) => host.state !== "down");
    for (const { host, machine } of stopping) {
      host.thaw();
      host.run((now) => {
        for (const phone of machine.phones) phone.stop(now);
      });
    }
    const { simulation } = this.#town();
    const atRest = (): boolean =>
      stopping.every(({ machine }) => machine.phones.every((phone) => phone.atRest));
    simulation.runUntilTrue(atRest, simulation.now + GRACE_MS);
    for (const { host, machine } of stopping) {
      host.run(() => machine.close());
      host.kill();
    }
  }

  /** @returns false: it is to come back, and is not there any more. */
  befall(name: string, kind: Fate["kind"]): boolean {
    const host = this.hostOf(name);
    if (kind === "revive") {
      if (host === undefined || host.state === "down") return false;
      host.thaw();
    } else if (kind === "kill") {
      host?.kill();
      this.#dead.add(name);
    } else if (kind === "stop") this.stop([name]);
    else host?.freeze();
    return true;
  }

  /** @param callee of a call. */
  command(name: string, command: PhoneCommand, callee: string): void {
    const phones = this.#phones.get(name);
    const phone = phones?.machine.phones[0];
    if (phones === undefined || phone === undefined) return;
    phones.host.run((now) => {
      if (command.kind === "call") phone.call(callee);
      else phone[command.kind](now);
    });
  }

  #add(plan: PhonePlan, index: number): TownPhones {
    const { address, port } = BLOCK.phone(index);
    const values = new Map(this.#placeholders)
      .set("user", plan.user)
      .set("password", plan.password);
    const files = plan.files.map(({ name, text }) => ({
      name,
      text: fillPlaceholders(text, values),
    }));
    const configuration = readConfiguration(files);
    const place = { address, port, answer: plan.answer, number: index };
    const { accounts } = configuration;
    const config = simulatedPhone(accounts, place, ruleTeller(configuration));
    const patience = dnsPatienceMs(accounts);
    const phones = this.#town().addPhones(plan.name, [address], [config], patience);
    this.#phones.set(plan.name, phones);
    this.#configs.set(plan.name, config);
    return phones;
  }

  /** A new process where one has ended; undefined: there was none yet. */
  #booted(name: string): TownPhones | undefined {
    const known = this.#phones.get(name);
    const config = this.#configs.get(name);
    if (known?.host.state !== "down" || config === undefined) return known;
    const phones = this.#town().bootPhones(known, [config]);
    this.#phones.set(name, phones);
    this.#dead.delete(name);
    return phones;
  }
}
