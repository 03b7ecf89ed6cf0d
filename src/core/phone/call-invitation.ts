/**
 * The INVITE that begins a call, as its sender sees it (RFC 3261 §13.2): composed anew for each attempt, one identity
 * over all of them; the first 2xx makes the call, each other one is acknowledged and ended.
 */
import { type Dialog, dialogOfClient } from "../dialog/dialog.ts";
import { newCallId, newTag } from "../identifiers.ts";
import type { Instant } from "../machine.ts";
import { cseqOf } from "../message/cseq.ts";
import type { Request, Response } from "../message/message.ts";
import { toOf } from "../message/name-addr.ts";
import type { AttemptPlace, Failure, RequestUser } from "../redundancy/request.ts";
import { Timer, type TimerOwner } from "../timers.ts";
import type { Flow } from "../transaction/user.ts";
import { openDescription } from "./call-answers.ts";
import { EarlyDialogs } from "./call-early.ts";
import type { CallEnvironment, DialogUser, SentRequest } from "./call-environment.ts";
import { ALLOW, supportedBy } from "./call-extensions.ts";
import { CallLeg, endAnswer } from "./call-leg.ts";
import { Redirections } from "./call-redirection.ts";
import { askForInterval, minSeOf } from "./call-session-timer.ts";
import { MAX_FORKS } from "./limits.ts";
import type { ReferTarget } from "./refer-to.ts";

/** Told how the invitation fares. `accepted`, `refused` or `unanswered` comes exactly once. */
export interface InvitationOwner {
  offerFor(flow: Flow): string;
  /** A 1xx; the body of one above 100 may hold an early answer. */
  progressed(now: Instant, response: Response, attempt: AttemptPlace): void;
  /** The 2xx has been acknowledged. */
  accepted(now: Instant, leg: CallLeg, response: Response): void;
  refused(now: Instant, response: Response): void;
  /** The refusal named another address, which is called now. */
  redirected(status: number, to: string): void;
  /** Nothing further was heard for longer than a proxy would wait. */
  stalled(now: Instant): void;
  unanswered(now: Instant, why: Failure["why"] | "no-dialog"): void;
}

/** A callee that says nothing further for so long has gone: as Timer C of a proxy (RFC 3261 §16.6). */
const PROGRESS_LIMIT_MS = 181_000;

export class CallInvitation implements RequestUser, TimerOwner {
  readonly method = "INVITE";
  readonly callId: string;
  readonly #environment: CallEnvironment;
  readonly #owner: InvitationOwner;
  /** As dialled: a whole URI, or a user at the server's domain. */
  readonly #to: string;
  /** Headers that only this call has, as name and value. */
  readonly #more: ReferTarget["headers"];
  readonly #fromTag: string;
  readonly #giveUp: Timer;
  readonly #progress: Timer;
  readonly #early: EarlyDialogs;
  #redirections: Redirections | undefined;
  /** The address that a 3xx has named, in the place of what was dialled. */
  #elsewhere: string | undefined;
  /** The Min-SE that a 422 has named (RFC 4028 §7.3); 0: none has. */
  #leastInterval = 0;
  #cancelled = false;
  #sent: SentRequest | undefined;
  #leg: CallLeg | undefined;
  #others = new Map<string, CallLeg>();
  #over = false;

  /** @param user answers what the callee asks in early dialogs. */
  constructor(
    environment: CallEnvironment,
    owner: InvitationOwner,
    user: DialogUser,
    { uri, headers }: ReferTarget,
  ) {
    this.#environment = environment;
    this.#owner = owner;
    this.#to = uri;
    this.#more = headers;
    this.callId = newCallId(environment.entropy);
    this.#fromTag = newTag(environment.entropy);
    this.#giveUp = new Timer("cancelled", this);
    this.#progress = new Timer("progress", this);
    this.#early = new EarlyDialogs(environment, user);
  }

  /** The early dialog with the callee of this tag. */
  dialogFor(remoteTag: string): Dialog | undefined {
    return this.#early.dialogFor(remoteTag);
  }

  start(now: Instant): void {
    this.#sent = this.#environment.send(now, this, 1);
  }

