/**
 * A further INVITE inside a call: hold, resume, or the refresh of RFC 4028 (RFC 3261 §14.1). It changes the session or
 * leaves it as it was (R16).
 *
 *   pending ──2xx──▶ changed
 *     │ ▲ └──other final, failure, 64·T1 after a 1xx──▶ unchanged
 *    491 └─ after 2.1–4 s if the Call-ID is ours, else 0–2 s
 */
import { uniform } from "../identifiers.ts";
import type { Instant } from "../machine.ts";
import type { Headers } from "../message/headers.ts";
import type { Request, Response } from "../message/message.ts";
import type { AttemptPlace, Failure, RequestUser } from "../redundancy/request.ts";
import { Timer, type TimerOwner } from "../timers.ts";
import type { Flow } from "../transaction/user.ts";
import { openDescription } from "./call-answers.ts";
import type { CallEnvironment, SentRequest } from "./call-environment.ts";
import { ALLOW, supportedBy } from "./call-extensions.ts";
import type { CallLeg } from "./call-leg.ts";
import { MAX_GLARES } from "./limits.ts";

/** Told once, by `changed` or `unchanged`. */
export interface ReinvitationOwner {
  offerFor(flow: Flow): string;
  /** The 2xx has been acknowledged. */
  changed(now: Instant, response: Response): void;
  /** The peer's own INVITE goes first; this one is sent again after it. */
  outpaced(): void;
  /** A final response, or none. */
  unchanged(now: Instant, why: Response | Failure["why"]): void;
}

const GLARE_STEP_MS = 10;

export class CallReinvitation implements RequestUser, TimerOwner {
  readonly method = "INVITE";
  readonly #environment: CallEnvironment;
  readonly #leg: CallLeg;
  readonly #owner: ReinvitationOwner;
  /** Whether this end made the call, and with it the Call-ID. */
  readonly #ownsCallId: boolean;
  readonly #describe: (headers: Headers) => void;
  readonly #timer: Timer;
  #sent: SentRequest | undefined;
  #waiting = false;
  #glares = 0;
  #over = false;

  /** @param describe adds what the session timer has to say. */
  constructor(
    environment: CallEnvironment,
    leg: CallLeg,
    owner: ReinvitationOwner,
    ownsCallId: boolean,
    describe: (headers: Headers) => void,
  ) {
    this.#environment = environment;
    this.#leg = leg;
    this.#owner = owner;
    this.#ownsCallId = ownsCallId;
    this.#describe = describe;
    this.#timer = new Timer("reinvite", this);
  }

  /** Whether an INVITE of ours is on its way now: then one of the peer's is answered 491 (§14.2, R17). */
  get inFlight(): boolean {
    return !this.#waiting;
  }

  start(now: Instant): void {
    this.#waiting = false;
    this.#sent = this.#leg.send(now, this);
  }

  /** Ends without a word; without `now` the whole phone does, else an answer is waited for as long as Timer B. */
  drop(now?: Instant): void {
    this.#conclude();
    this.#sent?.drop(now);
  }

  compose(attempt: AttemptPlace, cseq: number): Request {
    const request = this.#leg.compose(this, cseq, attempt.flow);
    request.headers
      .add("contact", this.#environment.composer.contact(attempt.flow.peer))
      .add("allow", ALLOW)
      .add("supported", supportedBy(this.#environment.callPolicy))
      .add("content-type", "application/sdp");
    this.#describe(request.headers);
    request.body = this.#owner.offerFor(attempt.flow);
    return request;
  }

  /** Timer B ends with a 1xx, so that a proxy which dies after its 100 would leave us waiting for good. */
  provisional(now: Instant): void {
    if (this.#over || this.#timer.pending) return;
    const { timers, policy } = this.#environment;
    timers.set(this.#timer, now + 64 * policy.t1Ms);
  }

  final(now: Instant, response: Response, attempt: AttemptPlace, request: Request): void {
    openDescription(response);
    if (response.status < 300) {
      this.#leg.flow = attempt.flow;
      this.#leg.dialog.refreshTarget(response.headers);
      this.#leg.acknowledge(now, request);
      if (this.#conclude()) this.#owner.changed(now, response);
    } else if (response.status === 491 && this.#glares < MAX_GLARES && !this.#over) {
      this.#glares += 1;
      this.#waiting = true;
      this.#owner.outpaced();
      this.#environment.timers.set(this.#timer, now + this.#glareWaitMs());
    } else if (this.#conclude()) {
      this.#owner.unchanged(now, response);
    }
  }

  failed(now: Instant, failure: Failure): void {
    if (this.#conclude()) this.#owner.unchanged(now, failure.why);
  }

  repeated(now: Instant, _response: Response, _attempt: AttemptPlace, request: Request): void {
    this.#leg.acknowledge(now, request);
  }

  /** It is the same peer that answers by another way: its answer must be acknowledged, the call goes on. */
  late(now: Instant, _response: Response, _attempt: AttemptPlace, request: Request): void {
    this.#leg.acknowledge(now, request);
  }

  rang(now: Instant): void {
    if (this.#waiting) {
      this.start(now);
      return;
    }
    if (!this.#conclude()) return;
    this.#sent?.cancel(now);
    this.#owner.unchanged(now, "timeout");
  }

  /** §14.1: steps of 10 ms. */
  #glareWaitMs(): number {
    const [low, high] = this.#ownsCallId ? [2100, 4000] : [0, 2000];
    const steps = (high - low) / GLARE_STEP_MS + 1;
    return low + GLARE_STEP_MS * Math.floor(uniform(this.#environment.entropy, 0, steps));
  }

  #conclude(): boolean {
    this.#environment.timers.silence(this.#timer);
    const first = !this.#over;
    this.#over = true;
    return first;
  }
}
