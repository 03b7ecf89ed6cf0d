/**
 * One event package that an account wants to hear of (RFC 6665 §4.1). There is a subscription where the account is
 * registered and nowhere else (C1), on servers with all features only (V1). A change of server or target makes a new
 * dialog (C26), and so does a notifier who knows the old one no more (C27).
 *
 *   away ──registered──▶ subscribing ──2xx, NOTIFY──▶ subscribed ──time──▶ renewing ──2xx──▶ subscribed
 *     ▲                      │ refusal, silence, Timer N    │ terminated, 481, silence, another place
 *     └── basic server ──────┴──── after a wait ◀───────────┘
 */

import { SubscriptionUsage } from "../dialog/subscription.ts";
import { comebackAfter, type SubscriptionState } from "../dialog/subscription-state.ts";
import { newCallId, newTag } from "../identifiers.ts";
import type { Instant } from "../machine.ts";
import { retryAfterOf, secondsOf } from "../message/delta.ts";
import type { Request, Response } from "../message/message.ts";
import { responseTo } from "../message/print.ts";
import type { FailoverRequest } from "../redundancy/failover.ts";
import { fullPatienceMs } from "../redundancy/patience.ts";
import type { AttemptPlace, Failure, RequestUser } from "../redundancy/request.ts";
import { QUIET_LIMIT_MS, targetName } from "../redundancy/server-health.ts";
import { Timer, type TimerOwner } from "../timers.ts";
import type { ServerTransaction } from "../transaction/user.ts";
import { refuseExtensions } from "./call-extensions.ts";
import { MAX_TOO_BRIEF } from "./limits.ts";
import { minExpiresOf } from "./registration-answer.ts";
import type {
  EventPackage,
  NotifyUser,
  SubscriptionEnvironment,
  Whereabouts,
} from "./subscription-environment.ts";
import { SubscriptionFarewell } from "./subscription-farewell.ts";
import { LeftDialogs } from "./subscription-left.ts";
import { composeSubscribe } from "./subscription-request.ts";
import {
  isSamePlace,
  renewalWaitMs,
  SHORTEST_REFRESH_MS,
  UNKNOWN_THERE,
} from "./subscription-rules.ts";

/** The dialog is over, and nobody has said that none is wanted (RFC 3261 §12.2.1.2, R13). */
const ENDS_DIALOG: ReadonlySet<number> = new Set([408, 481]);

export class Subscription implements RequestUser, NotifyUser, TimerOwner {
  readonly method = "SUBSCRIBE";
  readonly #environment: SubscriptionEnvironment;
  readonly #package: EventPackage;
  /** When the next SUBSCRIBE is due. */
  readonly #next: Timer;
  /** The first NOTIFY must have come (RFC 6665 §4.1.2.4). */
  readonly #timerN: Timer;
  #usage: SubscriptionUsage | undefined;
  #request: FailoverRequest | undefined;
  /** Where it is, or was last tried, or would be if that server had all features. */
  #at: Whereabouts | undefined;
  #expiresAt: Instant = 0;
  /** A REGISTER is on its way, and where the next SUBSCRIBE goes depends on it. */
  #awaits = false;
  /** That server wants none. */
  #refused = false;
  #left: LeftDialogs | undefined;
  #seconds: number;
  #tooBrief = 0;
  /** When it was last to begin anew: a notifier who ends each at once is not asked at once each time. */
  #renewedAt: Instant = Number.NEGATIVE_INFINITY;
  /** When the whole was last asked for: nor is one who does not tell it. */
  #wholeAskedAt: Instant = Number.NEGATIVE_INFINITY;

  constructor(environment: SubscriptionEnvironment, eventPackage: EventPackage) {
    this.#environment = environment;
    this.#package = eventPackage;
    this.#seconds = eventPackage.seconds ?? environment.account.subscribeExpiresSeconds;
    this.#next = new Timer("subscribe", this);
    this.#timerN = new Timer("N", this);
  }

  get busy(): boolean {
    return this.#request !== undefined;
  }

