/** One call from the first ring to the last word, placed or received (RFC 3261 §13–§15). */
import { type Dialog, dialogKey } from "../dialog/dialog.ts";
import type { Instant, LossCause } from "../machine.ts";
import type { Request, Response } from "../message/message.ts";
import { fromOf } from "../message/name-addr.ts";
import { responseTo } from "../message/print.ts";
import type { AttemptPlace, Failure } from "../redundancy/request.ts";
import type { Flow, ServerTransaction } from "../transaction/user.ts";
import type { CallArrival } from "./call-arrival.ts";
import { answerEarly } from "./call-early.ts";
import type {
  CallEnvironment,
  CallWitness,
  DialogUser,
  Field,
  SentRequest,
} from "./call-environment.ts";
import { refuseExtensions, supportedBy } from "./call-extensions.ts";
import { CallHandover } from "./call-handover.ts";
import { CallInvitation, type InvitationOwner } from "./call-invitation.ts";
import { CallLeg, inviteToldBy } from "./call-leg.ts";
import { CallMedia, type CallMediaOwner } from "./call-media.ts";
import { CallRinging, type RingingOwner } from "./call-ringing.ts";
import { CallSession, type CallSessionOwner } from "./call-session.ts";
import type { CallState } from "./call-state.ts";
import type { ReferTarget } from "./refer-to.ts";
import { answersUs } from "./stray-answer.ts";

