/**
 * An answered call and those who want to hand its ends over to others (RFC 3515, RFC 5589): ours by REFER, the peer's by
 * the REFERs that come, each a new call of this phone.
 */
import type { Instant } from "../machine.ts";
import { cseqOf } from "../message/cseq.ts";
import { responseTo } from "../message/print.ts";
import type { Flow, ServerTransaction } from "../transaction/user.ts";
import type { CallEnvironment, Field } from "./call-environment.ts";
import type { CallLeg } from "./call-leg.ts";
import { CallReferral } from "./call-referral.ts";
import { answerNotify, CallTransfer, type TransferOwner } from "./call-transfer.ts";
import { referTargetOf, replacingUri } from "./refer-to.ts";

export interface HandoverOwner {
  hangUp(now: Instant, why?: string): void;
  report(event: string, fields: Readonly<Record<string, Field>>): void;
}

export class CallHandover implements TransferOwner {
  readonly #environment: CallEnvironment;
  readonly #leg: CallLeg;
  readonly #owner: HandoverOwner;
  #transfer: CallTransfer | undefined;
  #referral: CallReferral | undefined;
  #over = false;

  constructor(environment: CallEnvironment, leg: CallLeg, owner: HandoverOwner) {
    this.#environment = environment;
    this.#leg = leg;
    this.#owner = owner;
  }

  /** The URI by which somebody takes our place with the peer; undefined: the call is over. */
  get replacingUri(): string | undefined {
    return this.#over ? undefined : replacingUri(this.#leg.dialog);
  }

  /** @returns false if one is under way. */
  transfer(now: Instant, to: string): boolean {
    if (this.#transfer !== undefined) return false;
    this.#owner.report("call.transferring", { to });
    this.#transfer = new CallTransfer(this.#environment, this.#leg, this, to);
    this.#transfer.start(now);
    return true;
  }

  /** @returns false if the request is none of those. */
  requested(now: Instant, transaction: ServerTransaction, flow: Flow): boolean {
    const { request } = transaction;
    if (request.method === "REFER") this.#referred(now, transaction, flow);
    else if (request.method === "NOTIFY") {
      const transfer = this.#transfer;
      const response = answerNotify(request, transfer);
      transaction.respond(now, response);
      if (response.status === 200) transfer?.notified(now, request);
    } else return false;
    return true;
  }

  /** The call is over; without `now` the whole phone ends. */
  stop(now?: Instant): void {
    this.#over = true;
    this.#transfer?.drop(now);
    this.#referral?.stop(now);
  }

  transferred(now: Instant): void {
    this.#transfer = undefined;
    this.#owner.report("call.transferred", {});
    this.#owner.hangUp(now, "transferred");
  }

  transferFailed(_now: Instant, why: string, status?: number): void {
    this.#transfer = undefined;
    this.#owner.report("call.transfer-failed", {
      why,
      ...(status === undefined ? {} : { status }),
    });
  }

  #referred(now: Instant, transaction: ServerTransaction, flow: Flow): void {
    const { request } = transaction;
    const id = cseqOf(request.headers)?.number ?? 0;
    const target = referTargetOf(request);
    const before = this.#referral;
    // The same again came round by another server (§8.2.2.2 knows it for requests outside dialogs only).
    const again = before?.id === id;
    const refusal = typeof target === "number" ? target : before?.pending === true ? 491 : 0;
    if (refusal !== 0 && !again) {
      transaction.respond(now, responseTo(request, refusal));
      return;
    }
    const response = responseTo(request, 202);
    response.headers.add("contact", this.#environment.composer.contact(flow.peer));
    transaction.respond(now, response);
    if (again || typeof target === "number") return;
    this.#leg.dialog.refreshTarget(request.headers);
    const referral = new CallReferral(this.#environment, this.#leg, id);
    this.#referral = referral;
    referral.heard(now, 100);
    const call = this.#environment.register.refer(this.#environment, target, referral);
    if (call === undefined) referral.heard(now, 503);
    else this.#owner.report("call.referred", { to: target.uri, newCall: call });
  }
}
