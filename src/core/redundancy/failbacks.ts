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

  /**
   * A request answered by the place of that index was sent too early to count: by a better one before the move, and a
   * call is in the way of the return; or by another before the return, where nothing needs to be sent for that.
   */
  isOld(route: ServerRoute, index: number, { since }: AttemptPlace, method: string): boolean {
    const failback = this.#of(route);
    if (failback === undefined) return false;
    if (index >= route.inUse) return failback.isBehind(since);
    // A registration stands wherever it was granted.
    return method !== "REGISTER" && failback.isOld(since);
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
