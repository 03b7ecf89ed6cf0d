/**
 * One phone or a whole fleet as a Machine: one transaction layer, one outbox and one heap of timers serve them
 * all, so that a million phones cost a million small objects.
 */
import { Inquiries } from "../inquiry.ts";
import { NameService } from "../locate/name-service.ts";
import { RecordCache } from "../locate/record-cache.ts";
import type { FlowId, Instant, Local, LossCause, Machine, Peer, World } from "../machine.ts";
import type { Request, Response } from "../message/message.ts";
import { responseTo } from "../message/print.ts";
import { Outbox } from "../outbox.ts";
import type { Primitives } from "../primitives.ts";
import { SharedAskings } from "../redundancy/credentials.ts";
import { PlaceLists } from "../redundancy/place-lists.ts";
import type { DnsPolicy } from "../redundancy/policy.ts";
import { Timers } from "../timers.ts";
import { TransactionLayer } from "../transaction/layer.ts";
import type { Flow, ServerTransaction, TransactionUser } from "../transaction/user.ts";
import type { Answer } from "../vocabulary.ts";
import { AnsweringTargets } from "./answering-targets.ts";
import { SharedTerms } from "./outbound.ts";
import { Phone } from "./phone.ts";
import type { PhoneConfig } from "./phone-config.ts";
import type { PhoneShared } from "./phone-shared.ts";
import { Resolutions } from "./resolutions.ts";

/** Phones as a Machine; `add` them, then `start` each. */
export class PhoneMachine implements Machine, TransactionUser {
  readonly #outbox = new Outbox();
  readonly #timers = new Timers();
  readonly #inquiries: Inquiries;
  readonly #layer: TransactionLayer;
  readonly #shared: PhoneShared;
  readonly #cache = new RecordCache();
  readonly #names = new Map<DnsPolicy, NameService>();
  readonly #phones: Phone[] = [];

  constructor(primitives: Primitives) {
    this.#inquiries = new Inquiries(this.#outbox);
    this.#layer = new TransactionLayer({
      world: this.#outbox,
      timers: this.#timers,
      primitives,
      user: this,
      endpoint: true,
    });
    this.#shared = {
      world: this.#outbox,
      timers: this.#timers,
      primitives,
      inquiries: this.#inquiries,
      sender: this.#layer,
      answering: new AnsweringTargets(),
      places: new PlaceLists(),
      askings: new SharedAskings(),
      terms: new SharedTerms(),
      resolutions: new Resolutions(this.#inquiries, primitives.entropy, (policy) =>
        this.#namesFor(policy),
      ),
    };
  }

  get phones(): readonly Phone[] {
    return this.#phones;
  }

  /** Timers, flows, transactions and questions in use: 0 after every phone was closed (invariant I8). */
  get holdings(): number {
    return this.#timers.size + this.#layer.size + this.#inquiries.size;
  }

  add(config: PhoneConfig): Phone {
    const phone = new Phone(config, this.#shared);
    this.#phones.push(phone);
    return phone;
  }

  /** Ends everything at once; nothing is sent any more. */
  close(): void {
    for (const phone of this.#phones) phone.close();
    this.#inquiries.abandon();
    this.#layer.stop();
  }

  // What the layer tells.

  /**
   * Refused for the way it came, it has not been had: no transaction of it is kept, with which the same call by another
   * way would be merged. One that was had by another way is merged (RFC 3261 §8.2.2.2).
   */
  claims(now: Instant, request: Request, flow: Flow): boolean {
    const declines = this.#phoneAt(flow)?.declines(now, request, flow) === true;
    if (!declines || this.#layer.isMerged(request)) return false;
    // Computed, so that a retransmission is given the same (§8.2.7).
    const { hash } = this.#shared.primitives;
    const tag = hash.md5(request.headers.get("via") ?? "").slice(0, 16);
    this.#layer.respondStateless(now, request, flow, responseTo(request, 480, undefined, tag));
    return true;
  }

  requested(now: Instant, transaction: ServerTransaction, flow: Flow): void {
    const phone = this.#phoneAt(flow);
    if (phone === undefined) transaction.respond(now, responseTo(transaction.request, 404));
    else if (this.#layer.isMerged(transaction.request)) {
      transaction.respond(now, responseTo(transaction.request, 482));
    } else phone.requested(now, transaction, flow);
  }

  cancelled(now: Instant, transaction: ServerTransaction): void {
    const flow = this.#layer.flow(transaction.flow);
    if (flow !== undefined && this.#phoneAt(flow)?.cancelled(now, transaction) === true) return;
    for (const phone of this.#phones) if (phone.cancelled(now, transaction)) return;
  }

  acknowledged(now: Instant, ack: Request, flow: Flow): void {
    this.#phoneAt(flow)?.acknowledged(now, ack);
  }

  /** An acceptance that is never acknowledged is the call's own to end; a refusal has ended already (RFC 3261 §13.3.1.4). */
  undelivered(): void {}

  strayed(now: Instant, response: Response, flow: Flow): void {
    this.#phoneAt(flow)?.strayed(now, response, flow);
  }

  #namesFor(policy: DnsPolicy): NameService {
    let names = this.#names.get(policy);
    if (names === undefined) {
      names = new NameService(this.#inquiries, this.#cache, policy);
      this.#names.set(policy, names);
    }
    return names;
  }

  /** Requests arrive through the port of the phone they are for, or over a connection that it opened. */
  #phoneAt(flow: Flow): Phone | undefined {
    if (this.#phones.length === 1) return this.#phones[0];
    const user = this.#layer.listenerUser(flow);
    return user instanceof Phone ? user : undefined;
  }

  // Facts.

  bound(now: Instant, flow: FlowId, local: Local): void {
    this.#layer.bound(now, flow, local);
  }

  opened(now: Instant, flow: FlowId, peer: Peer): void {
    this.#layer.opened(now, flow, peer);
  }

  received(now: Instant, flow: FlowId, bytes: Uint8Array): void {
    this.#layer.received(now, flow, bytes);
  }

  lost(now: Instant, flow: FlowId, cause: LossCause): void {
    this.#layer.lost(now, flow, cause);
  }

  answered(now: Instant, asked: number, answer: Answer): void {
    this.#inquiries.answered(now, asked, answer);
  }

  elapsed(now: Instant): void {
    this.#timers.elapsed(now);
  }

  get deadline(): Instant {
    return this.#timers.deadline;
  }

  deliver(world: World): void {
    this.#outbox.deliver(world);
  }
}
