/**
 * What goes on inside a call that was answered: holding and resuming, the peer's own re-INVITEs, refreshes, ACKs. It
 * knows when the session has come to its end; how the call ends is its owner's business.
 *
 * Deviation: RFC 3261 §12.2.1.2 (R13) ends a dialog whose request finds nobody. Unless audio is missed the peer
 * may well be there and only signalling cut off, so the call goes on.
 */
import type { Negotiated } from "../dialog/offer-answer.ts";
import type { Direction } from "../dialog/session-description.ts";
import type { Instant } from "../machine.ts";
import type { Headers } from "../message/headers.ts";
import type { Request, Response } from "../message/message.ts";
import { responseTo } from "../message/print.ts";
import { lists } from "../message/token-list.ts";
import type { Failure } from "../redundancy/request.ts";
import type { Flow, ServerTransaction } from "../transaction/user.ts";
import { CallAnswer, type CallAnswerOwner } from "./call-answer.ts";
import { answerPlainly } from "./call-answers.ts";
import { type CallArrival, completeAcceptance, refusalOf, unfit } from "./call-arrival.ts";
import type { CallEnvironment, Field } from "./call-environment.ts";
import { ALLOW } from "./call-extensions.ts";
import type { CallLeg } from "./call-leg.ts";
import type { CallMedia } from "./call-media.ts";
import { CallReinvitation, type ReinvitationOwner } from "./call-reinvitation.ts";
import {
  agreedAsUas,
  describeInterval,
  SessionTimer,
  type SessionTimerOwner,
  sessionIntervalOf,
} from "./call-session-timer.ts";
import { answerUpdate, CallRefresh, type RefreshOwner } from "./call-update.ts";

export interface CallSessionOwner {
  /** The ACK to the first 200 has come. */
  established(now: Instant): void;
  /** Nothing holds the call any more; `bye`: the peer may not know it yet. */
  sessionOver(now: Instant, why: string, bye: boolean): void;
  report(event: string, fields: Readonly<Record<string, Field>>): void;
}

type Purpose = "hold" | "refresh";