  /** What was heard of is cancelled; should nothing follow for 64·T1 it is given up (§9.1, R19). */
  cancel(now: Instant): void {
    const { timers, policy } = this.#environment;
    this.#cancelled = true;
    timers.silence(this.#progress);
    timers.set(this.#giveUp, now + 64 * policy.t1Ms);
    this.#sent?.cancel(now);
  }

  /** Ends without a word. */
  drop(): void {
    if (this.#conclude()) this.#sent?.drop();
    this.#early.drop();
  }

  compose(attempt: AttemptPlace, cseq: number): Request {
    const { callPolicy, composer } = this.#environment;
    const server = this.#environment.server(attempt.server);
    const to = this.#to.includes(":") ? this.#to : `sip:${this.#to}@${composer.domain(server)}`;
    const request = composer.request(
      {
        method: "INVITE",
        uri: this.#elsewhere ?? to,
        from: `${composer.nameAddr(server)};tag=${this.#fromTag}`,
        to: `<${to}>`,
        callId: this.callId,
        cseq,
      },
      attempt,
    );
    request.headers
      .add("contact", composer.contact(attempt.flow.peer))
      .add("allow", ALLOW)
      .add("supported", supportedBy(callPolicy))
      .add("content-type", "application/sdp");
    for (const [name, value] of this.#more) request.headers.add(name, value);
    askForInterval(request.headers, callPolicy, this.#leastInterval);
    request.body = this.#owner.offerFor(attempt.flow);
    return request;
  }

  provisional(now: Instant, response: Response, attempt: AttemptPlace): void {
    if (this.#over) return;
    openDescription(response);
    if (!this.#cancelled) {
      this.#environment.timers.set(this.#progress, now + PROGRESS_LIMIT_MS);
    }
    if (response.status === 100 || this.#early.heard(now, response, attempt)) {
      this.#owner.progressed(now, response, attempt);
    }
  }

  final(now: Instant, response: Response, attempt: AttemptPlace, request: Request): void {
    openDescription(response);
    if (response.status >= 300 && this.#triesAgain(now, response, request)) return;
    if (!this.#conclude()) return;
    if (response.status >= 300) {
      this.#early.close();
      this.#owner.refused(now, response);
      return;
    }
    const dialog = dialogOfClient(request, response);
    if (dialog === undefined) {
      this.#owner.unanswered(now, "no-dialog");
      return;
    }
    this.#early.confirm(dialog);
    this.#leg = new CallLeg(this.#environment, dialog, attempt.flow);
    this.#leg.acknowledge(now, request);
    this.#owner.accepted(now, this.#leg, response);
  }

  failed(now: Instant, failure: Failure): void {
    if (this.#conclude()) this.#owner.unanswered(now, failure.why);
  }

  repeated(now: Instant, response: Response, attempt: AttemptPlace, request: Request): void {
    this.late(now, response, attempt, request);
  }

  /** A 2xx that comes again is acknowledged again; one of another fork, or of an attempt left behind, is ended. */
  late(now: Instant, response: Response, attempt: AttemptPlace, request: Request): void {
    openDescription(response);
    const tag = toOf(response.headers)?.tag ?? "";
    const known = this.#leg?.dialog.remoteTag === tag ? this.#leg : this.#others.get(tag);
    if (known !== undefined) {
      known.acknowledge(now, request);
      return;
    }
    if (this.#others.size === MAX_FORKS) return;
    const early = this.#early.before(tag);
    const leg = endAnswer(now, this.#environment, request, response, attempt, early);
    if (leg !== undefined) this.#others.set(tag, leg);
  }

  rang(now: Instant, timer: Timer): void {
    if (timer === this.#progress) {
      this.#owner.stalled(now);
      return;
    }
    this.#sent?.drop();
    this.failed(now, { why: "cancelled" });
  }

  /** 3xx and those behind it, or a longer session interval: the same INVITE with the next number (§8.1.3.4). */
  #triesAgain(now: Instant, refusal: Response, request: Request): boolean {
    if (this.#over || this.#cancelled) return false;
    if (refusal.status === 422) {
      const least = minSeOf(refusal.headers) ?? 0;
      if (!this.#environment.callPolicy.sessionTimer || this.#leastInterval > 0 || least === 0) {
        return false;
      }
      this.#leastInterval = least;
    } else {
      if (refusal.status < 400) this.#redirections ??= new Redirections(request.uri);
      const next = this.#redirections?.next(refusal);
      if (next === undefined) return false;
      this.#elsewhere = next;
      this.#owner.redirected(refusal.status, next);
    }
    this.#early.close();
    this.#environment.timers.silence(this.#progress);
    const cseq = cseqOf(request.headers)?.number ?? 0;
    this.#sent = this.#environment.send(now, this, cseq + 1);
    return true;
  }

  /** @returns false if it was over already. */
  #conclude(): boolean {
    this.#environment.timers.silence(this.#giveUp);
    this.#environment.timers.silence(this.#progress);
    const first = !this.#over;
    this.#over = true;
    return first;
  }
}
