/**
 * Lets virtual time pass at a pace: so many seconds of it for each real one. It can be stopped, and moved on by one
 * event. In between the thread is given back, so that whoever shows it can draw and listen.
 */
import { hasReached, type Stage } from "./stage.ts";

export interface PaceHost {
  /** Real milliseconds. */
  clock(): number;
  /** Gives the thread back for so many milliseconds at least; rejects to end the play. */
  rest(ms: number): Promise<void>;
}

/** Real milliseconds that are computed at a stretch. */
const STRETCH_MS = 25;
/** The same when nobody waits for a certain speed. */
const LONG_STRETCH_MS = 100;

export class Pacer {
  readonly #stage: Stage;
  readonly #host: PaceHost;
  #speed: number;
  #held = false;
  /** Events that may still pass while held. */
  #steps = 0;
  /** Where virtual time was, and when; undefined: it starts from where it is. */
  #since: { readonly real: number; readonly virtual: number } | undefined;
  #restedAt = 0;

  /** @param speed virtual milliseconds for each real one; Infinity: as fast as it can be computed. */
  constructor(stage: Stage, speed: number, host: PaceHost) {
    this.#stage = stage;
    this.#speed = speed;
    this.#host = host;
  }

  get held(): boolean {
    return this.#held;
  }

  set held(held: boolean) {
    this.#held = held;
    this.#steps = 0;
    this.#since = undefined;
  }

  set speed(speed: number) {
    this.#speed = speed;
    this.#since = undefined;
  }

  /** The next event, and then stop. */
  step(): void {
    this.#held = true;
    this.#steps += 1;
  }

  /** As `Stage.pass`, and in its place. */
  async pass(until: number): Promise<void> {
    const stage = this.#stage;
    const seen = stage.records.length;
    while (!hasReached(stage, until) && stage.records.length === seen) {
      const reach = Math.min(until, this.#reach());
      if (reach > stage.now()) await stage.pass(reach);
      else await this.#host.rest(STRETCH_MS);
      await this.#giveWay();
    }
    if (stage.records.length > seen && this.#steps > 0) this.#steps -= 1;
    await this.#giveWay();
  }

  async #giveWay(): Promise<void> {
    const stretch = this.#speed === Number.POSITIVE_INFINITY ? LONG_STRETCH_MS : STRETCH_MS;
    if (this.#host.clock() - this.#restedAt < stretch) return;
    await this.#host.rest(0);
    this.#restedAt = this.#host.clock();
  }

  /** How far virtual time may have come by now. */
  #reach(): number {
    const now = this.#stage.now();
    if (this.#held) return this.#steps === 0 ? now : Number.POSITIVE_INFINITY;
    if (this.#speed === Number.POSITIVE_INFINITY) return this.#speed;
    const real = this.#host.clock();
    this.#since ??= { real, virtual: now };
    return this.#since.virtual + (real - this.#since.real) * this.#speed;
  }
}
