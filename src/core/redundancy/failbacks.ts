/** The ways back of one account, one for each server whose requests have left its first place. */
import type { Instant } from "../machine.ts";
import { Failback, type FailbackHost } from "./failback.ts";
import type { AttemptPlace } from "./request.ts";
import type { ServerRoute } from "./server-set.ts";

const NONE: readonly Failback[] = [];

export class Failbacks {
  readonly #host: FailbackHost;
  /** A list of its own for each: there are a few at most. */
  #away: readonly Failback[] = NONE;

  constructor(host: FailbackHost) {
    this.#host = host;
  }

  /** All are at home. */
  get idle(): boolean {
    return this.#away.length === 0;
  }

  /** A request of the route was answered by the place that is in use now. */
  answered(now: Instant, route: ServerRoute): void {
    const known = this.#of(route);
    if (route.inUse === 0) {
      known?.cameHome();
      this.#away = this.#away.filter((one) => one !== known);
      return;
    }
    const failback = known ?? new Failback(this.#host, route);
    if (known === undefined) this.#away = this.#away.concat(failback);
    failback.left(now);
  }

  /** A request answered by a better place was sent there before the move, and a call is in the way of the return. */
  isOld(route: ServerRoute, { since }: AttemptPlace, method: string): boolean {
    // A registration stands wherever it was granted.
    return method !== "REGISTER" && this.#of(route)?.isOld(since) === true;
  }

  /** A registration of the route is about to be renewed. */
  renewing(route: ServerRoute): void {
    this.#of(route)?.renewing();
  }

  becameIdle(now: Instant): void {
    for (const failback of this.#away) failback.becameIdle(now);
  }

  stop(): void {
    for (const failback of this.#away) failback.stop();
  }

  #of(route: ServerRoute): Failback | undefined {
    return this.#away.find((failback) => failback.route === route);
  }
}
