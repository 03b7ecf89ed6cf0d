/** The calls of a phone: which request belongs to which, and what becomes of one that begins a call. */
import { dialogKey, dialogKeyOf } from "../dialog/dialog.ts";
import { newTag } from "../identifiers.ts";
import type { Instant, Peer } from "../machine.ts";
import { cseqOf } from "../message/cseq.ts";
import type { Request, Response } from "../message/message.ts";
import { fromOf, toOf } from "../message/name-addr.ts";
import { responseTo } from "../message/print.ts";
import type { Entropy } from "../primitives.ts";
import type { Flow, ServerTransaction } from "../transaction/user.ts";
import { Call } from "./call.ts";
import { answerPlainly, answerUnknown, describeSelf, openDescription } from "./call-answers.ts";
import { arrivalOf } from "./call-arrival.ts";
import type { CallEnvironment, CallRegister, CallWitness, DialogUser } from "./call-environment.ts";
import { refuseExtensions, supportedBy } from "./call-extensions.ts";
import { MAX_CALLS, MAX_KNOWN_INVITES } from "./limits.ts";
import type { AnswerMode } from "./phone-config.ts";
import { type ReferTarget, replacedBy } from "./refer-to.ts";
import { StrayAnswers } from "./stray-answer.ts";

/** Requests that mean nothing outside a dialog. */
const OF_DIALOGS = new Set(["BYE", "INFO", "NOTIFY", "PRACK", "UPDATE"]);
/** Methods that bring session descriptions. */
const DESCRIBING = new Set(["INVITE", "PRACK", "UPDATE"]);

interface KnownInvite {
  readonly cseq: number;
  readonly call: number;
  /** That call was up, and is over. */
  spent: boolean;
}

export interface PhoneCallsHost {
  readonly entropy: Entropy;
  readonly answerMode: AnswerMode;
  /** False once it is about to stop: nobody would be there to answer. */
  readonly takesCalls: boolean;
  /** The account that a request is for; undefined: none of this phone. */
  environmentFor(request: Request, from: Peer): CallEnvironment | undefined;
  /** The last call is over. */
  becameIdle(now: Instant): void;
  /** The first call was answered, or the last that was is over. */
  talks(now: Instant, talking: boolean): void;
}

export class PhoneCalls implements CallRegister {
  readonly #host: PhoneCallsHost;
  readonly #dialogs = new Map<string, DialogUser>();
  readonly #calls = new Map<number, Call>();
  /** Calls that people still have. */
  readonly #live = new Set<number>();
  /** Those of them that were answered. */
  #talking = 0;
  /** Calls by the INVITE that brought them, until it is over. */
  readonly #invites = new Map<ServerTransaction, Call>();
  /** Answers to calls that nobody remembers. */
  readonly strays: StrayAnswers = new StrayAnswers();
  /**
   * INVITEs that have made a call, by Call-ID and From tag: a leg that comes late by another server is the same
   * call.
   */
  readonly #known = new Map<string, KnownInvite>();
  #lastId = 0;
  #heardLast: Int16Array = new Int16Array(0);

  constructor(host: PhoneCallsHost) {
    this.#host = host;
  }

  /** No call up or ringing. */
  get idle(): boolean {
    return this.#live.size === 0;
  }

  /** Calls of which something is left, be it a BYE on its way. */
  get size(): number {
    return this.#calls.size;
  }

