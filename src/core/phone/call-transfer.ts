/**
 * A call handed over to somebody else, as the one sees it who hands it over (RFC 3515, RFC 5589): REFER in its dialog,
 * and then what the peer tells of its own call, by NOTIFY. When that is answered ours is to end, else ours goes on.
 */
import type { Instant } from "../machine.ts";
import type { Request, Response } from "../message/message.ts";
import { paramOf } from "../message/params.ts";
import { responseTo } from "../message/print.ts";
import type { AttemptPlace, Failure, RequestUser } from "../redundancy/request.ts";
import { Timer, type TimerOwner } from "../timers.ts";
import type { CallEnvironment, SentRequest } from "./call-environment.ts";
import { ALLOW, supportedBy } from "./call-extensions.ts";
import type { CallLeg } from "./call-leg.ts";
import { isReferEvent } from "./call-referral.ts";

/** Told once how it went. */
export interface TransferOwner {
  /** The peer talks to the other. */
  transferred(now: Instant): void;
  /** @param status the refusal of the REFER, or of the peer's own call; undefined: nothing was told. */
  transferFailed(now: Instant, why: string, status?: number): void;
}

/** A peer that tells nothing further for so long tells nothing any more: three minutes, as long as a phone may ring. */
const SILENCE_MS = 181_000;

export class CallTransfer implements RequestUser, TimerOwner {
  readonly method = "REFER";
  readonly #environment: CallEnvironment;
  readonly #leg: CallLeg;
  readonly #owner: TransferOwner;
  readonly #to: string;
  readonly #patience: Timer;
  #sent: SentRequest | undefined;
  #over = false;

  /** @param to a whole URI, with Replaces if need be, or a user at the server's domain. */
  constructor(environment: CallEnvironment, leg: CallLeg, owner: TransferOwner, to: string) {
    this.#environment = environment;
    this.#leg = leg;
    this.#owner = owner;
    this.#to = to;
    this.#patience = new Timer("transfer", this);
  }

  start(now: Instant): void {
    this.#sent = this.#leg.send(now, this);
  }

  /** The call is over; without `now` the whole phone ends. */
  drop(now?: Instant): void {
    if (this.#conclude()) this.#sent?.drop(now);
  }

  compose(attempt: AttemptPlace, cseq: number): Request {
    const { callPolicy, composer } = this.#environment;
    const server = this.#environment.server(Math.max(1, attempt.server));
    const to = this.#to.includes(":") ? this.#to : `sip:${this.#to}@${composer.domain(server)}`;
    const request = this.#leg.compose(this, cseq, attempt.flow);
    request.headers
      .add("contact", composer.contact(attempt.flow.peer))
      .add("refer-to", `<${to}>`)
      .add("referred-by", composer.nameAddr(server))
      .add("allow", ALLOW)
      .add("supported", supportedBy(callPolicy));
    return request;
  }

  final(now: Instant, response: Response, attempt: AttemptPlace): void {
    if (this.#over) return;
    if (response.status >= 300) {
      this.#fail(now, "rejected", response.status);
      return;
    }
    this.#leg.flow = attempt.flow;
    this.#leg.dialog.refreshTarget(response.headers);
    this.#wait(now);
  }

  failed(now: Instant, failure: Failure): void {
    this.#fail(now, failure.why);
  }

  /** What the peer tells of its call (RFC 3515 §2.4.5). */
  notified(now: Instant, request: Request): void {
    const status = Number(/^SIP\/2\.0 ([1-6]\d\d)\b/i.exec(request.body)?.[1] ?? 0);
    const state = request.headers.get("subscription-state") ?? "";
    this.#wait(now);
    if (status >= 200 && status < 300) this.#succeed(now);
    else if (status >= 300) this.#fail(now, "rejected", status);
    else if (/^terminated\b/i.test(state)) this.#fail(now, reasonIn(state) ?? "unknown");
  }

  rang(now: Instant): void {
    this.#fail(now, "no-news");
  }

  provisional(): void {}
  repeated(): void {}
  late(): void {}

  #wait(now: Instant): void {
    if (!this.#over) this.#environment.timers.set(this.#patience, now + SILENCE_MS);
  }

  #succeed(now: Instant): void {
    if (!this.#conclude()) return;
    this.#sent?.drop(now);
    this.#owner.transferred(now);
  }

  #fail(now: Instant, why: string, status?: number): void {
    if (!this.#conclude()) return;
    this.#sent?.drop(now);
    this.#owner.transferFailed(now, why, status);
  }

  /** @returns false if it was over already. */
  #conclude(): boolean {
    this.#environment.timers.silence(this.#patience);
    const first = !this.#over;
    this.#over = true;
    return first;
  }
}

function reasonIn(state: string): string | undefined {
  const params = state.indexOf(";");
  return params < 0 ? undefined : paramOf(state.slice(params), "reason");
}

/** The peer's word on a transfer of ours; 489 for other events, 481 where there is none (RFC 6665 §4.1.3). */
export function answerNotify(request: Request, transfer: CallTransfer | undefined): Response {
  if (!isReferEvent(request)) return responseTo(request, transfer === undefined ? 481 : 489);
  return responseTo(request, transfer === undefined ? 481 : 200);
}
