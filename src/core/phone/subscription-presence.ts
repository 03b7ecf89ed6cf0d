/** Whether somebody can be reached and what he is doing: the event package `presence` of another user (RFC 3856). */
import {
  PIDF_TYPE,
  type PresenceDocument,
  parsePresence,
} from "../dialog/subscription-presence.ts";
import type { Instant } from "../machine.ts";
import type { Request } from "../message/message.ts";
import type { EventPackage, Notice, SubscriptionEnvironment } from "./subscription-environment.ts";
import { isOf } from "./subscription-packages.ts";

export class WatchedPresence implements EventPackage {
  readonly name = "presence";
  readonly accept: string = PIDF_TYPE;
  readonly user: string;
  readonly seconds: number | undefined;
  readonly #environment: SubscriptionEnvironment;
  #told = "";

  constructor(environment: SubscriptionEnvironment, user: string) {
    this.#environment = environment;
    this.user = user;
    this.seconds = environment.account.watchExpiresSeconds;
  }

  begun(): void {}

  /** Each body is the whole. */
  notified(_now: Instant, request: Request): Notice {
    if (request.body === "") return { status: 200 };
    if (!isOf(request, this.accept)) return { status: 415, why: "not a presence document" };
    const document = parsePresence(request.body);
    if (document === undefined) return { status: 400, why: "malformed presence document" };
    return { status: 200, act: () => this.#tell(document) };
  }

  #tell({ activities, tuples }: PresenceDocument): void {
    const state = tuples.some(({ basic }) => basic === "open") ? "open" : "closed";
    const activity = activities.length === 0 ? undefined : activities.join(" ");
    const told = `${state} ${activity}`;
    if (told === this.#told) return;
    this.#told = told;
    this.#environment.report("presence.changed", { of: this.user, state, activity });
  }
}
