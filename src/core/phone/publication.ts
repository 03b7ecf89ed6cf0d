/**
 * An account's own presence, published (RFC 3903) where it is registered and nowhere else, on servers with all features
 * only. It goes where the subscriptions go. The entity-tag goes along: servers that are one system take it, others
 * refuse it with 412 and get a publication of their own; what the place left still holds is then removed, or taken up
 * again on the return, so that none pile up.
 *
 *   away ──registered──▶ publishing ──2xx──▶ published ──time, a call begins or ends──▶ publishing
 *     ▲                   │     ▲ 412, 423: at once; refusal, silence: after a wait
 *     └── basic server ───┘     └──── another place ◀──────┘
 */
import { ON_THE_PHONE, printPresence } from "../dialog/subscription-presence.ts";
import { newCallId, newTag } from "../identifiers.ts";
import type { Instant } from "../machine.ts";
import { retryAfterOf, secondsOf } from "../message/delta.ts";
import type { Request, Response } from "../message/message.ts";
import type { FailoverRequest } from "../redundancy/failover.ts";
import type { AttemptPlace, Failure, RequestUser } from "../redundancy/request.ts";
import { QUIET_LIMIT_MS, targetName } from "../redundancy/server-health.ts";
import { Timer, type TimerOwner } from "../timers.ts";
import { MAX_TOO_BRIEF } from "./limits.ts";
import { PublicationFarewell } from "./publication-farewell.ts";
import { composePublish, type Publish } from "./publication-request.ts";
import { type KeptTag, KeptTags } from "./publication-tags.ts";
import { minExpiresOf } from "./registration-answer.ts";
import type { SubscriptionEnvironment, Whereabouts } from "./subscription-environment.ts";
import { isSamePlace, renewalWaitMs, UNKNOWN_THERE } from "./subscription-rules.ts";

export class Publication implements RequestUser, TimerOwner {
  readonly method = "PUBLISH";
  readonly #environment: SubscriptionEnvironment;
  /** When the next PUBLISH is due. */
  readonly #next: Timer;
  readonly #tags: KeptTags = new KeptTags();
  #request: FailoverRequest | undefined;
  #sent: Publish | undefined;
  /** The entity-tag that it was sent with. */
  #offered: KeptTag | undefined;
  /** Where it is, or was last tried, or would be if that server had all features. */
  #at: Whereabouts | undefined;
  #expiresAt: Instant = 0;
  /** A REGISTER is on its way, and where the next PUBLISH goes depends on it. */
  #awaits = false;
  /** That server wants none. */
  #refused = false;
  #talking = false;
  /** Stopped while one was on its way. */
  #parting = false;
  /** What is published there: in a call or not; undefined: nothing yet. */
  #said: boolean | undefined;
  #seconds: number;
  #tooBrief = 0;

  constructor(environment: SubscriptionEnvironment) {
    this.#environment = environment;
    this.#seconds = environment.account.subscribeExpiresSeconds;
    this.#next = new Timer("publish", this);
  }

  get busy(): boolean {
    return this.#request !== undefined;
  }

  /** The account was registered somewhere, or its working server is another. */
  follow(now: Instant): void {
    const at = this.#environment.whereabouts(now);
    if (at === undefined) return;
    const attended = this.#next.pending || this.#awaits || this.#request !== undefined;
    const here = isSamePlace(this.#at, at);
    const stays =
      this.#expiresAt > now &&
      at.server === this.#at?.server &&
      !at.place.hop.resubscribeOnFailover;
    const due = here ? at.full && !attended && !this.#refused : !(attended && stays);
    if (due) this.#environment.timers.set(this.#next, now);
  }

  /** The first call of the phone was answered, or the last is over. */
  talks(now: Instant, talking: boolean): void {
    this.#talking = talking;
    this.#catchUp(now);
  }

  /** Removes it, best-effort. A PUBLISH on its way is waited for: its 200 names what nobody would remove. */
  stop(now: Instant): void {
    this.#silence();
    this.#parting = this.#request?.windUp(now) !== undefined;
    if (!this.#parting) this.#part(now);
  }

  close(): void {
    this.#drop(undefined);
  }

  rang(now: Instant): void {
    this.#awaits = true;
    this.#environment.whenSettled(now, (at) => {
      if (this.#awaits) this.#proceed(at);
    });
  }

  compose(attempt: AttemptPlace, cseq: number): Request {
    return composePublish(this.#environment, this.#sent as Publish, attempt, cseq);
  }

  provisional(): void {}
  repeated(): void {}
  late(): void {}

  final(now: Instant, response: Response, attempt: AttemptPlace): void {
    this.#request = undefined;
    const { status } = response;
    if (this.#parting) {
      this.#part(now, status < 300 ? this.#keep(now, response) : undefined);
    } else if (status < 300) {
      this.#accepted(now, response, attempt);
    } else if (status === 412 && this.#offered !== undefined) {
      this.#tags.refused(this.#offered, attempt.target);
      this.#said = undefined;
      this.#send(now);
    } else if (status === 423 && this.#lengthen(response)) {
      this.#send(now);
    } else if (UNKNOWN_THERE.has(status)) {
      this.#refused = true;
      this.#report("publication.refused", { why: String(status) });
    } else this.#fail(now, "rejected", response);
  }

  failed(now: Instant, failure: Failure): void {
    this.#request = undefined;
    if (this.#parting) this.#part(now);
    else this.#fail(now, failure.why);
  }

  #proceed(now: Instant): void {
    this.#awaits = false;
    const at = this.#environment.whereabouts(now);
    if (at === undefined) return;
    if (!isSamePlace(this.#at, at)) this.#moveTo(now, at);
    if (at.full && this.#request === undefined) this.#send(now);
  }

  #moveTo(now: Instant, at: Whereabouts): void {
    this.#drop(now);
    const from = this.#at;
    this.#at = at;
    this.#refused = false;
    this.#said = undefined;
    this.#expiresAt = 0;
    this.#tags.forgetTrials();
    if (from === undefined && at.full) return;
    this.#report("publication.moved", {
      from: from === undefined ? "" : targetName(from.place.target),
      limited: !at.full,
    });
  }

  /** A refresh needs no body (RFC 3903 §4.3); all else brings the whole. */
  #send(now: Instant): void {
    const { entropy } = this.#environment;
    const at = this.#at as Whereabouts;
    const offered = this.#tags.next(now, at.place.target);
    const refresh = offered !== undefined && this.#said === this.#talking;
    this.#offered = offered;
    this.#sent = {
      callId: newCallId(entropy),
      localTag: newTag(entropy),
      server: at.server,
      seconds: this.#seconds,
      ifMatch: offered?.tag,
      body: refresh ? "" : this.#document(at.server),
    };
    this.#said = this.#talking;
    this.#request = this.#environment.outside(this, at.place);
    this.#request.start(now);
  }

