/** A confirmed dialog and the way its requests go: what a call, or a fork nobody wants, sends inside it. */
import { type Dialog, dialogOfClient } from "../dialog/dialog.ts";
import type { Instant } from "../machine.ts";
import { cseqOf } from "../message/cseq.ts";
import type { Request, Response } from "../message/message.ts";
import { toOf } from "../message/name-addr.ts";
import type { AttemptPlace, Failure, RequestUser } from "../redundancy/request.ts";
import type { Flow } from "../transaction/user.ts";
import type { CallEnvironment, DialogWay, SentRequest } from "./call-environment.ts";

export class CallLeg implements DialogWay {
  readonly dialog: Dialog;
  /** Where the peer was heard last. */
  flow: Flow;
  readonly unwanted: boolean;
  readonly #environment: CallEnvironment;
  /** Who has the dialog's last number, and for which number asked. */
  #turn: { readonly user: RequestUser; readonly asked: number } | undefined;
  /** The ACK sent last: it goes out again for each repetition of its 2xx (RFC 3261 §13.2.2.4, R14). */
  #ack: { readonly request: Request; readonly flow: Flow } | undefined;
  /** It is over, and the peer may not know. */
  #unparted = false;

  constructor(environment: CallEnvironment, dialog: Dialog, flow: Flow, unwanted = false) {
    this.#environment = environment;
    this.dialog = dialog;
    this.flow = flow;
    this.unwanted = unwanted;
  }

  get nextHop(): string {
    return this.dialog.nextHop;
  }

  /**
   * A request of this dialog for one attempt. Its number is the one asked for, unless another request has had that or a
   * later one meanwhile: two are never alike, and none is out of turn (RFC 3261 §12.2.2).
   */
  compose(user: RequestUser, asked: number, flow: Flow): Request {
    const { dialog } = this;
    const mine = this.#turn?.user === user && this.#turn.asked === asked;
    if (asked > dialog.localCSeq) dialog.usedCSeq(asked);
    else if (!mine) dialog.nextCSeq();
    this.#turn = { user, asked };
    return dialog.request(user.method, dialog.localCSeq, this.#environment.composer.via(flow.peer));
  }

  send(now: Instant, user: RequestUser): SentRequest {
    const asked = this.dialog.nextCSeq();
    this.#turn = { user, asked };
    return this.#environment.sendInDialog(now, user, asked, this);
  }

  /** Acknowledges the 2xx to this INVITE, or once more; who takes the call for up then hears of its end, too. */
  acknowledge(now: Instant, invite: Request): void {
    this.#environment.acknowledge(now, this, (flow) => this.#composeAck(invite, flow));
    if (!this.#unparted) return;
    this.#unparted = false;
    this.sayGoodbye(now, () => {});
  }

  /** BYE found nobody. */
  goodbyeFailed(): void {
    this.#unparted = true;
  }

  /** Ends the dialog; `ended` comes once, whatever the peer says to it. */
  sayGoodbye(now: Instant, ended: (now: Instant) => void): SentRequest {
    return this.send(now, new Goodbye(this, ended));
  }

  #composeAck(invite: Request, flow: Flow): Request {
    const cseq = cseqOf(invite.headers)?.number ?? 0;
    const known = this.#ack;
    if (known?.flow.id === flow.id && cseqOf(known.request.headers)?.number === cseq) {
      return known.request;
    }
    const via = this.#environment.composer.via(flow.peer);
    const request = this.dialog.request("ACK", cseq, via);
    for (const name of ["authorization", "proxy-authorization"]) {
      for (const credentials of invite.headers.all(name)) request.headers.add(name, credentials);
    }
    this.#ack = { request, flow };
    return request;
  }
}

/**
 * Acknowledges and ends what answered too late, or besides another: the callee must not stay in a call with
 * nobody (RFC 3261 §13.2.2.4). Undefined if the answer makes no dialog.
 * @param early the same dialog before the answer: its numbers are used up.
 * @param forgotten how many numbers it may have used up, where nobody remembers it.
 */
export function endAnswer(
  now: Instant,
  environment: CallEnvironment,
  invite: Request,
  response: Response,
  attempt: Pick<AttemptPlace, "flow">,
  early?: Dialog,
  forgotten = 0,
): CallLeg | undefined {
  const dialog = dialogOfClient(invite, response);
  if (dialog === undefined) return undefined;
  if (early !== undefined) dialog.carryOn(early);
  dialog.usedCSeq(dialog.localCSeq + forgotten);
  const leg = new CallLeg(environment, dialog, attempt.flow, true);
  leg.acknowledge(now, invite);
  leg.sayGoodbye(now, () => {});
  return leg;
}

/** All that a dialog needs of an INVITE stands in its answer, too. */
export function inviteToldBy({ headers }: Response): Request {
  const uri = toOf(headers)?.uri ?? "";
  return { kind: "request", method: "INVITE", uri, headers, body: "" };
}

/** BYE: final or not, the dialog is over once it was sent (RFC 3261 §15.1.1). */
class Goodbye implements RequestUser {
  readonly method = "BYE";
  readonly #leg: CallLeg;
  readonly #ended: (now: Instant) => void;

  constructor(leg: CallLeg, ended: (now: Instant) => void) {
    this.#leg = leg;
    this.#ended = ended;
  }

  compose(attempt: AttemptPlace, cseq: number): Request {
    return this.#leg.compose(this, cseq, attempt.flow);
  }

  final(now: Instant): void {
    this.#ended(now);
  }

  failed(now: Instant, _failure: Failure): void {
    this.#leg.goodbyeFailed();
    this.#ended(now);
  }

  provisional(): void {}
  repeated(): void {}
  late(): void {}
}
