/** All calls of one phone: finds the one that a message belongs to, and keeps their number within bounds. */
import { dialogKeyOf } from "../dialog/dialog.ts";
import { newTag } from "../identifiers.ts";
import type { Instant } from "../machine.ts";
import type { Request } from "../message/message.ts";
import { responseTo } from "../message/print.ts";
import type { Flow, ServerTransaction } from "../transaction/user.ts";
import { Call } from "./call.ts";
import { arrivalOf } from "./call-arrival.ts";
import type { CallEnvironment, CallRegister, DialogUser } from "./call-environment.ts";
import type { AnswerMode } from "./phone-config.ts";

/** Calls of one phone at a time; a further one is busy here. */
export const MAX_CALLS = 32;

/** Told when the last call is over. */
export interface CallTableOwner {
  becameIdle(now: Instant): void;
}

export class CallTable implements CallRegister {
  readonly #owner: CallTableOwner;
  readonly #calls = new Map<number, Call>();
  /** The INVITE that each incoming call began with, for its CANCEL. */
  readonly #arrivals = new Map<ServerTransaction, Call>();
  readonly #dialogs = new Map<string, DialogUser>();
  readonly #up = new Set<number>();
  #lastCall = 0;

  constructor(owner: CallTableOwner) {
    this.#owner = owner;
  }

  /** No call is up or ringing; a BYE may still be on its way. */
  get idle(): boolean {
    return this.#up.size === 0;
  }

  /** Calls of which anything is left, oldest first. */
  get calls(): readonly Call[] {
    return [...this.#calls.values()];
  }

  call(id: number): Call | undefined {
    return this.#calls.get(id);
  }

  /** Places a call to a URI, or to a user at the server's domain; undefined: too many already. */
  dial(environment: CallEnvironment, to: string): Call | undefined {
    if (this.#calls.size >= MAX_CALLS) return undefined;
    return this.#begin(new Call(environment, this.#nextId(), to));
  }

  /** An INVITE outside any dialog; merged ones (RFC 3261 §8.2.2.2) are sorted out before. */
  arrived(
    now: Instant,
    environment: CallEnvironment,
    transaction: ServerTransaction,
    flow: Flow,
    mode: AnswerMode,
  ): void {
    if (this.#calls.size >= MAX_CALLS) {
      const tag = newTag(environment.entropy);
      transaction.respond(now, responseTo(transaction.request, 486, undefined, tag));
      return;
    }
    const arrival = arrivalOf(now, environment, transaction, flow);
    if (arrival === undefined) return;
    const call = new Call(environment, this.#nextId(), arrival);
    this.#arrivals.set(transaction, call);
    this.#begin(call);
    if (mode === "auto") call.answer(now);
    else if (mode === "busy") call.refuse(now, 486);
  }

  /** @returns false if the request belongs to no call's dialog. */
  requested(now: Instant, transaction: ServerTransaction, flow: Flow): boolean {
    const user = this.#find(transaction.request);
    user?.requested(now, transaction, flow);
    return user !== undefined;
  }

  /** A stray ACK is nobody's. */
  acknowledged(now: Instant, ack: Request): void {
    this.#find(ack)?.acknowledged(now, ack);
  }

  cancelled(now: Instant, transaction: ServerTransaction): void {
    this.#arrivals.get(transaction)?.cancelled(now);
  }

  /** Ends every call in order: what is up gets a BYE, what rings a CANCEL or a refusal. */
  hangUpAll(now: Instant): void {
    for (const call of this.calls) call.hangUp(now);
  }

  /** Ends everything without a word. */
  drop(): void {
    for (const call of this.calls) call.drop();
  }

  join(key: string, user: DialogUser): void {
    this.#dialogs.set(key, user);
  }

  leave(key: string): void {
    this.#dialogs.delete(key);
  }

  over(now: Instant, call: number): void {
    if (this.#up.delete(call) && this.idle) this.#owner.becameIdle(now);
  }

  gone(id: number): void {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    this.#up.delete(id);
    for (const [transaction, arrived] of this.#arrivals) {
      if (arrived === call) this.#arrivals.delete(transaction);
    }
  }

  #nextId(): number {
    this.#lastCall += 1;
    return this.#lastCall;
  }

  #begin(call: Call): Call {
    this.#calls.set(call.id, call);
    this.#up.add(call.id);
    call.start();
    return call;
  }

  #find(request: Request): DialogUser | undefined {
    const key = dialogKeyOf(request);
    return key === undefined ? undefined : this.#dialogs.get(key);
  }
}
