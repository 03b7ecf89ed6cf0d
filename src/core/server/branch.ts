/**
 * One branch of a forwarded request: get a flow, send, pass on what is heard, cancel (RFC 3261 §16.6, §16.8, §16.10).
 */
import type { FlowId, Instant, LossCause, Opening, Target } from "../machine.ts";
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
import { isByFlow, type Way } from "./ways.ts";

/** Somebody to be called. */
export interface Callee {
  readonly requestUri: string;
  /** Routes that come before all others (RFC 3327 §5.5). */
  readonly routes: readonly string[];
  /** Best first; the next is tried when one fails. */
  readonly ways: readonly Way[];
  /** 0..1; those of a higher value are called before all others (§16.6). 1 unless said otherwise. */
  readonly q?: number;
  /** Asked for by its flow: one that is lost is told as 430 to who may know another (RFC 5626 §5.3.1). */
  readonly byFlow?: true;
  /** A box that takes the call which all others have let go; who it was for. */
  readonly divertedFrom?: string;
  /** How long those who are called before it ring, milliseconds. */
  readonly afterMs?: number;
}

/** The part of the transaction layer that branches need. */
export interface BranchSender {
  flow(id: FlowId): Flow | undefined;
  reach(now: Instant, target: Target, opening: Opening, user: FlowUser): void;
  request(
    now: Instant,
    request: Request,
    flow: Flow,
    resending: Resending,
    user: ClientTransactionUser,
  ): ClientTransaction;
}

export interface BranchHost {
  readonly sender: BranchSender;
  readonly timers: Timers;
  readonly resending: Resending;
  /** The request as it goes to that callee over that flow. */
  compose(owner: BranchOwner, callee: Callee, way: Way, flow: Flow): Request;
  /** The node at the end of that way has not answered in time. */
  suspect(now: Instant, node: string): void;
  /** It has, be it late. */
  answered(node: string): void;
}

/** Told how the branch goes. */
export interface BranchOwner {
  readonly invite: boolean;
  /** The best refusal so far; undefined: nobody has refused. */
  readonly outcome: number | undefined;
  provisional(now: Instant, response: Response): void;
  accepted(now: Instant, response: Response): void;
  ended(now: Instant, branch: Branch, response: Response | undefined): void;
  overdue(now: Instant, branch: Branch): void;
}

/** Above the three minutes that §16.6(11) asks for. */
const TIMER_C_MS = 185_000;

/** A living node says 100 to an INVITE at once; other requests wait for the phone behind it. */
const INVITE_PATIENCE_MS = 500;
const OTHER_PATIENCE_MS = 1_500;

/** Over a living flow a phone answers INVITE with 100 at once; one that it gets twice it refuses the second time. */
const FLOW_PATIENCE_MS = 3_500;

export class Branch implements FlowUser, ClientTransactionUser, TimerOwner {
  readonly #host: BranchHost;
  readonly #owner: BranchOwner;
  readonly #callee: Callee;
  readonly #way: Way;
  readonly #hasSuccessor: boolean;
  #flow: Flow | undefined;
  #transaction: ClientTransaction | undefined;
  #provisionals = 0;
  /** Reason headers of the CANCEL that is to be sent; undefined: none is. */
  #cancelWhy: readonly string[] | undefined;
  #cancelSent = false;
  #over = false;
  /** Timer C of an INVITE. */
  #c: Timer | undefined;
  #patience: Timer | undefined;
  /** What the loss that ended it counts as, of a flow (RFC 5626 §5.3.1) or a next hop (§16.9); undefined: silence. */
  lost: 430 | 503 | undefined;

  constructor(
    host: BranchHost,
    owner: BranchOwner,
    callee: Callee,
    way: Way,
    hasSuccessor: boolean,
  ) {
    this.#host = host;
    this.#owner = owner;
    this.#callee = callee;
    this.#way = way;
    this.#hasSuccessor = hasSuccessor;
  }

  start(now: Instant): void {
    const way = this.#way;
    const { sender } = this.#host;
    if (way.kind === "flow") {
      const flow = sender.flow(way.flow);
      if (flow === undefined) this.unreached(now, "closed");
      else this.reached(now, flow);
      return;
    }
    // A connected socket hears at once that the other node's port is closed.
    const opening =
      way.kind === "node" ? { from: 0, connected: true } : { from: way.from, connected: false };
    sender.reach(now, way.target, opening, this);
  }

