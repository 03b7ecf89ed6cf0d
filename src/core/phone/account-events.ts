/** The engine's decisions as events: each with the account, the cause, and the policy value that decided. */
import type { Target } from "../machine.ts";
import type { AccountPolicy, RedundancyPolicy, ServerPolicy } from "../redundancy/policy.ts";
import { targetName } from "../redundancy/server-health.ts";
import type { Place, ServerRoute } from "../redundancy/server-set.ts";
import type { TraceEvent } from "../vocabulary.ts";

export interface EventOutlet {
  /** `registerRetries=3 (front-desk.cfg:11)`: a policy value and where it was read. */
  rule(account: number, path: string, value: unknown): string;
  report(event: TraceEvent): void;
}

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

  unresolved({ index, policy }: ServerRoute): void {
    this.report("server.unresolved", { server: index, name: policy.address });
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

  attemptFailed(method: string, place: Place, why: string): void {
    this.report("attempt.failed", {
      method,
      server: place.server,
      target: targetName(place.target),
      why,
      ...this.#leaving(method, place, why),
    });
  }

  failedOver(method: string, from: Place, to: Place, why: string): void {
    this.report("request.failed-over", {
      method,
      from: targetName(from.target),
      to: targetName(to.target),
      fromServer: from.server,
      toServer: to.server,
      why,
      ...this.#leaving(method, from, why),
    });
  }

  /** The next place is asked beside a silent one. */
  hedged(method: string, from: Place, to: Place): void {
    this.report("request.hedged", {
      method,
      from: targetName(from.target),
      to: targetName(to.target),
      fromServer: from.server,
      toServer: to.server,
      rule: this.rule("hedgeMs", this.#policy.hedgeMs),
    });
  }

  /** From one server to another, 1-based; upwards in the list it is a failback. */
  movedServer(from: number, to: number, mode: string): void {
    if (to > from) this.report("server.fell-back", { from, to });
    else this.report("server.failed-back", { from, to, mode });
  }

  /** Back to a better target of the same server. */
  returned(server: number, from: Target | undefined, to: Target, mode: string): void {
    this.report("server.failed-back", {
      from: server,
      to: server,
      fromTarget: from === undefined ? "" : targetName(from),
      toTarget: targetName(to),
      mode,
      rule: this.rule(`servers.${server}.failbackMode`, mode),
    });
  }

  rule(path: string, value: unknown): string {
    return this.#outlet.rule(this.#index, path, value);
  }

  #leaving(method: string, place: Place, why: string): Fields {
    if (why === "503") return { rule: this.rule("failoverOn503", true) };
    if (why !== "timeout") return {};
    const key: keyof ServerPolicy = method === "INVITE" ? "inviteRetries" : "registerRetries";
    return { rule: this.rule(`servers.${place.server}.${key}`, place.hop[key]) };
  }
}
