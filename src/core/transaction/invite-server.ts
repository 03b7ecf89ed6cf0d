/**
 * RFC 3261 §17.2.1, figure 7, with Accepted of RFC 6026 §7.1: an INVITE at the side that answers it.
 *
 *   Proceeding ⟲INVITE ⟲1xx ⟲100 ──2xx──▶ Accepted ⟲2xx ⟲INVITE: nothing ──L──▶ Terminated
 *       │
 *       └──300-699──▶ Completed ⟲G ⟲INVITE ──ACK──▶ Confirmed ──I──▶ Terminated
 *                         └──H, unsent──▶ Terminated
 *
 * Until the TU has said something, timer 100 says 100 after 200 ms.
 */
import type { FlowId, Instant } from "../machine.ts";
import type { Request, Response } from "../message/message.ts";
import { Timer, type TimerOwner } from "../timers.ts";
import { isReliable } from "./flow-record.ts";
import type { ResponseSender, ServerEntry, ServerHost } from "./host.ts";
import { patience, TRYING_AFTER_MS, timerIK } from "./timer-values.ts";
import { tryingFor } from "./trying.ts";
import type { Flow } from "./user.ts";

export type InviteServerState =
  | "Proceeding"
  | "Completed"
  | "Confirmed"
  | "Accepted"
  | "Terminated";

export class InviteServerTransaction implements ServerEntry, ResponseSender, TimerOwner {
  readonly request: Request;
  readonly key: string;
  state: InviteServerState = "Proceeding";
  sibling: ServerEntry | undefined;
  lastTo: string | undefined;
  readonly #host: ServerHost;
  readonly #flow: Flow;
  /** The last response; undefined before the first. */
  #bytes: Uint8Array | undefined;
  #spacing = 0;
  #cancelled = false;
  /** Timer 100, then G. */
  #resend: Timer;
  /** Timer H, I or L. */
  #end: Timer | undefined;

  constructor(now: Instant, host: ServerHost, request: Request, flow: Flow, key: string) {
    this.#host = host;
    this.request = request;
    this.#flow = flow;
    this.key = key;
    this.#resend = new Timer("100", this);
    host.timers.set(this.#resend, now + TRYING_AFTER_MS);
  }

  get flow(): FlowId {
    return this.#flow.id;
  }

  /** A response that the state has no place for (a second final, say, after a CANCEL crossed a 200) is ignored. */
  respond(now: Instant, response: Response): void {
    const { status } = response;
    switch (this.state) {
      case "Proceeding":
        this.lastTo = response.headers.get("to");
        this.#bytes = this.#host.encode(response);
        if (status < 200) this.#host.timers.silence(this.#resend);
        else this.#enter(now, status < 300 ? "Accepted" : "Completed");
        this.#send(now);
        break;
      case "Accepted":
        if (status < 200 || status > 299) break;
        this.#bytes = this.#host.encode(response);
        this.#send(now);
        break;
      case "Completed":
      case "Confirmed":
      case "Terminated":
        break;
    }
  }

  repeated(now: Instant): void {
    if (this.state === "Proceeding" || this.state === "Completed") this.#send(now);
  }

  acknowledged(now: Instant, ack: Request, flow: Flow): void {
    if (this.state === "Completed") this.#enter(now, "Confirmed");
    else if (this.state === "Accepted") this.#host.user.acknowledged(now, ack, flow);
  }

  cancelled(): boolean {
    const first = !this.#cancelled && this.state === "Proceeding";
    this.#cancelled = true;
    return first;
  }

  /** Ends it without a word. */
  drop(): void {
    this.#enter(0, "Terminated");
  }

  rang(now: Instant, timer: Timer): void {
    if (this.#host.tracing) this.#host.rang(this.request, timer);
    switch (timer.name) {
      case "100":
        this.#bytes = this.#host.encode(tryingFor(this.request));
        this.#send(now);
        break;
      case "G":
        this.#spacing = Math.min(2 * this.#spacing, this.#host.values.t2);
        this.#host.timers.set(timer, now + this.#spacing);
        this.#send(now);
        break;
      case "H":
        this.#enter(now, "Terminated");
        this.#host.user.undelivered(now, this);
        break;
      default:
        this.#enter(now, "Terminated");
    }
  }

  /** In Accepted the TU resends 2xx, so it goes on (RFC 6026 §8.7); a provisional may well be lost. */
  unsent(now: Instant): void {
    if (this.state === "Completed") this.#enter(now, "Terminated");
    else if (this.state !== "Accepted") return;
    this.#host.user.undelivered(now, this);
  }

  #send(now: Instant): void {
    if (this.#bytes === undefined) return;
    this.#host.respond(now, this.request, this.#flow, this.#bytes, this);
  }

  #endAfter(now: Instant, name: "H" | "I" | "L", wait: number): void {
    this.#end = new Timer(name, this);
    this.#host.timers.set(this.#end, now + wait);
  }

  #enter(now: Instant, next: InviteServerState): void {
    if (this.state === next) return;
    const { timers, values } = this.#host;
    timers.silence(this.#resend);
    if (this.#end !== undefined) timers.silence(this.#end);
    this.state = next;
    if (this.#host.tracing) this.#host.entered(this.request, next);
    const reliable = isReliable(this.#flow.peer.transport);
    switch (next) {
      case "Proceeding":
        break;
      case "Completed":
        this.#endAfter(now, "H", patience(values));
        if (reliable) break;
        this.#spacing = values.t1;
        this.#resend = new Timer("G", this);
        timers.set(this.#resend, now + this.#spacing);
        break;
      case "Confirmed": {
        const wait = timerIK(values, reliable);
        if (wait === 0) this.#enter(now, "Terminated");
        else this.#endAfter(now, "I", wait);
        break;
      }
      case "Accepted":
        this.#endAfter(now, "L", patience(values));
        break;
      case "Terminated":
        this.#host.ended(this);
        break;
    }
  }
}
