/**
 * RFC 3261 §17.1.2, figure 6: any other request at the side that sends it.
 *
 *   Trying ────1xx────▶ Proceeding ⟲1xx ⟲E
 *    ⟲E │                  │ 200-699
 *       └─────200-699──────┴──────────▶ Completed ──K──▶ Terminated
 *   Trying | Proceeding ──F, flow lost──▶ Terminated
 *
 * Deviation: who listens on hears of answers even when the flow of datagrams is lost (§17.1.4): Terminated then comes
 * with Timer F.
 */
import type { FlowId, Instant, LossCause } from "../machine.ts";
import type { Request, Response } from "../message/message.ts";
import { Timer, type TimerOwner } from "../timers.ts";
import type { FlowMember, FlowRecord } from "./flow-record.ts";
import type { ClientEntry, ClientHost } from "./host.ts";
import { patience, timerIK } from "./timer-values.ts";
import { type ClientTransactionUser, type Resending, spacingAfter } from "./user.ts";

export type NonInviteClientState = "Trying" | "Proceeding" | "Completed" | "Terminated";

export class NonInviteClientTransaction implements ClientEntry, FlowMember, TimerOwner {
  readonly request: Request;
  readonly branch: string;
  state: NonInviteClientState = "Trying";
  before: FlowMember | undefined;
  after: FlowMember | undefined;
  readonly #host: ClientHost;
  readonly #flow: FlowRecord;
  /** Undefined once it has had its final response: all that it holds need not live until Timer K. */
  #user: ClientTransactionUser | undefined;
  readonly #resending: Resending;
  /** Undefined when there is nothing more to resend. */
  #bytes: Uint8Array | undefined;
  #spacing: number;
  readonly #startedAt: Instant;
  /** Timer E; none on a reliable transport. */
  #resend: Timer | undefined;
  /** Timer F or K. */
  #end: Timer;
  /** Its flow is, and whoever asked has been told. */
  #lost = false;

  constructor(
    now: Instant,
    host: ClientHost,
    request: Request,
    branch: string,
    bytes: Uint8Array,
    flow: FlowRecord,
    resending: Resending,
    user: ClientTransactionUser,
  ) {
    this.#host = host;
    this.request = request;
    this.branch = branch;
    this.#bytes = bytes;
    this.#flow = flow;
    this.#resending = resending;
    this.#user = user;
    this.#startedAt = now;
    this.#spacing =
      resending.interval > 0 ? resending.interval : Math.min(resending.t1, resending.t2);
    this.#end = new Timer("F", this);
    if (flow.state === "gone") {
      // Told from the timers, since whoever asked does not hold the transaction yet.
      host.timers.set(this.#end, now);
      return;
    }
    flow.join(this);
    host.timers.set(this.#end, now + patience(resending));
    if (!flow.reliable) {
      this.#resend = new Timer("E", this);
      host.timers.set(this.#resend, now + this.#spacing);
    }
    host.send(now, flow, bytes);
  }

  get flow(): FlowId {
    return this.#flow.id;
  }

  abandon(): void {
    if (this.#resend === undefined) return;
    this.#host.timers.silence(this.#resend);
    this.#resend = undefined;
  }

  reclaim(): boolean {
    return this.state === "Trying" || this.state === "Proceeding";
  }

  /** Ends it without a word. */
  drop(): void {
    this.#enter(0, "Terminated");
  }

  /** Only an INVITE can wait for ever. */
  expectFinal(): void {}

  responded(now: Instant, response: Response): void {
    switch (this.state) {
      case "Trying":
      case "Proceeding": {
        const user = this.#user;
        const final = response.status >= 200;
        this.#enter(now, final ? "Completed" : "Proceeding");
        if (final) {
          this.#user = undefined;
          this.#bytes = undefined;
        }
        user?.responded(now, response);
        break;
      }
      case "Completed":
      case "Terminated":
        break;
    }
  }

  rang(now: Instant, timer: Timer): void {
    if (this.#host.tracing) this.#host.rang(this.request, timer);
    if (timer === this.#resend) {
      this.#spacing = this.#nextSpacing(now);
      this.#host.timers.set(timer, now + this.#spacing);
      if (this.#bytes !== undefined) this.#host.send(now, this.#flow, this.#bytes);
    } else if (this.#flow.state === "gone" && this.state === "Trying" && !this.#lost) {
      this.#enter(now, "Terminated");
      this.#user?.failed(now, "transport", "closed");
    } else if (this.state === "Completed") {
      this.#enter(now, "Terminated");
    } else {
      this.#enter(now, "Terminated");
      this.#user?.failed(now, "timeout", undefined);
      this.#host.unanswered(now, this.#flow, this.#startedAt);
    }
  }

  flowLost(now: Instant, cause: LossCause): void {
    const unanswered = this.state !== "Completed";
    this.#lost = unanswered && !this.#flow.reliable && this.#user?.listensOn === true;
    if (this.#lost) this.abandon();
    else this.#enter(now, "Terminated");
    if (unanswered) this.#user?.failed(now, "transport", cause);
  }

  #nextSpacing(now: Instant): number {
    const { interval, t2 } = this.#resending;
    if (this.state === "Proceeding" && interval === 0) return t2;
    const next = spacingAfter(this.#resending, now - this.#startedAt, this.#spacing);
    return Math.min(next, Math.max(t2, interval));
  }

  #enter(now: Instant, next: NonInviteClientState): void {
    if (this.state === next) return;
    const { timers } = this.#host;
    // Proceeding goes on hearing both: a non-INVITE is resent until its final response.
    if (next !== "Proceeding") {
      if (this.#resend !== undefined) timers.silence(this.#resend);
      timers.silence(this.#end);
    }
    this.state = next;
    if (this.#host.tracing) this.#host.entered(this.request, next);
    if (next === "Completed") {
      const wait = timerIK(this.#resending, this.#flow.reliable);
      if (wait === 0) {
        this.#enter(now, "Terminated");
      } else {
        this.#end = new Timer("K", this);
        timers.set(this.#end, now + wait);
      }
    } else if (next === "Terminated") {
      this.#flow.leave(this);
      this.#host.ended(this);
    }
  }
}