  /** The account was registered somewhere, or its working server is another. */
  follow(now: Instant): void {
    const at = this.#environment.whereabouts(now);
    if (at !== undefined && this.#calls(now, at)) this.#environment.timers.set(this.#next, now);
  }

  /** Ends it, best-effort. */
  stop(now: Instant): void {
    this.#leave(now);
  }

  close(): void {
    this.#request?.drop();
    this.#request = undefined;
    this.#silence();
  }

  rang(now: Instant, timer: Timer): void {
    if (timer === this.#timerN) {
      this.#forget(now);
      this.#fail(now, "no-notify");
      return;
    }
    this.#awaits = true;
    this.#environment.whenSettled(now, (at) => {
      if (this.#awaits) this.#proceed(at);
    });
  }

  compose(attempt: AttemptPlace, cseq: number): Request {
    const usage = this.#usage as SubscriptionUsage;
    return composeSubscribe(this.#environment, usage, this.#package, this.#seconds, attempt, cseq);
  }

  provisional(): void {}
  repeated(): void {}

  /** Accepted by a place that was left: its NOTIFY finds nobody, and the 481 ends it there (R114). */
  late(): void {}

  final(now: Instant, response: Response, attempt: AttemptPlace, request: Request): void {
    this.#request = undefined;
    const { status } = response;
    if (status < 300) {
      this.#accepted(now, response, attempt, request);
    } else if (status === 423 && this.#lengthen(response)) {
      this.#environment.timers.silence(this.#timerN);
      this.#environment.timers.set(this.#next, now);
    } else if (UNKNOWN_THERE.has(status)) {
      this.#forget(now);
      this.#refuse(String(status));
    } else if (ENDS_DIALOG.has(status) && this.#usage?.dialog !== undefined) {
      this.#renew(now, String(status));
    } else this.#fail(now, "rejected", response);
  }

  failed(now: Instant, failure: Failure): void {
    this.#request = undefined;
    this.#abandon(now);
    if (this.#usage?.dialog !== undefined) this.#renew(now, failure.why);
    else this.#fail(now, failure.why);
  }

  notified(now: Instant, transaction: ServerTransaction): void {
    const { request } = transaction;
    const extensions = refuseExtensions(request, "");
    if (extensions !== undefined) {
      transaction.respond(now, extensions);
      return;
    }
    const usage = this.#usage as SubscriptionUsage;
    const began = usage.dialog === undefined;
    const state = usage.notified(request);
    if (typeof state === "number") {
      transaction.respond(now, responseTo(request, state));
      return;
    }
    if (began) this.#package.begun();
    const notice = this.#package.notified(now, request, this.#server);
    const response = responseTo(request, notice.status);
    if (notice.status === 415) response.headers.add("accept", this.#package.accept);
    transaction.respond(now, response);
    if (notice.why !== undefined) this.#report("notification.refused", { why: notice.why });
    this.#heard(now, state, notice.stale === true);
    notice.act?.(now);
  }

  #proceed(now: Instant): void {
    this.#awaits = false;
    const at = this.#environment.whereabouts(now);
    if (at === undefined) return;
    if (!this.#isAt(at)) this.#goTo(now, at);
    else if (this.#lasts(now)) this.#refresh(now, at);
    else if (!this.#timerN.pending) this.#goTo(now, at);
  }

  /** Is there anything to do because the account is registered here? */
  #calls(now: Instant, at: Whereabouts): boolean {
    const attended = this.#next.pending || this.#awaits || this.#request !== undefined;
    if (this.#isAt(at)) return at.full && !attended && !this.#refused;
    const stays =
      attended &&
      this.#lasts(now) &&
      at.server === this.#at?.server &&
      !at.place.hop.resubscribeOnFailover;
    return !stays;
  }

  #isAt(at: Whereabouts): boolean {
    return isSamePlace(this.#at, at);
  }

  /** The notifier holds a subscription that has not run out. */
  #lasts(now: Instant): boolean {
    return this.#usage?.established === true && this.#expiresAt > now;
  }

  #goTo(now: Instant, at: Whereabouts): void {
    const environment = this.#environment;
    const from = this.#at;
    if (!this.#isAt(at)) this.#moved(from, at);
    this.#leave(now);
    this.#at = at;
    this.#refused = false;
    if (!at.full) return;
    const { entropy, account, register, timers } = environment;
    const usage = new SubscriptionUsage(newCallId(entropy), newTag(entropy), this.#package.name);
    this.#usage = usage;
    this.#expiresAt = now + this.#seconds * 1000;
    register.join(usage.callId, usage.localTag, this);
    timers.set(this.#timerN, now + fullPatienceMs(account.redundancy));
    this.#request = environment.outside(this, at.place);
    this.#request.start(now);
  }

  /** The rule: between targets of one server whether it follows at once, between servers what the new one offers. */
  #moved(from: Whereabouts | undefined, at: Whereabouts): void {
    if (from === undefined && at.full) return;
    const path = `servers.${at.server}`;
    const inside = from?.server === at.server;
    const { features } = this.#environment.server(at.server);
    this.#environment.report("subscription.moved", {
      ...this.#subject,
      from: from === undefined ? "" : targetName(from.place.target),
      to: targetName(at.place.target),
      limited: !at.full,
      rule: inside
        ? this.#environment.rule(
            `${path}.resubscribeOnFailover`,
            at.place.hop.resubscribeOnFailover,
          )
        : this.#environment.rule(`${path}.features`, features),
    });
  }

  #refresh(now: Instant, at: Whereabouts): void {
    const dialog = this.#usage?.dialog;
    if (dialog === undefined || this.#request !== undefined) return;
    const way = { nextHop: dialog.nextHop, flow: at.place.flow };
    this.#request = this.#environment.inside(now, this, dialog.nextCSeq(), way);
    if (this.#request === undefined) this.#fail(now, "not-registered");
    else this.#request.start(now);
  }

  #accepted(now: Instant, response: Response, attempt: AttemptPlace, request: Request): void {
    this.#tooBrief = 0;
    this.#usage?.accepted(request, response);
    const granted = secondsOf(response.headers, "expires") ?? this.#seconds;
    this.#live(now, granted);
    this.#report("subscription.accepted", { expires: granted, target: targetName(attempt.target) });
    for (const left of this.#left?.takeAt(now, attempt.target) ?? []) this.#bidFarewell(now, left);
  }

  #live(now: Instant, seconds: number): void {
    const { account, timers } = this.#environment;
    this.#expiresAt = now + seconds * 1000;
    timers.set(this.#next, now + renewalWaitMs(account, seconds));
  }

  #heard(now: Instant, state: SubscriptionState, stale: boolean): void {
    this.#environment.timers.silence(this.#timerN);
    if (state.phase === "terminated") {
      this.#ended(now, state);
      return;
    }
    // What is left is less than was granted: the notifier has the last word (§4.2.1.1).
    const shortened =
      state.expires !== undefined &&
      now + state.expires * 1000 + SHORTEST_REFRESH_MS < this.#expiresAt;
    if (this.#request !== undefined) return;
    if (stale) this.#askForWhole(now);
    else if (!this.#next.pending) this.#environment.timers.set(this.#next, now);
    else if (shortened) this.#live(now, state.expires);
  }

  #askForWhole(now: Instant): void {
    const { account, timers } = this.#environment;
    const soonest = Math.max(now, this.#wholeAskedAt + account.subscribeRetryMs);
    if (timers.dueOf(this.#next) <= soonest) return;
    this.#wholeAskedAt = soonest;
    timers.set(this.#next, soonest);
  }

  #ended(now: Instant, state: SubscriptionState): void {
    const comeback = comebackAfter(state.reason);
    if (comeback === "never") {
      this.#forget(now);
      this.#refuse(state.reason);
      return;
    }
    const { subscribeRetryMs } = this.#environment.account;
    const asked = state.retryAfter === undefined ? subscribeRetryMs : state.retryAfter * 1000;
    this.#renew(now, state.reason || "terminated", comeback === "now" ? 0 : asked);
  }

  /** The dialog is worth nothing any more: a new one as soon as `asked`, or after the wait if the last was no older. */
  #renew(now: Instant, why: string, asked = 0): void {
    this.#forget(now);
    const { subscribeRetryMs } = this.#environment.account;
    const least = now - this.#renewedAt < subscribeRetryMs ? subscribeRetryMs : 0;
    const waitMs = Math.min(Math.max(least, asked), QUIET_LIMIT_MS);
    this.#renewedAt = now + waitMs;
    this.#report("subscription.ended", { why, waitMs });
    this.#environment.timers.set(this.#next, this.#renewedAt);
  }

  /** A dialog that stands beyond the wait is asked again; without one a new one is begun. */
  #fail(now: Instant, why: string, response?: Response): void {
    const { subscribeRetryMs } = this.#environment.account;
    const asked = response === undefined ? undefined : retryAfterOf(response.headers);
    const waitMs = Math.max(
      subscribeRetryMs,
      Math.min((asked?.seconds ?? 0) * 1000, QUIET_LIMIT_MS),
    );
    if (!this.#lasts(now + waitMs)) this.#forget(now);
    const said = response === undefined ? {} : { status: response.status };
    this.#report("subscription.failed", { why, ...said, waitMs });
    this.#environment.timers.set(this.#next, now + waitMs);
  }

  /** None is wanted there: nothing is sent until the account is registered elsewhere. */
  #refuse(why: string): void {
    this.#refused = true;
    this.#report("subscription.refused", { why });
  }

  /** Ends what stands at the place left, if that answers. */
  #leave(now: Instant): void {
    const usage = this.#usage;
    const at = this.#at;
    const ends =
      this.#lasts(now) && at !== undefined && this.#environment.answers(now, at.place.target);
    if (!ends) this.#abandon(now);
    this.#forget(now);
    if (ends && usage !== undefined) this.#bidFarewell(now, usage);
  }

  /** What stands at a place that does not answer waits there until we return. */
  #abandon(now: Instant): void {
    const at = this.#at;
    if (this.#usage === undefined || at === undefined || !this.#lasts(now)) return;
    this.#left ??= new LeftDialogs();
    this.#left.add(this.#usage, at.place.target, this.#expiresAt);
  }

  /** Over the flow of the place where we are or were. */
  #bidFarewell(now: Instant, usage: SubscriptionUsage): void {
    const farewell = new SubscriptionFarewell(this.#environment, this.#package, usage);
    if (this.#at !== undefined) farewell.start(now, this.#at.place.flow);
  }

  #forget(now: Instant): void {
    this.#request?.drop(now);
    this.#request = undefined;
    this.#silence();
    const usage = this.#usage;
    this.#usage = undefined;
    if (usage !== undefined) this.#environment.register.leave(usage.callId, usage.localTag);
  }

  #silence(): void {
    this.#awaits = false;
    this.#environment.timers.silence(this.#next);
    this.#environment.timers.silence(this.#timerN);
  }

  /** 423: ask for the notifier's minimum instead. */
  #lengthen(response: Response): boolean {
    const least = minExpiresOf(response);
    this.#tooBrief += 1;
    if (least === undefined || this.#tooBrief > MAX_TOO_BRIEF) return false;
    this.#seconds = Math.max(least, this.#seconds);
    return true;
  }

  get #server(): number {
    return this.#at?.server ?? 0;
  }

  get #subject(): Readonly<Record<string, string>> {
    const { name, user } = this.#package;
    return user === undefined ? { package: name } : { package: name, colleague: user };
  }

  #report(event: string, fields: Readonly<Record<string, string | number | undefined>>): void {
    const at = this.#at;
    this.#environment.report(event, {
      ...this.#subject,
      server: this.#server,
      target: at === undefined ? "" : targetName(at.place.target),
      ...fields,
    });
  }
}
