/**
 * One try of one request at one target: get a flow, send, meet a challenge there and nowhere else (C20),
 * and listen on after it was left behind.
 */
import type { Instant, LossCause, Opening, Target } from "../machine.ts";
import { retryAfterOf } from "../message/delta.ts";
import type { Request, Response } from "../message/message.ts";
import { cancelFor } from "../message/print.ts";
import { Timer, type TimerOwner, type Timers } from "../timers.ts";
import type {
  ClientTransaction,
  ClientTransactionUser,
  Flow,
  FlowUser,
  Resending,
} from "../transaction/user.ts";
import type { Credentials } from "./credentials.ts";
import { MAX_CHALLENGES } from "./limits.ts";
import type { RedundancyPolicy } from "./policy.ts";
import type { AttemptPlace } from "./request.ts";
import type { ServerHealth } from "./server-health.ts";
import type { Place } from "./server-set.ts";
import { finishes } from "./verdict.ts";

/** The part of the transaction layer that attempts need. */
export interface RequestSender {
  reach(now: Instant, target: Target, opening: Opening, user: FlowUser): void;
  request(
    now: Instant,
    request: Request,
    flow: Flow,
    resending: Resending,
    user: ClientTransactionUser,
  ): ClientTransaction;
  /** Nothing has come over a connection since `since`, though it should have. */
  doubt(now: Instant, flow: Flow, since: Instant): void;
}

export interface AttemptHost {
  readonly policy: RedundancyPolicy;
  readonly health: ServerHealth;
  readonly sender: RequestSender;
  readonly timers: Timers;
  readonly credentials: Credentials;
  /** How flows to a target are opened (the phone's own bound port). */
  opening(target: Target): Opening;
}

/** Who made the attempt. */
export interface AttemptOwner extends TimerOwner {
  readonly method: string;
  provisional(now: Instant, attempt: Attempt, response: Response): void;
  /** One that was left has been heard of. */
  heardLate(now: Instant, attempt: Attempt): void;
  final(now: Instant, attempt: Attempt, response: Response): void;
  /** `503`: meanwhile its target has asked to be left alone. */
  broken(now: Instant, attempt: Attempt, why: "timeout" | "503" | LossCause): void;
  retrying(now: Instant, attempt: Attempt): void;
  /** The CSeq number with which one begins that sends now. */
  firstCseq(): number;
  compose(attempt: AttemptPlace, cseq: number): Request;
}

export class Attempt implements FlowUser, ClientTransactionUser {
  readonly #host: AttemptHost;
  readonly #owner: AttemptOwner;
  place: Place;
  cseq = 0;
  /** Rings when this attempt has been silent for too long. */
  readonly patience: Timer;
  /** Nothing comes after it: it has all the time of Timer B or F. */
  last = false;
  /** Another attempt was heard of before this one. */
  outrun = false;
  #flow: Flow | undefined;
  #transaction: ClientTransaction | undefined;
  /** What went over a connection that was given up, while another flow is sought: it may be heard of yet. */
  #former: ClientTransaction | undefined;
  #request: Request | undefined;
  #sentAt: Instant = 0;
  /** Asking for a flow: one that is had at once stood already. */
  #reaching = false;
  /** The flow in use is a connection that stood before, and nothing has been heard over it since. */
  #stale = false;
  #again = false;
  #challenges = 0;
  #heard: "nothing" | "provisional" | "final" = "nothing";
  #left = false;
  #cancelWanted = false;
  #cancelSent = false;

  constructor(host: AttemptHost, owner: AttemptOwner, place: Place) {
    this.#host = host;
    this.#owner = owner;
    this.place = place;
    this.patience = new Timer("patience", owner);
  }

  get listensOn(): boolean {
    return true;
  }

  /** Some answer has come. */
  get heard(): boolean {
    return this.#heard !== "nothing";
  }

  /** Its request has gone out. */
  get sent(): boolean {
    return this.#request !== undefined;
  }

  /** Its request is on its way; while a flow is sought it is not, if for the second time. */
  get underWay(): boolean {
    return this.#transaction !== undefined;
  }

