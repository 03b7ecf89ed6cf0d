/**
 * RFC 3261 §17.2.2, figure 8: any other request at the side that answers it, as RFC 4320 narrows it.
 *
 *   Trying ⟲request: nothing ──100──▶ Proceeding ⟲request
 *      │                                  │ 200-699
 *      └────────────200-699───────────────┴──────────▶ Completed ⟲request ──J──▶ Terminated
 *   Trying | Proceeding ──408: nothing is sent──▶ Terminated        Completed ──unsent──▶ Terminated
 *
 * The only provisional is 100 (R58): over datagrams not before the client's Timer E has reached T2; then at the latest.
 */
import type { FlowId, Instant } from "../machine.ts";
import type { Request, Response } from "../message/message.ts";
import { Timer, type TimerOwner } from "../timers.ts";
import { isReliable } from "./flow-record.ts";
import type { ResponseSender, ServerEntry, ServerHost } from "./host.ts";
import { timerEAtT2, timerJ } from "./timer-values.ts";
import { tryingFor } from "./trying.ts";
import type { Flow } from "./user.ts";

export type NonInviteServerState = "Trying" | "Proceeding" | "Completed" | "Terminated";

export class NonInviteServerTransaction implements ServerEntry, ResponseSender, TimerOwner {
  readonly request: Request;
  readonly key: string;
  state: NonInviteServerState = "Trying";
  sibling: ServerEntry | undefined;
  lastTo: string | undefined;
  readonly #host: ServerHost;
  readonly #flow: Flow;
  /** The last response; undefined before the first. */
  #bytes: Uint8Array | undefined;
  /** Timer 100, then J. */
  #timer: Timer;

  constructor(now: Instant, host: ServerHost, request: Request, flow: Flow, key: string) {
    this.#host = host;
    this.request = request;
    this.#flow = flow;
    this.key = key;
    this.#timer = new Timer("100", this);
    host.timers.set(this.#timer, now + timerEAtT2(host.values));
  }

  get flow(): FlowId {
    return this.#flow.id;
  }

  respond(now: Instant, response: Response): void {
    switch (this.state) {
      case "Trying":
      case "Proceeding":
        if (response.status < 200) this.#provisional(now, response);
        // The client has given up on its own account: a 408 could only hit a later hop's other answer (R59).
        else if (response.status === 408) this.#enter(now, "Terminated");
        else this.#final(now, response);
        break;
      case "Completed":
      case "Terminated":
        break;
    }
  }

  repeated(now: Instant): void {
    this.#send(now);
  }

  acknowledged(): void {}

  cancelled(): boolean {
    return false;
  }

  /** Ends it without a word. */
  drop(): void {
    this.#enter(0, "Terminated");
  }

  rang(now: Instant, timer: Timer): void {
    if (this.#host.tracing) this.#host.rang(this.request, timer);
    if (timer.name === "J") {
      this.#enter(now, "Terminated");
      return;
    }
    this.#enter(now, "Proceeding");
    this.#bytes = this.#host.encode(tryingFor(this.request));
    this.#send(now);
  }

  unsent(now: Instant): void {
    if (this.state === "Trying" || this.state === "Proceeding") return;
    this.#enter(now, "Terminated");
    this.#host.user.undelivered(now, this);
  }

  #provisional(now: Instant, response: Response): void {
    const early = this.state === "Trying" && !isReliable(this.#flow.peer.transport);
    if (response.status !== 100 || early) return;
    this.#enter(now, "Proceeding");
    this.#bytes = this.#host.encode(response);
    this.#send(now);
  }

  #final(now: Instant, response: Response): void {
    this.lastTo = response.headers.get("to");
    this.#bytes = this.#host.encode(response);
    this.#enter(now, "Completed");
    this.#send(now);
  }

  #send(now: Instant): void {
    if (this.#bytes === undefined) return;
    this.#host.respond(now, this.request, this.#flow, this.#bytes, this);
  }

  #enter(now: Instant, next: NonInviteServerState): void {
    if (this.state === next) return;
    const { timers, values } = this.#host;
    timers.silence(this.#timer);
    this.state = next;
    if (this.#host.tracing) this.#host.entered(this.request, next);
    if (next === "Completed") {
      const wait = timerJ(values, isReliable(this.#flow.peer.transport));
      if (wait === 0) {
        this.#enter(now, "Terminated");
      } else {
        this.#timer = new Timer("J", this);
        timers.set(this.#timer, now + wait);
      }
    } else if (next === "Terminated") {
      this.#host.ended(this);
    }
  }
}
