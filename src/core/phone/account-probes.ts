/** What an account asks its places by OPTIONS: before a return, of a standing registration, for the health of all. */
import type { Instant, Target } from "../machine.ts";
import type { Entropy } from "../primitives.ts";
import type { RedundancyPolicy } from "../redundancy/policy.ts";
import type { Place, ServerSet } from "../redundancy/server-set.ts";
import type { AnsweringTargets } from "./answering-targets.ts";
import type { HealthProber } from "./background-probes.ts";
import { OptionsProbes, type ProbingAccount, type Verdict } from "./options-probe.ts";

export interface AskingAccount extends ProbingAccount {
  readonly servers: ServerSet;
}

type Told = (now: Instant, verdict: Verdict) => void;

export class AccountProbes implements HealthProber {
  readonly #account: AskingAccount;
  readonly #answering: AnsweringTargets;
  /** There while some are on their way. */
  #probes: OptionsProbes | undefined;

  constructor(account: AskingAccount, answering: AnsweringTargets) {
    this.#account = account;
    this.#answering = answering;
  }

  get policy(): RedundancyPolicy {
    return this.#account.policy;
  }

  get entropy(): Entropy {
    return this.#account.entropy;
  }

  /** @param at a place, or the first place of a server, 1-based. */
  ask(now: Instant, at: Place | number, told: Told): void {
    if (typeof at !== "number") {
      this.#send(now, at, told);
      return;
    }
    const route = this.#account.servers.route(at);
    this.#account.resolve(now, route, (later) => {
      const place = route.places[0];
      if (place === undefined) told(later, "dead");
      else this.#send(later, place, told);
    });
  }

  placeOf(target: Target): Place | undefined {
    return this.#account.servers.placeOf(target);
  }

  /** Nobody wants to know any more. */
  drop(now: Instant | undefined): void {
    this.#probes?.drop(now);
  }

  #send(now: Instant, place: Place, told: Told): void {
    this.#probes ??= new OptionsProbes(this.#account, this.#answering);
    this.#probes.send(now, this.#account.servers.route(place.server), place, (at, verdict) => {
      if (this.#probes?.idle === true) this.#probes = undefined;
      told(at, verdict);
    });
  }
}
