/**
 * The INVITE that begins a call, as its sender sees it (RFC 3261 §13.2): composed anew for each attempt, one identity
 * over all of them; the first 2xx makes the call, each other one is acknowledged and ended.
 */
import { dialogOfClient } from "../dialog/dialog.ts";
import { newCallId, newTag } from "../identifiers.ts";
import type { Instant } from "../machine.ts";
import type { Request, Response } from "../message/message.ts";
import { toOf } from "../message/name-addr.ts";
import type { AttemptPlace, Failure, RequestUser } from "../redundancy/request.ts";
import { Timer, type TimerOwner } from "../timers.ts";
import type { Flow } from "../transaction/user.ts";
import type { CallEnvironment, SentRequest } from "./call-environment.ts";
import { CallLeg, endAnswer } from "./call-leg.ts";
import { ALLOW } from "./composer.ts";

/** Told how the invitation fares. `accepted`, `refused` or `unanswered` comes exactly once. */
export interface InvitationOwner {
  offerFor(flow: Flow): string;
  /** A 1xx; the body of one above 100 may hold an early answer. */
  progressed(now: Instant, response: Response, attempt: AttemptPlace): void;
  /** The 2xx has been acknowledged. */
  accepted(now: Instant, leg: CallLeg, response: Response): void;
  refused(now: Instant, response: Response): void;
  unanswered(now: Instant, why: Failure["why"] | "no-dialog"): void;
}

/** Answers of other forks that are acknowledged and ended; of more, repetitions go unheard. */
const MAX_FORKS = 16;

export class CallInvitation implements RequestUser, TimerOwner {
  readonly method = "INVITE";
  readonly callId: string;
  readonly #environment: CallEnvironment;
  readonly #owner: InvitationOwner;
  /** As dialled: a whole URI, or a user at the server's domain. */
  readonly #to: string;
  readonly #fromTag: string;
  readonly #giveUp: Timer;
  #sent: SentRequest | undefined;
  #leg: CallLeg | undefined;
  #others = new Map<string, CallLeg>();
  #over = false;

  constructor(environment: CallEnvironment, owner: InvitationOwner, to: string) {
    this.#environment = environment;
    this.#owner = owner;
    this.#to = to;
    this.callId = newCallId(environment.entropy);
    this.#fromTag = newTag(environment.entropy);
    this.#giveUp = new Timer("cancelled", this);
  }

  start(now: Instant): void {
    this.#sent = this.#environment.send(now, this, 1);
  }

  /** What was heard of is cancelled; should nothing follow for 64·T1 it is given up (§9.1, R19). */
  cancel(now: Instant): void {
    const { timers, policy } = this.#environment;
    timers.set(this.#giveUp, now + 64 * policy.t1Ms);
    this.#sent?.cancel(now);
  }

  /** Ends without a word. */
  drop(): void {
    if (this.#conclude()) this.#sent?.drop();
  }

  compose(attempt: AttemptPlace, cseq: number): Request {
    const { composer } = this.#environment;
    const server = this.#environment.server(attempt.server);
    const uri = this.#to.includes(":") ? this.#to : `sip:${this.#to}@${composer.domain(server)}`;
    const request = composer.request(
      {
        method: "INVITE",
        uri,
        from: `${composer.nameAddr(server)};tag=${this.#fromTag}`,
        to: `<${uri}>`,
        callId: this.callId,
        cseq,
      },
      attempt,
    );
    request.headers
      .add("contact", composer.contact(attempt.flow.peer))
      .add("allow", ALLOW)
      .add("supported", "timer")
      .add("content-type", "application/sdp");
    request.body = this.#owner.offerFor(attempt.flow);
    return request;
  }

  provisional(now: Instant, response: Response, attempt: AttemptPlace): void {
    if (!this.#over) this.#owner.progressed(now, response, attempt);
  }

  final(now: Instant, response: Response, attempt: AttemptPlace, request: Request): void {
    if (!this.#conclude()) return;
    if (response.status >= 300) {
      this.#owner.refused(now, response);
      return;
    }
    const dialog = dialogOfClient(request, response);
    if (dialog === undefined) {
      this.#owner.unanswered(now, "no-dialog");
      return;
    }
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
    const tag = toOf(response.headers)?.tag ?? "";
    const known = this.#leg?.dialog.remoteTag === tag ? this.#leg : this.#others.get(tag);
    if (known !== undefined) {
      known.acknowledge(now, request);
      return;
    }
    if (this.#others.size === MAX_FORKS) return;
    const leg = endAnswer(now, this.#environment, request, response, attempt);
    if (leg !== undefined) this.#others.set(tag, leg);
  }

  rang(now: Instant): void {
    this.#sent?.drop();
    this.failed(now, { why: "cancelled" });
  }

  /** @returns false if it was over already. */
  #conclude(): boolean {
    this.#environment.timers.silence(this.#giveUp);
    const first = !this.#over;
    this.#over = true;
    return first;
  }
}
