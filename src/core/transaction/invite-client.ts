/**
 * RFC 3261 §17.1.1, figure 5, with Accepted of RFC 6026 §7.2: an INVITE at the side that sends it.
 *
 *   Calling ────1xx────▶ Proceeding ⟲1xx ──3xx-6xx──▶ Completed ⟲3xx-6xx ──D──▶ Terminated
 *    ⟲A │ └──────3xx-6xx─────┼────────────────────────────▲        (3xx-6xx: ACK, each time)
 *       └───────2xx──────────┴──2xx──▶ Accepted ⟲2xx ──M──▶ Terminated
 *   Calling ──B──▶ Terminated, Calling | Proceeding | Completed ──flow lost──▶ Terminated
 *
 * Deviation: for a user that listens on, it outlives a flow of datagrams, and a connection that was given up for mute,
 * until Timer B. Answers come to the port, whatever became of the flow, over a connection of the server's (§18.2.2) if
 * need be, and who rings late must still be told to stop.
 * Timer B rings in Proceeding only after `abandon` or a CANCEL: a final response then has 64·T1 to come (§9.1).
 */
import type { FlowId, Instant, LossCause } from "../machine.ts";
import type { Request, Response } from "../message/message.ts";
import { ackFor } from "../message/print.ts";
import { Timer, type TimerOwner } from "../timers.ts";
import type { FlowMember, FlowRecord } from "./flow-record.ts";
import type { ClientEntry, ClientHost } from "./host.ts";
import { patience, timerD } from "./timer-values.ts";
import { type ClientTransactionUser, type Resending, spacingAfter } from "./user.ts";

export type InviteClientState = "Calling" | "Proceeding" | "Completed" | "Accepted" | "Terminated";

export class InviteClientTransaction implements ClientEntry, FlowMember, TimerOwner {
  readonly request: Request;
  readonly branch: string;
  state: InviteClientState = "Calling";
  before: FlowMember | undefined;
  after: FlowMember | undefined;
  readonly #host: ClientHost;
  #flow: FlowRecord;
  readonly #user: ClientTransactionUser;
  readonly #resending: Resending;
  /** What is resent: the INVITE, later the ACK. */
  #bytes: Uint8Array;
  #spacing: number;
  readonly #startedAt: Instant;
  /** Timer A; none on a reliable transport. */
  #resend: Timer | undefined;
  /** Timer B, D or M. */
  #end: Timer;
  #final = false;
  /** Its flow is over, and it listens on. */
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
    this.#spacing = resending.interval > 0 ? resending.interval : resending.t1;
    this.#end = new Timer("B", this);
    if (flow.state === "gone") {
      // Told from the timers, since whoever asked does not hold the transaction yet.
      host.timers.set(this.#end, now);
      return;
    }
    flow.join(this);
    host.timers.set(this.#end, now + patience(resending));
    if (!flow.reliable) {
      this.#resend = new Timer("A", this);
      host.timers.set(this.#resend, now + this.#spacing);
    }
    host.send(now, flow, bytes);
  }

  get flow(): FlowId {
    return this.#flow.id;
  }

  abandon(now: Instant): void {
    if (this.#resend !== undefined) this.#host.timers.silence(this.#resend);
    this.expectFinal(now);
  }

  /** A CANCEL was sent, or nobody waits any more: Timer B bounds Proceeding, too. */
  expectFinal(now: Instant): void {
    if (this.#final) return;
    this.#final = true;
    if (this.state === "Proceeding") this.#boundProceeding(now);
  }

  reclaim(): boolean {
    this.#final = false;
    if (this.state === "Proceeding") this.#host.timers.silence(this.#end);
    return this.state === "Calling" || this.state === "Proceeding";
  }

  /** Ends it without a word. */
  drop(): void {
    this.#enter(0, "Terminated");
  }

  responded(now: Instant, response: Response, over: FlowRecord): void {
    switch (this.state) {
      case "Calling":
      case "Proceeding":
        if (this.#flow.state === "gone") this.#goOnOver(over);
        if (response.status < 200) this.#enter(now, "Proceeding");
        else if (response.status < 300) this.#enter(now, "Accepted");
        else this.#acknowledge(now, response);
        this.#user.responded(now, response);
        break;
      case "Completed":
        if (response.status >= 300) this.#host.send(now, this.#flow, this.#bytes);
        break;
      case "Accepted":
        if (response.status >= 200 && response.status < 300) this.#user.responded(now, response);
        break;
      case "Terminated":
        break;
    }
  }

  rang(now: Instant, timer: Timer): void {
    if (this.#host.tracing) this.#host.rang(this.request, timer);
    if (timer === this.#resend) {
      this.#spacing = spacingAfter(this.#resending, now - this.#startedAt, this.#spacing);
      this.#host.timers.set(timer, now + this.#spacing);
      this.#host.send(now, this.#flow, this.#bytes);
    } else if (this.#flow.state === "gone" && this.state === "Calling" && !this.#lost) {
      this.#enter(now, "Terminated");
      this.#user.failed(now, "transport", "closed");
    } else if (this.state === "Calling" || this.state === "Proceeding") {
      this.#enter(now, "Terminated");
      this.#user.failed(now, "timeout", undefined);
      this.#host.unanswered(now, this.#flow, this.#startedAt);
    } else {
      this.#enter(now, "Terminated");
    }
  }

  /** Deviation: figure 5 also informs the TU in Completed, but it has had its final response by then. */
  flowLost(now: Instant, cause: LossCause): void {
    const unanswered = this.state === "Calling" || this.state === "Proceeding";
    // Further 2xx find their way to Accepted over any flow.
    if (this.state === "Accepted") return;
    const findsUs = !this.#flow.reliable || cause === "timeout";
    this.#lost = unanswered && findsUs && this.#user.listensOn === true;
    if (this.#lost) this.abandon(now);
    else this.#enter(now, "Terminated");
    if (unanswered) this.#user.failed(now, "transport", cause);
  }

  #goOnOver(flow: FlowRecord): void {
    this.#flow = flow;
    flow.join(this);
  }

  #acknowledge(now: Instant, response: Response): void {
    this.#bytes = this.#host.encode(ackFor(this.request, response));
    this.#host.send(now, this.#flow, this.#bytes);
    this.#enter(now, "Completed");
  }

  #boundProceeding(now: Instant): void {
    this.#host.timers.set(this.#end, now + patience(this.#resending));
  }

  #finishAfter(now: Instant, name: "D" | "M", wait: number): void {
    this.#end = new Timer(name, this);
    this.#host.timers.set(this.#end, now + wait);
  }

  #enter(now: Instant, next: InviteClientState): void {
    if (this.state === next) return;
    const { timers } = this.#host;
    if (this.#resend !== undefined) timers.silence(this.#resend);
    timers.silence(this.#end);
    this.state = next;
    if (this.#host.tracing) this.#host.entered(this.request, next);
    switch (next) {
      case "Calling":
        break;
      case "Proceeding":
        if (this.#final) this.#boundProceeding(now);
        break;
      case "Completed": {
        const wait = timerD(this.#resending, this.#flow.reliable);
        if (wait === 0) this.#enter(now, "Terminated");
        else this.#finishAfter(now, "D", wait);
        break;
      }
      case "Accepted":
        this.#finishAfter(now, "M", patience(this.#resending));
        break;
      case "Terminated":
        this.#flow.leave(this);
        this.#host.ended(this);
        break;
    }
  }
}