  /** The call that people mean when they say nothing else: the latest that is not over. */
  get current(): Call | undefined {
    let latest: Call | undefined;
    for (const id of this.#live) latest = this.#calls.get(id);
    return latest;
  }

  /** What was heard in the current call, or else in the last one: 8 kHz, as far as recording was asked for. */
  get recording(): Int16Array {
    return this.current?.recording ?? this.#heardLast;
  }

  callNumbered(id: number): Call | undefined {
    return this.#calls.get(id);
  }

  place(environment: CallEnvironment, uri: string): Call {
    return this.#begin((id) => new Call(environment, id, { uri, headers: [] }));
  }

  refer(environment: CallEnvironment, target: ReferTarget, told: CallWitness): number | undefined {
    if (!this.#host.takesCalls || this.#calls.size >= MAX_CALLS) return undefined;
    return this.#begin((id) => new Call(environment, id, target, told)).id;
  }

  /** @returns false if nothing can be handed over. */
  transfer(now: Instant, to?: string): boolean {
    const { current } = this;
    if (to !== undefined) return current?.transfer(now, to) ?? false;
    const before = [...this.#live].at(-2) ?? 0;
    return (current && this.#calls.get(before)?.transfer(now, current)) ?? false;
  }

  requested(now: Instant, transaction: ServerTransaction, flow: Flow): void {
    const { request } = transaction;
    if (DESCRIBING.has(request.method)) openDescription(request);
    const key = dialogKeyOf(request);
    const user = key === undefined ? undefined : this.#dialogs.get(key);
    if (user !== undefined) {
      user.requested(now, transaction, flow);
      return;
    }
    if (toOf(request.headers)?.tag !== undefined) {
      transaction.respond(now, answerUnknown(request, this.#host.entropy));
      return;
    }
    const tag = newTag(this.#host.entropy);
    const environment = this.#host.environmentFor(request, flow.peer);
    if (environment === undefined) {
      transaction.respond(now, responseTo(request, 404, undefined, tag));
      return;
    }
    const { callPolicy } = environment;
    const refusal = refuseExtensions(request, supportedBy(callPolicy), tag);
    if (refusal !== undefined) {
      transaction.respond(now, refusal);
    } else if (request.method === "INVITE") {
      this.#invited(now, environment, transaction, flow);
    } else if (request.method === "OPTIONS") {
      transaction.respond(now, describeSelf(request, callPolicy, tag));
    } else if (OF_DIALOGS.has(request.method)) {
      transaction.respond(now, answerUnknown(request, this.#host.entropy));
    } else {
      transaction.respond(
        now,
        answerPlainly(request, callPolicy, () => {}),
      );
    }
  }

  cancelled(now: Instant, transaction: ServerTransaction): boolean {
    const call = this.#invites.get(transaction);
    call?.cancelled(now);
    return call !== undefined;
  }

  acknowledged(now: Instant, ack: Request): void {
    openDescription(ack);
    const key = dialogKeyOf(ack);
    if (key !== undefined) this.#dialogs.get(key)?.acknowledged(now, ack);
  }

  /** A 2xx whose transaction is long over. False: to an INVITE that has made no dialog which stands. */
  strayed(now: Instant, response: Response, flow: Flow): boolean {
    openDescription(response);
    const { headers } = response;
    const [from, to] = [fromOf(headers)?.tag ?? "", toOf(headers)?.tag ?? ""];
    const user = this.#dialogs.get(dialogKey(headers.get("call-id") ?? "", from, to));
    return user?.answeredLate(now, response, flow) ?? false;
  }

  hangUpAll(now: Instant): void {
    for (const call of [...this.#calls.values()]) call.hangUp(now);
  }

  dropAll(): void {
    for (const call of [...this.#calls.values()]) call.drop();
  }

  // What the calls tell.

  join(key: string, user: DialogUser): void {
    this.#dialogs.set(key, user);
  }

  leave(key: string): void {
    this.#dialogs.delete(key);
  }

  answered(now: Instant): void {
    this.#talking += 1;
    if (this.#talking === 1) this.#host.talks(now, true);
  }

  over(now: Instant, call: number, answered: boolean): void {
    this.#heardLast = this.#calls.get(call)?.recording ?? this.#heardLast;
    if (answered) {
      for (const known of this.#known.values()) known.spent ||= known.call === call;
      this.#talking -= 1;
      if (this.#talking === 0) this.#host.talks(now, false);
    }
    if (this.#live.delete(call) && this.#live.size === 0) this.#host.becameIdle(now);
  }

  gone(call: number): void {
    this.#calls.delete(call);
    this.#live.delete(call);
    for (const [transaction, one] of this.#invites) {
      if (one.id === call) this.#invites.delete(transaction);
    }
  }

  get #refusal(): { readonly status: number; readonly why: string } | undefined {
    if (!this.#host.takesCalls) return { status: 480, why: "stopping" };
    if (this.#host.answerMode === "busy") return { status: 486, why: "busy" };
    return this.#calls.size < MAX_CALLS ? undefined : { status: 486, why: "too-many" };
  }

  #invited(
    now: Instant,
    environment: CallEnvironment,
    transaction: ServerTransaction,
    flow: Flow,
  ): void {
    const refusal = this.#refusal;
    if (refusal !== undefined) {
      const tag = newTag(this.#host.entropy);
      transaction.respond(now, responseTo(transaction.request, refusal.status, undefined, tag));
      const peer = fromOf(transaction.request.headers)?.uri ?? "";
      environment.report("call.refused", { peer, ...refusal });
      return;
    }
    if (this.#isMerged(transaction.request)) {
      transaction.respond(now, responseTo(transaction.request, 482));
      return;
    }
    const replaced = this.#replacedBy(transaction.request);
    if (typeof replaced === "number") {
      const tag = newTag(this.#host.entropy);
      transaction.respond(now, responseTo(transaction.request, replaced, undefined, tag));
      return;
    }
    const arrival = arrivalOf(now, environment, transaction, flow);
    if (arrival === undefined) return;
    const call = this.#begin((id) => new Call(environment, id, arrival, replacing(replaced)));
    if (this.#calls.has(call.id)) this.#invites.set(transaction, call);
    this.#remember(transaction.request, call);
    if (replaced !== undefined || this.#host.answerMode === "auto") call.answer(now);
  }

  /** The call whose place that INVITE takes, if it may (RFC 3891 §3); the status that refuses it. */
  #replacedBy({ headers }: Request): Call | number | undefined {
    const named = replacedBy(headers);
    if (named === undefined) return undefined;
    if (named === "malformed") return 400;
    const call = this.#dialogs.get(named.key);
    if (!(call instanceof Call) || call.state !== "confirmed") return 481;
    return named.earlyOnly ? 486 : call;
  }

  /**
   * RFC 3261 §8.2.2.2, and beyond: legs of one call differ in CSeq when one server asked for credentials and
   * another did not, and a frozen server may deliver its leg when the call is long over. Nobody who was refused means
   * a call that was up.
   */
  #isMerged(request: Request): boolean {
    const known = this.#known.get(inviteKey(request));
    if (known === undefined) return false;
    const number = cseqOf(request.headers)?.number ?? 0;
    return number <= known.cseq || known.spent || this.#live.has(known.call);
  }

  #remember(request: Request, call: Call): void {
    const key = inviteKey(request);
    this.#known.delete(key);
    const cseq = cseqOf(request.headers)?.number ?? 0;
    this.#known.set(key, { cseq, call: call.id, spent: false });
    const oldest = this.#known.keys().next();
    if (this.#known.size > MAX_KNOWN_INVITES && !oldest.done) this.#known.delete(oldest.value);
  }

  #begin(make: (id: number) => Call): Call {
    this.#lastId += 1;
    const call = make(this.#lastId);
    this.#calls.set(call.id, call);
    this.#live.add(call.id);
    call.start();
    return call;
  }
}

/** A call whose place was taken ends when the new one is answered, and not before (RFC 3891 §3). */
function replacing(replaced: Call | undefined): CallWitness | undefined {
  if (replaced === undefined) return undefined;
  return {
    heard: (now, status) => {
      if (status < 300) replaced.hangUp(now, "replaced");
    },
  };
}

function inviteKey({ headers }: Request): string {
  return `${headers.get("call-id")} ${fromOf(headers)?.tag ?? ""}`;
}
