/** I3: the primary reachable without break for F and the phone idle, and requests go to the primary. */
import type { Instant } from "../../../core/machine.ts";
import { failbackModeOf } from "../../../core/redundancy/failback.ts";
import { type Complain, type Invariant, LOOK_MS, type Reach, type Watched } from "./invariant.ts";

export class Home implements Invariant {
  readonly #watched: readonly Watched[];
  readonly #reach: Reach;
  readonly #complain: Complain;
  /** Since when each phone has had no call. */
  readonly #idleSince = new Map<Watched, Instant>();
  #nextLook: Instant = 0;

  constructor(watched: readonly Watched[], reach: Reach, complain: Complain) {
    this.#watched = watched;
    this.#reach = reach;
    this.#complain = complain;
  }

  check(now: Instant): void {
    if (now < this.#nextLook) return;
    this.#nextLook = now + LOOK_MS;
    for (const one of this.#watched) {
      if (!one.phone.idle) this.#idleSince.delete(one);
      else if (!this.#idleSince.has(one)) this.#idleSince.set(one, now);
      if (!one.active || !this.#owed(now, one)) continue;
      const away = whereTo(one);
      if (away === undefined) continue;
      const what = `requests go to ${away} though the primary has been there for F`;
      this.#complain({ invariant: "I3", at: now, node: one.node, what });
    }
  }

  /** The requests of all who must come home by time go there. */
  get proven(): boolean {
    return this.#watched.every(
      (one) => one.bounds.homeMs === Number.POSITIVE_INFINITY || whereTo(one) === undefined,
    );
  }

  /** The wait for idleness is no part of F. */
  #owed(now: Instant, one: Watched): boolean {
    const primary = one.account.servers.route(1).places[0];
    if (primary === undefined) return false;
    const idle = this.#idleSince.get(one) ?? now;
    const since = Math.max(this.#reach.since(primary.target.address), idle);
    return since <= now - one.bounds.homeMs;
  }
}

/** Where else than to the primary the next request would go. */
function whereTo({ account }: Watched): string | undefined {
  if (account.workingServer !== 1) return `server ${account.workingServer}`;
  const route = account.servers.route(1);
  const always = failbackModeOf(route) === "newRequests";
  return always || route.current === 0 ? undefined : `place ${route.current + 1} of server 1`;
}
