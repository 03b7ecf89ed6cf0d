/**
 * Sequential procedures that need answers from outside, written top-down as generators: each `yield` asks a
 * Question and is resumed by its Answer. They stay pure; the machine keeps them here while they wait.
 */
import type { Instant, World } from "./machine.ts";
import type { Answer, Question } from "./vocabulary.ts";

/** A sequential procedure: it yields questions and is resumed by their answers. */
export type Inquiry<Result> = Generator<Question, Result, Answer>;

/** Called once with the outcome, at the instant the last answer came. */
export type Concluded<Result> = (now: Instant, result: Result) => void;

/**
 * What the world answers without waiting, as a store in memory does; undefined: it must be asked, and will tell. This
 * spares the hottest questions the way through the outbox and back.
 */
export type Ready = (question: Question) => Answer | undefined;

/** What an inquiry reads the time from: it is resumed later than it was started. */
export interface Clock {
  /** The instant of the fact being dealt with. */
  readonly now: Instant;
}

/** Runs what nobody waits for, beside the running inquiry. */
export interface Background extends Clock {
  start<Result>(now: Instant, inquiry: Inquiry<Result>, concluded: Concluded<Result>): void;
}

interface Waiting {
  resume: ((now: Instant, answer: Answer) => void) | undefined;
}

/** The sequential procedures that are on their way, each waiting for an answer of the world. */
export class Inquiries implements Background {
  readonly #world: World;
  readonly #ready: Ready | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #lastAsked = 0;
  #now: Instant = 0;

  constructor(world: World, ready?: Ready) {
    this.#world = world;
    this.#ready = ready;
  }

  /** The instant at which the running inquiry was started or last answered. */
  get now(): Instant {
    return this.#now;
  }

  /** Questions in flight. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Some questions are answered at once. */
  get immediate(): boolean {
    return this.#ready !== undefined;
  }

  /** Asks outside of any inquiry; undefined: the world must be asked, in an inquiry. */
  atOnce(question: Question): Answer | undefined {
    return this.#ready?.(question);
  }

  /** Runs until the first question that must be waited for; without one it concludes before this returns. */
  start<Result>(now: Instant, inquiry: Inquiry<Result>, concluded: Concluded<Result>): void {
    this.#now = now;
    this.#proceed(now, inquiry, inquiry.next(), concluded);
  }

  /** Ignores an answer to a question nobody waits for any more. */
  answered(now: Instant, asked: number, answer: Answer): void {
    const waiting = this.#waiting.get(asked);
    if (waiting === undefined) return;
    this.#waiting.delete(asked);
    this.#now = now;
    const { resume } = waiting;
    // The engine keeps tables that a Map has outgrown, and with them what they held when it did.
    waiting.resume = undefined;
    resume?.(now, answer);
  }

  /** Forgets all that wait: their conclusions never come. */
  abandon(): void {
    this.#waiting.clear();
  }

  #proceed<Result>(
    now: Instant,
    inquiry: Inquiry<Result>,
    first: IteratorResult<Question, Result>,
    concluded: Concluded<Result>,
  ): void {
    let step = first;
    while (step.done !== true) {
      const answer = this.#ready?.(step.value);
      if (answer === undefined) break;
      step = inquiry.next(answer);
    }
    if (step.done === true) {
      concluded(now, step.value);
      return;
    }
    const asked = ++this.#lastAsked;
    this.#waiting.set(asked, {
      resume: (at, answer) => this.#proceed(at, inquiry, inquiry.next(answer), concluded),
    });
    this.#world.ask(asked, step.value);
  }
}
