/** I3, third part: a target that is asked in the background whether it is back (§8) is known to be when it is. */
import type { Instant, Target } from "../../../core/machine.ts";
import { targetName } from "../../../core/redundancy/server-health.ts";
import { CONNECT_TIMEOUT_MS } from "../simulated-stream.ts";
import type { SimulatedEvent } from "../simulation.ts";
import { TIMER_B_T1 } from "./glance.ts";
import { type Complain, type Invariant, LOOK_MS, type Reach, type Watched } from "./invariant.ts";

interface Suspect {
  readonly one: Watched;
  readonly name: string;
  readonly since: Instant;
}

export class Suspects implements Invariant {
  readonly #watched: readonly Watched[];
  readonly #reach: Reach;
  readonly #complain: Complain;
  /** By node and name. */
  readonly #suspects = new Map<string, Suspect>();
  #nextLook: Instant = 0;

  constructor(watched: readonly Watched[], reach: Reach, complain: Complain) {
    this.#watched = watched.filter(({ account }) => account.policy.healthProbeMs > 0);
    this.#reach = reach;
    this.#complain = complain;
  }

  event({ at, node, event, target }: SimulatedEvent): void {
    const one = this.#watched.find((other) => other.node === node);
    if (one === undefined) return;
    const name = String(target);
    if (event === "server.suspected")
      this.#suspects.set(`${node} ${name}`, { one, name, since: at });
    else if (event === "server.restored") this.#suspects.delete(`${node} ${name}`);
  }

  died(_now: Instant, node: string): void {
    for (const [key, { one }] of this.#suspects) if (one.node === node) this.#suspects.delete(key);
  }

  check(now: Instant): void {
    if (now < this.#nextLook) return;
    this.#nextLook = now + LOOK_MS;
    for (const [key, { one, name, since }] of this.#suspects) {
      const target = targetNamed(one, name);
      if (target === undefined || !one.active) continue;
      if (one.account.health.state(now, target) === "quiet") this.#suspects.delete(key);
      const { healthProbeMs, t1Ms } = one.account.policy;
      const from = Math.max(since, this.#reach.since(target.address));
      const bound = healthProbeMs + TIMER_B_T1 * t1Ms + CONNECT_TIMEOUT_MS + LOOK_MS;
      if (now - from <= bound) continue;
      this.#suspects.delete(key);
      const what = `${name} is taken for dead, ${Math.round(now - from)} ms after it came back`;
      this.#complain({ invariant: "I3", at: now, node: one.node, what });
    }
  }
}

/** Where the account would send to reach it. */
function targetNamed({ account }: Watched, name: string): Target | undefined {
  for (const { places } of account.servers.routes) {
    const place = places.find(({ target }) => targetName(target) === name);
    if (place !== undefined) return place.target;
  }
  return undefined;
}
