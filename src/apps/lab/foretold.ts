/** What `dialtone explain` foretells of the files that the lab is about to try. */
import { setImmediate as others } from "node:timers/promises";
import { ruleTeller } from "../../api/rule-teller.ts";
import type { SourceFile } from "../../core/provisioning/configuration.ts";
import { readConfiguration } from "../../core/provisioning/read.ts";
import type { AccountPolicy } from "../../core/redundancy/policy.ts";
import { type Grounds, groundsOf } from "../explain/grounds.ts";
import {
  type Prediction,
  predictionsFor,
  type RehearsalRequest,
  returnOf,
  type Spread,
  shuffledPhases,
  spreadOf,
  trialPeriodMs,
  type Victim,
  victimsOf,
} from "../explain/predict.ts";
import type { FaultName } from "../explain/rehearsal.ts";
import { StageFault } from "../scenario/stage.ts";
import type { Absence } from "./trial.ts";

export interface FilesCase {
  /** As they are overlaid. */
  readonly files: readonly SourceFile[];
  /** The account's index; undefined: the first that is enabled. */
  readonly account: number | undefined;
  readonly faults: readonly FaultName[];
  /** Addresses behind the name of the working server, and the TTL of its records, where no static record tells. */
  readonly targets: number;
  readonly ttlSeconds: number;
  /** Rehearsals of each failure. */
  readonly phases: number;
  readonly seed: number;
  /** What is foretold to take longer is not waited for, milliseconds. */
  readonly withinMs: number;
}

/** Ways home that are rehearsed once it is known how long the server was away: chance has a part in them. */
const RETURNS = 20;
/** … and so many when the one measured is none of those: a back-off that is drawn twice is seldom drawn long twice. */
const MORE_RETURNS = 200;

/** Ways home, and what may lie unrehearsed beyond them, milliseconds. */
export interface Homecomings extends Spread {
  readonly gap: number;
}

export class Foretold {
  readonly account: AccountPolicy;
  readonly grounds: Grounds;
  /** Rehearsals of each failure. */
  readonly phases: number;
  readonly predictions: readonly Prediction[];
  readonly #request: RehearsalRequest;
  readonly #victim: Victim;

  /** @throws StageFault if there is no such account, or no server. */
  constructor(one: FilesCase) {
    const configuration = readConfiguration(one.files);
    const account = configuration.accounts.find(
      ({ enabled, index }) => enabled && (one.account === undefined || one.account === index),
    );
    if (account === undefined) throw new StageFault("the files have no such account, or it is off");
    this.account = account;
    this.grounds = groundsOf(account, one);
    this.phases = one.phases;
    const [victim] = victimsOf(this.grounds);
    if (victim === undefined) throw new StageFault("the files name no server");
    this.#victim = victim;
    // The lab freezes processes, whose kernels go on.
    this.#request = { ...one, account, rule: ruleTeller(configuration), hangs: true };
    this.predictions = predictionsFor(this.#request, this.grounds, victim, one.faults);
  }

  /**
   * The way home after the server was away for so long, from the latest end of that; others get their turn.
   * @param enough whether these are, or more are wanted.
   */
  async back(
    fault: FaultName,
    away: Absence,
    enough: (back: Homecomings) => boolean,
  ): Promise<Homecomings> {
    const some = await this.#rehearsed(fault, away, RETURNS);
    return enough(some) ? some : await this.#rehearsed(fault, away, MORE_RETURNS);
  }

  async #rehearsed(
    fault: FaultName,
    { leastMs, worstMs, moved }: Absence,
    returns: number,
  ): Promise<Homecomings> {
    const request = { ...this.#request, phases: returns };
    const took: number[] = [];
    for (const [phase, share] of shuffledPhases(returns).entries()) {
      const awayMs = leastMs + share * (worstMs - leastMs);
      const home = { phase, awayMs, moved };
      const backMs = returnOf(request, this.grounds, this.#victim, fault, home);
      took.push(Math.max(0, backMs - (worstMs - awayMs)));
      await others();
    }
    const spread = spreadOf(took);
    const drawn = (2 * (spread.worst - spread.least)) / returns;
    const trial = trialPeriodMs(this.account, this.grounds) / this.phases;
    return { ...spread, gap: Number.isFinite(drawn) ? Math.max(trial, drawn) : trial };
  }
}
