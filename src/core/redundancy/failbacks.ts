/** The ways back of one account, one for each server whose requests have ever left its first place. */
import type { Instant } from "../machine.ts";
import { Failback, type FailbackHost } from "./failback.ts";
import type { ServerRoute } from "./server-set.ts";

export class Failbacks {
  readonly #host: FailbackHost;
  readonly #byServer = new Map<number, Failback>();

  constructor(host: FailbackHost) {
    this.#host = host;
  }

  /** A request of the route was answered by the place that is in use now. */
  answered(now: Instant, route: ServerRoute): void {
    const failback = this.#byServer.get(route.index) ?? new Failback(this.#host, route);
    this.#byServer.set(route.index, failback);
    if (route.inUse === 0) failback.cameHome();
    else failback.left(now);
  }

  /** A registration of the route is about to be renewed. */
  renewing(route: ServerRoute): void {
    this.#byServer.get(route.index)?.renewing();
  }

  becameIdle(now: Instant): void {
    for (const failback of this.#byServer.values()) failback.becameIdle(now);
  }

  stop(): void {
    for (const failback of this.#byServer.values()) failback.stop();
  }
}