  reached(now: Instant, flow: Flow): void {
    if (this.#over || this.#transaction !== undefined) return;
    const { sender, resending, timers } = this.#host;
    this.#flow = flow;
    const request = this.#host.compose(this.#owner, this.#callee, this.#way, flow);
    this.#transaction = sender.request(now, request, flow, resending, this);
    const wait = this.#wait;
    if (wait === undefined || this.#over) return;
    this.#patience = new Timer("patience", this);
    timers.set(this.#patience, now + wait);
  }

  unreached(now: Instant, cause: LossCause): void {
    if (this.#transaction === undefined) this.failed(now, "transport", cause);
  }

  responded(now: Instant, response: Response): void {
    this.#silence(this.#patience);
    if (this.#way.kind === "node") this.#host.answered(this.#way.node);
    if (response.status < 200) {
      this.#provisionals += 1;
      if (this.cancelled) this.#sendCancel(now);
      if (this.#owner.invite) this.#extend(now, response.status);
      this.#owner.provisional(now, response);
      return;
    }
    // Over before the owner hears of it, so that a 2xx does not cancel its own branch.
    const first = this.#close();
    if (response.status < 300) this.#owner.accepted(now, response);
    if (first) this.#owner.ended(now, this, response);
  }

  failed(now: Instant, why: "timeout" | "transport", _cause: LossCause | undefined): void {
    if (why === "transport") this.lost = isByFlow(this.#way) ? 430 : 503;
    if (this.#way.kind === "node" && this.#provisionals === 0) {
      this.#host.suspect(now, this.#way.node);
    }
    this.#end(now);
  }

  rang(now: Instant, timer: Timer): void {
    if (timer === this.#c) {
      this.cancel(now);
    } else {
      // Silence to anything else may be that of the phone behind a living node.
      if (this.#owner.invite && this.#way.kind === "node") {
        this.#host.suspect(now, this.#way.node);
      }
      this.#owner.overdue(now, this);
    }
  }

  /** It was told to stop: nobody is to be asked in its place. */
  get cancelled(): boolean {
    return this.#cancelWhy !== undefined;
  }

  /** How long nothing may be heard before the next way is tried beside this one; undefined: as long as it takes. */
  get #wait(): number | undefined {
    const { invite } = this.#owner;
    if (!this.#hasSuccessor) return undefined;
    if (this.#way.kind === "node") return invite ? INVITE_PATIENCE_MS : OTHER_PATIENCE_MS;
    return this.#way.kind === "flow" && invite ? FLOW_PATIENCE_MS : undefined;
  }

  /**
   * Only after a provisional may a CANCEL be sent (§9.1); until then it is kept, and nothing is sent again.
   *
   * @param why what is said in Reason (RFC 3326).
   */
  cancel(now: Instant, why: readonly string[] = []): void {
    if (this.#over || this.cancelled) return;
    this.#cancelWhy = why;
    if (this.#transaction === undefined) this.#end(now);
    else if (this.#provisionals > 0) this.#sendCancel(now);
    else this.#transaction.abandon(now);
  }

  /** Timer C starts with the first provisional, Timer B covering the time before, and again with each but 100. */
  #extend(now: Instant, status: number): void {
    if (this.#c !== undefined && status === 100) return;
    this.#c ??= new Timer("C", this);
    this.#host.timers.set(this.#c, now + TIMER_C_MS);
  }

  #sendCancel(now: Instant): void {
    if (this.#cancelSent || !this.#owner.invite) return;
    if (this.#transaction === undefined || this.#flow === undefined) return;
    this.#cancelSent = true;
    const { sender, resending } = this.#host;
    const cancel = cancelFor(this.#transaction.request);
    for (const reason of this.#cancelWhy ?? []) cancel.headers.add("reason", reason);
    sender.request(now, cancel, this.#flow, resending, IGNORED);
  }

  /** Ends without an answer. */
  #end(now: Instant): void {
    if (this.#close()) this.#owner.ended(now, this, undefined);
  }

  /** False: it was over already. */
  #close(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#silence(this.#patience);
    this.#silence(this.#c);
    return true;
  }

  #silence(timer: Timer | undefined): void {
    if (timer !== undefined) this.#host.timers.silence(timer);
  }
}

/** What counts is the final response to the INVITE, not that to its CANCEL (§9.1). */
const IGNORED: ClientTransactionUser = {
  responded(): void {},
  failed(): void {},
};
