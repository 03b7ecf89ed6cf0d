/** What one phone knows of its targets, how it comes to know it, and what it tells of that. */
import type { Instant, Target } from "../machine.ts";
import { type HealthListener, type ServerHealth, targetName } from "../redundancy/server-health.ts";
import type { Timers } from "../timers.ts";
import type { TraceEvent } from "../vocabulary.ts";
import type { Account } from "./account.ts";
import { BackgroundProbes } from "./background-probes.ts";

export interface ProbingPhone {
  readonly health: ServerHealth;
  readonly accounts: readonly Account[];
  readonly timers: Timers;
  readonly state: "binding" | "running" | "stopping" | "stopped";
  report(event: TraceEvent): void;
}

export class PhoneHealth implements HealthListener {
  readonly #phone: ProbingPhone;
  /** Made when the first target is suspected. */
  #probes: BackgroundProbes | undefined;

  constructor(phone: ProbingPhone) {
    this.#phone = phone;
  }

  suspected(now: Instant, target: Target, why: string): void {
    this.#phone.report({ event: "server.suspected", target: targetName(target), why });
    if (this.#phone.state !== "running") return;
    this.#probes ??= new BackgroundProbes({
      timers: this.#phone.timers,
      health: this.#phone.health,
      probers: this.#phone.accounts.map((account) => account.probes),
    });
    this.#probes.suspected(now, target);
  }

  restored(_now: Instant, target: Target): void {
    this.#phone.report({ event: "server.restored", target: targetName(target) });
    this.#probes?.restored(target);
  }

  passedOver(now: Instant, target: Target): void {
    this.#probes?.passedOver(now, target);
  }

  /** Nothing is known that needs watching. */
  get idle(): boolean {
    return this.#probes?.idle ?? true;
  }

  stop(): void {
    this.#probes?.stop();
  }
}
