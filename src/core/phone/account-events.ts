/** The engine's decisions as events: each with the account, the cause, and the policy value that decided. */
import type { failbackModeOf } from "../redundancy/failback.ts";
import { patienceEndsBy } from "../redundancy/patience.ts";
import type { AccountPolicy, RedundancyPolicy, ServerPolicy } from "../redundancy/policy.ts";
import { targetName } from "../redundancy/server-health.ts";
import type { Place, ResolvedHop, ServerRoute } from "../redundancy/server-set.ts";
import type { TraceEvent } from "../vocabulary.ts";

export interface EventOutlet {
  /** `registerRetries=3 (front-desk.cfg:11)`: a policy value and where it was read. */
  rule(account: number, path: string, value: unknown): string;
  report(event: TraceEvent): void;
}

type Mode = ReturnType<typeof failbackModeOf>;

/** Fields of an event as they come. */
type Fields = Record<string, string | number | boolean | undefined>;

export class AccountEvents {
  readonly #outlet: EventOutlet;
  readonly #user: string;
  readonly #index: number;
  readonly #policy: RedundancyPolicy;

  constructor(outlet: EventOutlet, { user, index, redundancy }: AccountPolicy) {
    this.#outlet = outlet;
    this.#user = user;
    this.#index = index;
    this.#policy = redundancy;
  }

  report(event: string, fields: Fields): void {
    this.#outlet.report({ event, account: this.#user, ...fields });
  }

  resolved({ index, policy, places }: ServerRoute): void {
    const targets = places.map((place) => targetName(place.target)).join(" ");
    this.report("server.resolved", { server: index, name: policy.address, targets });
  }

  unresolved({ index, policy }: ServerRoute, [hop]: readonly ResolvedHop[]): void {
    this.report("server.unresolved", { server: index, name: policy.address, why: hop?.why });
  }

  /** Where its name came to nothing, there is no target to tell but the name. */
  registrationFailed(
    route: ServerRoute,
    place: Place | undefined,
    why: string,
    status: number | undefined,
  ): void {
    const where =
      place === undefined ? { name: route.policy.address } : { target: targetName(place.target) };
    this.report("registration.failed", { server: route.index, ...where, why, status });
  }

  accepted({ server, target }: Place, expires: number): void {
    this.report("registration.accepted", { server, target: targetName(target), expires });
  }

  interrupted(server: number, place: Place | undefined, why: string): void {
    const target = place === undefined ? undefined : targetName(place.target);
    this.report("registration.interrupted", { server, target, why });
  }

  attemptFailed(method: string, place: Place, why: string, last = false): void {
    this.report("attempt.failed", {
      method,
      server: place.server,
      target: targetName(place.target),
      why,
      ...this.#leaving(method, place, why, last),
    });
  }

  failedOver(method: string, from: Place, to: Place, why: string): void {
    this.report("request.failed-over", {
      ...moving(method, from, to),
      why,
      ...this.#leaving(method, from, why),
    });
  }

  /** Nothing was sent to `from`: `why` is known of it already. */
  begunElsewhere(method: string, from: Place, to: Place, why: string): void {
    const key = why.startsWith("503") ? "failoverOn503" : "skipKnownDead";
    const rule = this.rule(key, this.#policy[key]);
    this.report("request.failed-over", { ...moving(method, from, to), why, rule });
  }

  /** The next place is asked beside a silent one. */
  hedged(method: string, from: Place, to: Place): void {
    const rule = this.rule("hedgeMs", this.#policy.hedgeMs);
    this.report("request.hedged", { ...moving(method, from, to), rule });
  }

  /** From one server to another, 1-based; upwards in the list it is a failback. */
  movedServer(from: number, to: number, mode: string): void {
    const { registration, probeIntervalMs } = this.#policy;
    const kind = this.rule("registration", registration);
    if (to > from) this.report("server.fell-back", { from, to, rule: kind });
    else {
      const rule = mode === "probe" ? this.rule("probeIntervalMs", probeIntervalMs) : kind;
      this.report("server.failed-back", { from, to, mode, rule });
    }
  }

  /** Back to a better target of the same server. */
  returned(from: Place | undefined, { server, target, hop }: Place, mode: Mode): void {
    this.report("server.failed-back", {
      from: server,
      to: server,
      fromTarget: from === undefined ? "" : targetName(from.target),
      toTarget: targetName(target),
      mode,
      rule: this.#timeOfReturn(server, from?.hop ?? hop, mode),
    });
  }

  /** The time to go back to the first place of a server has come, and a call is in the way. */
  deferred({ index, places, inUse }: ServerRoute, mode: Mode): void {
    const from = places[inUse];
    const to = places[0];
    if (from === undefined || to === undefined) return;
    this.report("server.failback-deferred", {
      server: index,
      fromTarget: targetName(from.target),
      toTarget: targetName(to.target),
      mode,
      why: "not-idle",
      rule: this.rule("idleWaitMaxMs", this.#policy.idleWaitMaxMs),
    });
  }

  probed(server: number, good: boolean): void {
    const rule = this.rule("probeIntervalMs", this.#policy.probeIntervalMs);
    this.report("server.probed", { server, good, rule });
  }

  rule(path: string, value: unknown): string {
    return this.#outlet.rule(this.#index, path, value);
  }

  #leaving(method: string, place: Place, why: string, last = false): Fields {
    if (why === "503") return { rule: this.rule("failoverOn503", true) };
    if (why !== "timeout") return {};
    const { server, hop, target } = place;
    const key = last ? "t1Ms" : patienceEndsBy(this.#policy, hop, method, target.transport);
    if (key === "t1Ms") return { rule: this.rule(key, this.#policy.t1Ms) };
    return { rule: this.rule(`${this.#path(server, hop)}.${key}`, hop[key]) };
  }

  /** What set the time of a return. */
  #timeOfReturn(server: number, hop: ServerPolicy, mode: Mode): string {
    const path = this.#path(server, hop);
    if (mode === "probe")
      return this.rule("proxyProbeIntervalMs", this.#policy.proxyProbeIntervalMs);
    if (mode !== "duration") return this.rule(`${path}.failbackMode`, mode);
    return this.rule(`${path}.failbackSeconds`, hop.failbackSeconds);
  }

  /** Where the policy keeps what speaks for a place: a server, or an outbound proxy in front of it. */
  #path(server: number, hop: ServerPolicy): string {
    const proxy = this.#policy.proxies.indexOf(hop);
    return proxy < 0 ? `servers.${server}` : `proxies.${proxy + 1}`;
  }
}

function moving(method: string, from: Place, to: Place): Fields {
  return {
    method,
    from: targetName(from.target),
    to: targetName(to.target),
    fromServer: from.server,
    toServer: to.server,
  };
}