  #document(server: number): string {
    const { composer } = this.#environment;
    const self = composer.self(this.#environment.server(server));
    return printPresence(self, {
      tuples: [{ id: "phone", basic: "open", contact: self, notes: [] }],
      activities: this.#talking ? [ON_THE_PHONE] : [],
      notes: [],
    });
  }

  #accepted(now: Instant, response: Response, attempt: AttemptPlace): void {
    const { account, timers } = this.#environment;
    const kept = this.#keep(now, response);
    const expires = (kept.expiresAt - now) / 1000;
    this.#tooBrief = 0;
    this.#expiresAt = kept.expiresAt;
    timers.set(this.#next, now + renewalWaitMs(account, expires));
    this.#report("publication.accepted", { expires, target: targetName(attempt.target) });
    const left = this.#tags.accepted(kept, this.#offered);
    for (const other of left) {
      if (other.expiresAt <= now) this.#tags.drop(other);
      else if (this.#environment.answers(now, other.at.place.target)) {
        this.#tags.drop(other);
        this.#bidFarewell(now, other);
      }
    }
    this.#catchUp(now);
  }

  #keep(now: Instant, { headers }: Response): KeptTag {
    const expires = secondsOf(headers, "expires") ?? this.#seconds;
    const tag = headers.get("sip-etag") ?? "";
    return { tag, at: this.#at as Whereabouts, expiresAt: now + expires * 1000 };
  }

  /** @param last given for the PUBLISH that was on its way; undefined: what stood before goes on standing. */
  #part(now: Instant, last?: KeptTag): void {
    this.#parting = false;
    const at = this.#at;
    const kept = last ?? (at === undefined ? undefined : this.#tags.at(now, at.place.target));
    if (kept !== undefined) this.#bidFarewell(now, kept);
  }

  /** What is published is not so any more. */
  #catchUp(now: Instant): void {
    const stands = this.#expiresAt > now && this.#request === undefined && !this.#refused;
    if (stands && this.#said !== this.#talking) this.#environment.timers.set(this.#next, now);
  }

  #fail(now: Instant, why: string, response?: Response): void {
    const { account, timers } = this.#environment;
    const asked = response === undefined ? undefined : retryAfterOf(response.headers);
    const quietMs = Math.min((asked?.seconds ?? 0) * 1000, QUIET_LIMIT_MS);
    const waitMs = Math.max(account.subscribeRetryMs, quietMs);
    // What was sent may have been lost: the whole comes next.
    this.#said = undefined;
    const said = response === undefined ? {} : { status: response.status };
    this.#report("publication.failed", { why, ...said, waitMs });
    timers.set(this.#next, now + waitMs);
  }

  #bidFarewell(now: Instant, tag: KeptTag): void {
    new PublicationFarewell(this.#environment, tag).start(now);
  }

  #drop(now: Instant | undefined): void {
    this.#request?.drop(now);
    this.#request = undefined;
    this.#parting = false;
    this.#silence();
  }

  #silence(): void {
    this.#awaits = false;
    this.#environment.timers.silence(this.#next);
  }

  /** 423: ask for the server's minimum instead. */
  #lengthen(response: Response): boolean {
    const least = minExpiresOf(response);
    this.#tooBrief += 1;
    if (least === undefined || this.#tooBrief > MAX_TOO_BRIEF) return false;
    this.#seconds = Math.max(least, this.#seconds);
    return true;
  }

  #report(
    event: string,
    fields: Readonly<Record<string, string | number | boolean | undefined>>,
  ): void {
    const at = this.#at;
    this.#environment.report(event, {
      server: at?.server ?? 0,
      target: at === undefined ? "" : targetName(at.place.target),
      ...fields,
    });
  }
}
