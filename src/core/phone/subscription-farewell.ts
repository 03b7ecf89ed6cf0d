/**
 * Ends a subscription that was left, where its server still answers (C29): SUBSCRIBE with Expires 0, and the
 * last NOTIFY is taken in. What comes of it changes nothing.
 */
import type { SubscriptionUsage } from "../dialog/subscription.ts";
import type { Instant } from "../machine.ts";
import type { Request, Response } from "../message/message.ts";
import { responseTo } from "../message/print.ts";
import type { FailoverRequest } from "../redundancy/failover.ts";
import { fullPatienceMs } from "../redundancy/patience.ts";
import type { AttemptPlace, RequestUser } from "../redundancy/request.ts";
import { Timer, type TimerOwner } from "../timers.ts";
import type { Flow, ServerTransaction } from "../transaction/user.ts";
import type {
  EventPackage,
  NotifyUser,
  SubscriptionEnvironment,
} from "./subscription-environment.ts";
import { composeSubscribe } from "./subscription-request.ts";

export class SubscriptionFarewell implements RequestUser, NotifyUser, TimerOwner {
  readonly method = "SUBSCRIBE";
  readonly #environment: SubscriptionEnvironment;
  readonly #package: EventPackage;
  readonly #usage: SubscriptionUsage;
  readonly #timerN: Timer;
  #request: FailoverRequest | undefined;

  constructor(
    environment: SubscriptionEnvironment,
    eventPackage: EventPackage,
    usage: SubscriptionUsage,
  ) {
    this.#environment = environment;
    this.#package = eventPackage;
    this.#usage = usage;
    this.#timerN = new Timer("N", this);
  }

  get busy(): boolean {
    return this.#request !== undefined;
  }

  /** @param flow over which the notifier was reached. */
  start(now: Instant, flow: Flow): void {
    const { dialog, callId, localTag } = this.#usage;
    if (dialog === undefined) return;
    const environment = this.#environment;
    const way = { nextHop: dialog.nextHop, flow };
    this.#request = environment.inside(now, this, dialog.nextCSeq(), way);
    if (this.#request === undefined) return;
    environment.register.join(callId, localTag, this);
    environment.timers.set(this.#timerN, now + fullPatienceMs(environment.account.redundancy));
    this.#request.start(now);
  }

  close(): void {
    this.#request?.drop();
    this.#over();
  }

  compose(attempt: AttemptPlace, cseq: number): Request {
    return composeSubscribe(this.#environment, this.#usage, this.#package, 0, attempt, cseq);
  }

  final(_now: Instant, response: Response): void {
    this.#request = undefined;
    if (response.status >= 300 || this.#usage.state === "terminated") this.#over();
  }

  failed(): void {
    this.#over();
  }

  notified(now: Instant, transaction: ServerTransaction): void {
    const state = this.#usage.notified(transaction.request);
    const status = typeof state === "number" ? state : 200;
    transaction.respond(now, responseTo(transaction.request, status));
    if (this.#usage.state === "terminated" && this.#request === undefined) this.#over();
  }

  rang(): void {
    this.#over();
  }

  provisional(): void {}
  repeated(): void {}
  late(): void {}

  #over(): void {
    this.#request = undefined;
    this.#environment.timers.silence(this.#timerN);
    this.#environment.register.leave(this.#usage.callId, this.#usage.localTag);
  }
}