/** A call as the machine of its phone has it. */
export class Call
  implements DialogUser, CallMediaOwner, InvitationOwner, RingingOwner, CallSessionOwner
{
  /** Unique on its phone. */
  readonly id: number;
  /** The peer's URI as dialled, or as its From says. */
  readonly peer: string;
  readonly direction: "outgoing" | "incoming";
  /** What brought it, if it came. */
  readonly arrival: CallArrival | undefined;
  state: CallState = "binding";
  readonly #environment: CallEnvironment;
  readonly #media: CallMedia;
  readonly #ringing: CallRinging | undefined;
  readonly #invitation: CallInvitation | undefined;
  readonly #witness: CallWitness | undefined;
  #session: CallSession | undefined;
  #handover: CallHandover | undefined;
  #goodbye: SentRequest | undefined;
  #answerWanted = false;
  #hangUpWanted = false;
  /** Why the call is cancelled, until it is over. */
  #why = "hung-up";
  #key = "";
  #answeredAt: Instant | undefined;

  /**
   * @param origin where to call, or the INVITE that came.
   * @param witness told how it fares: for who asked for that call, or the call whose place it takes.
   */
  constructor(
    environment: CallEnvironment,
    id: number,
    origin: ReferTarget | CallArrival,
    witness?: CallWitness,
  ) {
    this.#environment = environment;
    this.id = id;
    this.#witness = witness;
    this.#media = new CallMedia(environment, this);
    if ("uri" in origin) {
      this.direction = "outgoing";
      this.peer = origin.uri;
      this.#invitation = new CallInvitation(environment, this, this, origin);
    } else {
      this.direction = "incoming";
      this.peer = origin.caller;
      this.arrival = origin;
      this.#ringing = new CallRinging(environment, origin, this.#media, this);
    }
  }

  /** Calls, or begins to ring once there is a port for the audio. */
  start(): void {
    const callId = this.#invitation?.callId ?? this.arrival?.dialog.callId;
    this.report("call.started", { direction: this.direction, callId });
    if (this.arrival !== undefined) this.#join(this.arrival.dialog);
    this.#media.prepare();
  }

  /** Audio received so far, 8 kHz. */
  get recording(): Int16Array {
    return this.#media.stream.recording.samples;
  }

  get held(): boolean {
    return this.#session?.held ?? false;
  }

  /** Takes an incoming call. */
  answer(now: Instant): void {
    if (this.state === "alerting") this.#accept(now);
    else if (this.state === "binding") this.#answerWanted = true;
  }

  /** Refuses an incoming call that has not been answered, with 486 for instance. */
  refuse(now: Instant, status: number): void {
    if (this.arrival === undefined || this.#answeredAt !== undefined) return;
    if (this.state !== "terminated") this.#turnAway(now, status, "refused", status);
  }

  /** Ends the call by whatever its state asks for: nothing, CANCEL, a refusal, or BYE. */
  hangUp(now: Instant, why = "hung-up"): void {
    switch (this.state) {
      case "trying":
      case "early":
        this.#why = why;
        this.state = "cancelling";
        this.#invitation?.cancel(now);
        break;
      case "binding":
      case "alerting":
        this.#turnAway(now, 603, why);
        break;
      case "accepted":
        // No BYE before the ACK, or before it is given up (§15).
        this.#why = why;
        this.#hangUpWanted = true;
        break;
      case "confirmed":
        this.#sayGoodbye(now, why);
        break;
    }
  }

  hold(now: Instant): void {
    this.#session?.wantHeld(now, true);
  }

  resume(now: Instant): void {
    this.#session?.wantHeld(now, false);
  }

  /** Hands the peer over to a URI or user, or to the peer of another call; false: not now. */
  transfer(now: Instant, to: string | Call): boolean {
    const uri = typeof to === "string" ? to : to.#handover?.replacingUri;
    const able = this.state === "confirmed" && uri !== undefined && to !== this;
    return able && this.#handover?.transfer(now, uri) === true;
  }

  /** Sends keys; false if the peer takes none or nothing can be sent now. */
  press(keys: string): boolean {
    return this.#media.stream.press(keys);
  }

  /** Ends at once without a word: the phone shuts down. */
  drop(): void {
    this.#goodbye?.drop();
    this.#terminate();
  }

  // What arrives.

  requested(now: Instant, transaction: ServerTransaction, flow: Flow): void {
    const { request } = transaction;
    const dialog = this.#dialogOf(request);
    if (dialog === undefined || !dialog.takeTurn(request)) {
      transaction.respond(now, responseTo(request, 500));
      return;
    }
    if (this.#session !== undefined) this.#session.leg.flow = flow;
    const refusal = refuseExtensions(request, supportedBy(this.#environment.callPolicy));
    const over = this.state === "ending" || this.state === "terminated";
    const environment = this.#environment;
    if (refusal !== undefined) {
      transaction.respond(now, refusal);
    } else if (this.#session === undefined && this.#invitation !== undefined) {
      answerEarly(now, transaction, flow, { environment, dialog, media: this.#media });
    } else if (request.method === "BYE") {
      transaction.respond(now, responseTo(request, 200));
      if (!over) this.#peerHungUp(now);
    } else if (over) {
      transaction.respond(now, responseTo(request, 481));
    } else if (this.#session === undefined || request.method === "PRACK") {
      this.#ringing?.requested(now, transaction, flow);
    } else if (this.#handover?.requested(now, transaction, flow) !== true) {
      this.#session.requested(now, transaction, flow);
    }
  }

  acknowledged(now: Instant, ack: Request): void {
    this.#session?.acknowledged(now, ack);
  }

  /** The peer has taken what we gave up: it wants its ACK (RFC 3261 §13.2.2.4), and the call goes on. */
  answeredLate(now: Instant, response: Response, flow: Flow): boolean {
    const leg = this.#session?.leg;
    if (leg === undefined) return false;
    if (answersUs(this.#environment, response, flow)) leg.acknowledge(now, inviteToldBy(response));
    return true;
  }

  /** CANCEL for the INVITE that began the call; after the answer it has no effect (§9.2). */
  cancelled(now: Instant): void {
    if (this.state !== "binding" && this.state !== "alerting") return;
    this.#turnAway(now, 487, "cancelled");
  }

  // How the INVITE of a placed call fares.

  offerFor(flow: Flow): string {
    return this.#media.offer(flow, "sendrecv");
  }

  progressed(now: Instant, response: Response, attempt: AttemptPlace): void {
    if (this.state === "trying" && response.status > 100) {
      this.state = "early";
      this.report("call.ringing", { status: response.status });
    }
    if (this.state !== "trying" && this.state !== "early") return;
    if (response.status > 100) this.#witness?.heard(now, response.status);
    if (response.status > 100 && response.body !== "")
      this.#media.answered(now, attempt.flow, response.body);
  }

  accepted(now: Instant, leg: CallLeg, response: Response): void {
    this.state = "confirmed";
    this.#join(leg.dialog);
    this.#begin(now, leg);
    this.#session?.begin(now, response);
    const early = response.body === "" && this.#media.negotiated !== undefined;
    const result = early ? undefined : this.#media.answered(now, leg.flow, response.body);
    if (result?.kind === "refusal") this.#sayGoodbye(now, `bad-answer: ${result.why}`);
  }

  refused(now: Instant, response: Response): void {
    const cancelled = this.state === "cancelling";
    if (cancelled) this.#over(now, this.#why);
    else this.#over(now, "rejected", response.status);
    this.#terminate(now);
  }

  stalled(now: Instant): void {
    this.hangUp(now, "no-answer");
  }

  redirected(status: number, to: string): void {
    this.report("call.redirected", { status, to });
  }

  unanswered(now: Instant, why: Failure["why"] | "no-dialog"): void {
    this.#over(now, why === "cancelled" ? this.#why : why);
    this.#terminate(now);
  }

  // What the session and the audio tell.

  established(now: Instant): void {
    if (this.state !== "accepted") return;
    this.state = "confirmed";
    if (this.#hangUpWanted) this.#sayGoodbye(now, this.#why);
  }

  sessionOver(now: Instant, why: string, bye: boolean): void {
    if (bye) {
      this.#sayGoodbye(now, this.#hangUpWanted ? this.#why : why);
      return;
    }
    this.#over(now, why);
    this.#terminate(now);
  }

  mediaReady(now: Instant): void {
    if (this.state !== "binding") return;
    if (this.#invitation !== undefined) {
      this.state = "trying";
      this.#invitation.start(now);
    } else {
      this.#consider(now, this.#ringing as CallRinging);
    }
  }

  mediaFailed(now: Instant, cause: LossCause): void {
    if (this.state === "binding") {
      this.#turnAway(now, 500, `no-media: ${cause}`);
    } else {
      this.hangUp(now, `no-media: ${cause}`);
    }
  }

  answerable(now: Instant): void {
    if (this.state === "alerting" && this.#answerWanted) this.#accept(now);
  }

  ringingFailed(now: Instant, status: number, why: string): void {
    this.#turnAway(now, status, why);
  }

  report(event: string, fields: Readonly<Record<string, Field>>): void {
    this.#environment.report(event, { call: this.id, peer: this.peer, ...fields });
  }

  #consider(now: Instant, ringing: CallRinging): void {
    const refusal = ringing.consider();
    if (refusal !== undefined) {
      this.arrival?.refuseOffer(now, refusal);
      this.#over(now, "refused", refusal.status);
      this.#terminate(now);
      return;
    }
    this.state = "alerting";
    if (this.#answerWanted) {
      this.#accept(now);
      return;
    }
    ringing.ring(now);
    this.report("call.ringing", {});
  }

  #accept(now: Instant): void {
    const arrival = this.arrival as CallArrival;
    const ringing = this.#ringing as CallRinging;
    this.#answerWanted = true;
    if (!ringing.mayAnswer) return;
    ringing.stop();
    this.state = "accepted";
    const session = this.#begin(now, new CallLeg(this.#environment, arrival.dialog, arrival.flow));
    session.accept(now, arrival, ringing.acceptance());
  }

  #begin(now: Instant, leg: CallLeg): CallSession {
    this.#answeredAt = now;
    this.report("call.answered", {});
    this.#environment.register.answered(now);
    const ours = this.direction === "outgoing";
    this.#session = new CallSession(this.#environment, leg, this.#media, this, ours);
    this.#handover = new CallHandover(this.#environment, leg, this);
    this.#witness?.heard(now, 200);
    return this.#session;
  }

  #dialogOf(request: Request): Dialog | undefined {
    const known = this.#session?.leg.dialog ?? this.arrival?.dialog;
    return known ?? this.#invitation?.dialogFor(fromOf(request.headers)?.tag ?? "");
  }

  #peerHungUp(now: Instant): void {
    if (this.#answeredAt === undefined) this.arrival?.refuse(now, 487);
    this.#over(now, "peer-hung-up");
    this.#terminate(now);
  }

  /** Refuses the caller, if there is one, and ends what never was a call. */
  #turnAway(now: Instant, status: number, why: string, told?: number): void {
    this.arrival?.refuse(now, status);
    this.#over(now, why, told);
    this.#terminate(now);
  }

  #sayGoodbye(now: Instant, why: string): void {
    this.#over(now, why);
    this.state = "ending";
    const session = this.#session as CallSession;
    session.stop(now);
    this.#media.close();
    this.#goodbye = session.leg.sayGoodbye(now, (at) => this.#terminate(at));
  }

  #join(dialog: { callId: string; localTag: string; remoteTag: string }): void {
    this.#key = dialogKey(dialog.callId, dialog.localTag, dialog.remoteTag);
    this.#environment.register.join(this.#key, this);
  }

  /** The call is over for people: told once, with what was heard of it. */
  #over(now: Instant, why: string, status?: number): void {
    this.report("call.ended", {
      why,
      ...(status === undefined ? {} : { status }),
      seconds: this.#answeredAt === undefined ? 0 : Math.round((now - this.#answeredAt) / 1000),
      ...this.#media.figures,
    });
    this.#handover?.stop(now);
    if (this.#answeredAt === undefined) this.#witness?.heard(now, status ?? 487);
    this.#environment.register.over(now, this.id, this.#answeredAt !== undefined);
  }

  /** Without `now` the whole phone ends. */
  #terminate(now?: Instant): void {
    if (this.state === "terminated") return;
    this.state = "terminated";
    this.#session?.stop(now);
    this.#handover?.stop(now);
    this.#ringing?.stop();
    this.#media.close();
    this.#invitation?.drop();
    if (this.#key !== "") this.#environment.register.leave(this.#key);
    this.#environment.register.gone(this.id);
  }
}