export class CallSession
  implements ReinvitationOwner, CallAnswerOwner, RefreshOwner, SessionTimerOwner
{
  readonly leg: CallLeg;
  readonly #environment: CallEnvironment;
  readonly #media: CallMedia;
  readonly #owner: CallSessionOwner;
  readonly #ownsCallId: boolean;
  readonly #timer: SessionTimer;
  #reinvitation: CallReinvitation | undefined;
  #purpose: Purpose = "hold";
  #refresh: CallRefresh | undefined;
  /** The peer has said that it takes UPDATE, and has refused none. */
  #updates = false;
  /** A 200 of ours that waits for its ACK. */
  #answer: CallAnswer | undefined;
  #established: boolean;
  /** Whether we hold the peer, want to, and have said so in the last offer or answer. */
  #held = false;
  #wanted = false;
  #said = false;
  #heldByPeer = false;
  #stopped = false;
  /** The 2xx that waits for its ACK made an offer, which that answers. */
  #answerOffers = false;
  /** Audio waits for the ACK: what names its address may come from anybody, who may not hear us. */
  #unproven = false;

  constructor(
    environment: CallEnvironment,
    leg: CallLeg,
    media: CallMedia,
    owner: CallSessionOwner,
    ownsCallId: boolean,
  ) {
    this.#environment = environment;
    this.leg = leg;
    this.#media = media;
    this.#owner = owner;
    this.#ownsCallId = ownsCallId;
    this.#established = ownsCallId;
    this.#timer = new SessionTimer(this, environment.timers);
  }

  /** Our INVITE was answered. */
  begin(now: Instant, response: Response): void {
    this.#noteAllowed(response.headers);
    this.#timer.agree(now, sessionIntervalOf(response.headers), "uac");
  }

  /** Answers the INVITE that began the call. */
  accept(now: Instant, arrival: CallArrival, body: string): void {
    this.#answerWith(now, arrival.transaction, arrival.acceptance(body));
  }

  get held(): boolean {
    return this.#held;
  }

  /** Holds or resumes as soon as no other INVITE is on its way. */
  wantHeld(now: Instant, wanted: boolean): void {
    this.#wanted = wanted;
    this.#settle(now);
  }

  /** Without `now` the whole phone ends. */
  stop(now?: Instant): void {
    this.#stopped = true;
    this.#reinvitation?.drop(now);
    this.#reinvitation = undefined;
    this.#refresh?.drop(now);
    this.#answer?.stop();
    this.#timer.stop();
  }

  /** A request of the peer's, in its turn. */
  requested(now: Instant, transaction: ServerTransaction, flow: Flow): void {
    const { request } = transaction;
    switch (request.method) {
      case "INVITE":
        this.#reinvited(now, transaction, flow);
        break;
      case "UPDATE":
        this.#updated(now, transaction, flow);
        break;
      case "PRACK":
        // The INVITE has its final answer: what is acknowledged here is repeated no more.
        transaction.respond(now, responseTo(request, 481));
        break;
      default:
        transaction.respond(
          now,
          answerPlainly(request, this.#environment.callPolicy, (key) =>
            this.#media.keyPressed(now, key),
          ),
        );
    }
  }

  #reinvited(now: Instant, transaction: ServerTransaction, flow: Flow): void {
    const { request } = transaction;
    const refusal = this.#refusal(request);
    if (refusal !== undefined) {
      transaction.respond(now, refusal);
      return;
    }
    const wish = this.#wish();
    let body: string;
    if (request.body === "") {
      body = this.#media.offer(flow, wish);
    } else {
      const answer = this.#media.answer(flow, request.body, wish);
      if (answer.kind === "refusal") {
        transaction.respond(now, refusalOf(request, answer));
        return;
      }
      body = answer.body;
    }
    this.leg.dialog.refreshTarget(request.headers);
    const response = responseTo(request, 200);
    response.headers
      .add("contact", this.#environment.composer.contact(flow.peer))
      .add("allow", ALLOW);
    completeAcceptance(request, response, body, this.#environment.callPolicy);
    this.#answerWith(now, transaction, response);
  }

  #updated(now: Instant, transaction: ServerTransaction, flow: Flow): void {
    const { request } = transaction;
    const { callPolicy } = this.#environment;
    const response = answerUpdate(request, flow, {
      environment: this.#environment,
      dialog: this.leg.dialog,
      media: this.#media,
      wish: this.#wish(),
      owesAnswer: false,
    });
    if (response.status === 200) {
      const interval = agreedAsUas(request.headers, callPolicy);
      describeInterval(response.headers, interval);
      this.#timer.agree(now, interval, "uas");
      this.#noteAllowed(request.headers);
    }
    transaction.respond(now, response);
    if (response.body !== "") this.#carry(now);
  }

  acknowledged(now: Instant, ack: Request): void {
    this.#answer?.acknowledged(now, ack);
  }

  answerAcknowledged(now: Instant, ack: Request): void {
    this.#answer = undefined;
    const first = !this.#established;
    this.#established = true;
    if (this.#answerOffers) {
      const result = this.#media.answered(now, this.leg.flow, ack.body);
      if (result.kind === "refusal") {
        this.#owner.sessionOver(now, `bad-answer: ${result.why}`, true);
        return;
      }
      this.#noteHolds(result);
    } else if (this.#unproven) this.#carry(now);
    if (first) this.#owner.established(now);
    this.#settle(now);
  }

  /** §13.3.1.4: the dialog stands, the session does not. A later INVITE without ACK ends nothing that is heard. */
  answerUnacknowledged(now: Instant): void {
    this.#answer = undefined;
    if (this.#established && !this.#media.missed(now)) {
      if (this.#answerOffers) this.#media.withdrawOffer();
      this.#settle(now);
    } else {
      this.#owner.sessionOver(now, "unacknowledged", true);
    }
  }

  offerFor(flow: Flow): string {
    return this.#media.offer(flow, this.#wish());
  }

  changed(now: Instant, response: Response): void {
    this.#reinvitation = undefined;
    const result = this.#media.answered(now, this.leg.flow, response.body);
    if (result.kind === "refusal") {
      this.#owner.sessionOver(now, `bad-answer: ${result.why}`, true);
      return;
    }
    this.#timer.agree(now, sessionIntervalOf(response.headers), "uac");
    this.#noteHolds(result);
    this.#settle(now);
  }

  outpaced(): void {
    this.#media.withdrawOffer();
  }

  unchanged(now: Instant, why: Response | Failure["why"]): void {
    this.#reinvitation = undefined;
    this.#media.withdrawOffer();
    if (this.#lengthened(why)) {
      this.#reinvite(now, this.#purpose);
      return;
    }
    const status = typeof why === "string" ? 0 : why.status;
    const word = typeof why === "string" ? why : "rejected";
    this.#owner.report("call.reinvite-failed", {
      why: word,
      ...(status === 0 ? {} : { status }),
    });
    if (status === 481) {
      this.#owner.sessionOver(now, "481", false);
      return;
    }
    const nobody = word !== "rejected" || status === 408;
    const barred = word === "not-registered";
    if (this.#purpose === "hold" && nobody && (barred || this.#media.missed(now))) {
      // Barred: the makers document that hold and resume then end the call (C40).
      this.#owner.sessionOver(now, word === "rejected" ? "408" : word, true);
      return;
    }
    this.#wanted = this.#held;
    if (this.#purpose === "refresh") this.#timer.refreshFailed(now);
  }

  sessionRefreshDue(now: Instant): void {
    const busy = this.#refresh !== undefined || this.#reinvitation !== undefined;
    if (busy || this.#answer !== undefined) this.#timer.refreshFailed(now);
    else if (this.#updates) this.#sendRefresh(now);
    else this.#reinvite(now, "refresh");
  }

  refreshed(now: Instant, response: Response): void {
    this.#refresh = undefined;
    this.#timer.agree(now, sessionIntervalOf(response.headers), "uac");
  }

  unrefreshed(now: Instant, why: Response | Failure["why"]): void {
    this.#refresh = undefined;
    const status = typeof why === "string" ? 0 : why.status;
    if (status === 481) {
      this.#owner.sessionOver(now, "481", false);
    } else if (this.#lengthened(why)) {
      this.#sendRefresh(now);
    } else if (status === 405 || status === 501) {
      this.#updates = false;
      this.sessionRefreshDue(now);
    } else {
      this.#timer.refreshFailed(now);
    }
  }

  sessionExpired(now: Instant): void {
    if (this.#media.flows(now)) {
      this.#owner.report("call.session-expired", { kept: true });
      this.#timer.postpone(now);
    } else {
      this.#owner.sessionOver(now, "session-expired", true);
    }
  }

  #refusal(request: Request): Response | undefined {
    const glare = this.#reinvitation?.inFlight === true || this.#media.offering;
    return glare ? responseTo(request, 491) : unfit(request, this.#environment.callPolicy);
  }

  #answerWith(now: Instant, transaction: ServerTransaction, response: Response): void {
    this.#answer?.stop();
    const { timers, policy } = this.#environment;
    this.#answer = new CallAnswer(this, timers, policy, transaction, response);
    this.#answer.start(now);
    const { headers } = transaction.request;
    this.#timer.agree(now, agreedAsUas(headers, this.#environment.callPolicy), "uas");
    this.#noteAllowed(headers);
    this.#answerOffers = this.#media.offering;
    if (this.#answerOffers) return;
    this.#unproven = !this.#established && !this.#environment.isServer(this.leg.flow.peer);
    if (!this.#unproven) this.#carry(now);
  }

  /** Audio goes as was agreed. */
  #carry(now: Instant): void {
    this.#unproven = false;
    this.#media.start(now);
    if (this.#media.negotiated !== undefined) this.#noteHolds(this.#media.negotiated);
  }

  /** Sends what is still wanted, if nothing else is on its way (§14.1). */
  #settle(now: Instant): void {
    if (this.#wanted === this.#held || !this.#established || this.#stopped) return;
    if (this.#reinvitation !== undefined || this.#answer !== undefined) return;
    this.#reinvite(now, "hold");
  }

  /** An INVITE refreshes, too: sent elsewhere after it an UPDATE would come out of turn (RFC 3261 §12.2.1.1). */
  #reinvite(now: Instant, purpose: Purpose): void {
    this.#purpose = purpose;
    if (this.#refresh !== undefined) {
      this.#refresh.drop(now);
      this.#refresh = undefined;
      this.#timer.refreshFailed(now);
    }
    const reinvitation = new CallReinvitation(
      this.#environment,
      this.leg,
      this,
      this.#ownsCallId,
      (headers) => this.#timer.describe(headers),
    );
    this.#reinvitation = reinvitation;
    reinvitation.start(now);
  }

  #sendRefresh(now: Instant): void {
    const refresh = new CallRefresh(this.#environment, this.leg, this, (headers) =>
      this.#timer.describe(headers),
    );
    this.#refresh = refresh;
    refresh.start(now);
  }

  /** 422: the same again with the interval that was asked for (RFC 4028 §7.3). */
  #lengthened(why: Response | Failure["why"]): boolean {
    return typeof why !== "string" && why.status === 422 && this.#timer.lengthen(why.headers);
  }

  #noteAllowed(headers: Headers): void {
    if (headers.has("allow")) this.#updates = lists(headers, "allow", "UPDATE", true);
  }

  #wish(): Direction {
    this.#said = this.#wanted;
    return this.#wanted ? "sendonly" : "sendrecv";
  }

  /** Tells who holds whom, after each agreement. */
  #noteHolds(negotiated: Negotiated): void {
    const held = this.#said;
    if (held !== this.#held) {
      this.#held = held;
      this.#owner.report(held ? "call.held" : "call.resumed", { by: "us" });
    }
    const heldByPeer = !negotiated.sends;
    if (heldByPeer !== this.#heldByPeer) {
      this.#heldByPeer = heldByPeer;
      this.#owner.report(heldByPeer ? "call.held" : "call.resumed", { by: "peer" });
    }
  }
}