  /** The request as sent last. */
  get request(): Request {
    return this.#request as Request;
  }

  start(now: Instant): void {
    const target = this.place.target;
    this.#reaching = true;
    this.#host.sender.reach(now, target, this.#host.opening(target), this);
    this.#reaching = false;
  }

  reached(now: Instant, flow: Flow): void {
    if (this.#left || this.#transaction !== undefined) return;
    this.#stale = this.#reaching && !this.#again && this.place.target.transport !== "udp";
    this.#flow = flow;
    this.place = new ReachedPlace(this.place, flow, now);
    const quiet = this.#host.health.state(now, this.place.target) === "quiet";
    if (quiet && !finishes(this.#owner.method)) this.#owner.broken(now, this, "503");
    else this.#send(now);
  }

  unreached(now: Instant, cause: LossCause): void {
    if (this.#transaction === undefined && !this.#left) this.#owner.broken(now, this, cause);
  }

  responded(now: Instant, response: Response): void {
    const first = this.#heard === "nothing";
    this.#stale = false;
    this.#transaction ??= this.#former;
    this.#former = undefined;
    if (this.#left && response.status < 200) this.#owner.heardLate(now, this);
    this.#heard = response.status < 200 ? "provisional" : "final";
    if (response.status < 200) {
      if (this.#cancelWanted) this.#sendCancel(now);
      if (!this.#left && (first || response.status > 100)) {
        this.#owner.provisional(now, this, response);
      }
      return;
    }
    if (this.#left) this.#hush(now, response);
    else if (this.#retryWithCredentials(now, response)) return;
    if (!this.#left || response.status < 300) this.#owner.final(now, this, response);
  }

  failed(now: Instant, why: "timeout" | "transport", cause: LossCause | undefined): void {
    // The end of what came before says nothing of the flow that is sought.
    if (this.#left || this.#former !== undefined) return;
    if (why === "transport" && this.#stale) {
      this.#startAgain(now);
      return;
    }
    this.#owner.broken(now, this, why === "timeout" ? "timeout" : (cause ?? "failed"));
  }

  /** Goes on listening; an INVITE that is heard of after all is cancelled. */
  abandon(now: Instant): void {
    if (this.#left) return;
    this.#left = true;
    this.#host.timers.silence(this.patience);
    this.#cancelWanted = this.#owner.method === "INVITE";
    this.#transaction?.abandon(now);
    if (this.#cancelWanted && this.#heard === "provisional") this.#sendCancel(now);
  }

  /** It was silent: a connection that swallows requests is not to be used for the next one. */
  doubtFlow(now: Instant): void {
    if (this.#flow !== undefined) this.#host.sender.doubt(now, this.#flow, this.#sentAt);
  }

  /** Wants an answer after all. @returns false if it has been heard of already, told to stop, or lost its way. */
  rejoin(): boolean {
    if (!this.#left || this.#heard !== "nothing" || this.#cancelSent) return false;
    if (this.#transaction?.reclaim() !== true) return false;
    this.#left = false;
    this.#cancelWanted = false;
    return true;
  }

  /** @returns true if a final response is still to come and worth waiting for. */
  cancel(now: Instant): boolean {
    this.#cancelWanted = this.#owner.method === "INVITE";
    if (this.#heard === "provisional" && this.#cancelWanted) {
      this.#sendCancel(now);
      return true;
    }
    this.abandon(now);
    return false;
  }

  /** Meets no challenge any more. @returns true if its request is on the wire. */
  windUp(now: Instant): boolean {
    this.#challenges = MAX_CHALLENGES;
    if (this.#transaction === undefined) this.drop(now);
    return !this.#left;
  }

  /** Resends no more, if there is a `now` to stop at, and tells nobody anything. */
  drop(now: Instant | undefined): void {
    this.#left = true;
    if (now !== undefined) this.#transaction?.abandon(now);
  }

  /**
   * A connection that stood in our books only says nothing of the server: it is asked over a new one, once, and with no
   * more patience than it had (C34).
   */
  #startAgain(now: Instant): void {
    this.#again = true;
    this.#former = this.#transaction;
    this.#transaction = undefined;
    this.start(now);
  }

  #send(now: Instant): void {
    this.#former?.drop();
    this.#former = undefined;
    this.#sentAt = now;
    const place = this.place as AttemptPlace;
    if (this.#request === undefined) this.cseq = this.#owner.firstCseq();
    const request = this.#owner.compose(place, this.cseq);
    this.#host.credentials.authorize(request, place.target);
    this.#request = request;
    this.#transaction = this.#host.sender.request(
      now,
      request,
      this.#flow as Flow,
      this.#resending(),
      this,
    );
  }

  /** It asks to be left alone: that counts, however late it is. */
  #hush(now: Instant, response: Response): void {
    const wait = response.status === 503 ? retryAfterOf(response.headers) : undefined;
    if (wait !== undefined) this.#host.health.hush(now, this.place.target, wait.seconds);
  }

  #resending(): Resending {
    const { t1Ms, t2Ms, t4Ms } = this.#host.policy;
    const { hop } = this.place;
    const resends = this.request.method === "INVITE" ? hop.inviteRetries : hop.registerRetries;
    return { t1: t1Ms, t2: t2Ms, t4: t4Ms, interval: hop.retryIntervalMs, resends };
  }

  #retryWithCredentials(now: Instant, response: Response): boolean {
    if (response.status !== 401 && response.status !== 407) return false;
    this.#challenges += 1;
    if (this.#challenges > MAX_CHALLENGES || this.#cancelWanted) return false;
    const target = this.place.target;
    if (!this.#host.credentials.challenged(response, this.request, target)) return false;
    this.#host.health.responded(now, target);
    this.#heard = "nothing";
    this.#owner.retrying(now, this);
    this.#send(now);
    return true;
  }

  /** Once, and only after something was heard (RFC 3261 §9.1, R18); again if it found no way and more is heard. */
  #sendCancel(now: Instant): void {
    if (this.#cancelSent || this.#request === undefined || this.#flow === undefined) return;
    this.#cancelSent = true;
    this.#cancelOver(now, this.#flow, (at, cause) => this.#cancelAnew(at, cause));
  }

  /**
   * The way it went is gone, but the callee rings on: who hears CANCEL finds the INVITE by its branch, whatever way it
   * comes (§9.2). Where the port is closed nobody would.
   */
  #cancelAnew(now: Instant, cause: LossCause | undefined): void {
    const lost = (): void => {
      this.#cancelSent = false;
    };
    if (cause === "refused") {
      lost();
      return;
    }
    const { target } = this.place;
    this.#host.sender.reach(now, target, this.#host.opening(target), {
      reached: (at, flow) => this.#cancelOver(at, flow, lost),
      unreached: lost,
    });
  }

  #cancelOver(
    now: Instant,
    flow: Flow,
    lost: (now: Instant, cause: LossCause | undefined) => void,
  ): void {
    const cancel = cancelFor(this.#request as Request);
    this.#host.sender.request(now, cancel, flow, this.#resending(), {
      // The answer changes nothing: what counts is the final response to the INVITE (§9.1).
      responded: () => {},
      failed: (at, why, cause) => {
        if (why === "transport") lost(at, cause);
      },
    });
  }
}

/** Less than a copy of the place: what an account is registered over stays, and a fleet has many phones. */
class ReachedPlace implements AttemptPlace {
  readonly #place: Place;
  readonly flow: Flow;
  readonly since: Instant;

  constructor(place: Place, flow: Flow, since: Instant) {
    this.#place = place instanceof ReachedPlace ? place.#place : place;
    this.flow = flow;
    this.since = since;
  }

  get server(): number {
    return this.#place.server;
  }

  get hop(): Place["hop"] {
    return this.#place.hop;
  }

  get target(): Target {
    return this.#place.target;
  }

  get expiresAt(): Instant {
    return this.#place.expiresAt;
  }
}
