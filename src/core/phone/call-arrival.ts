/** An INVITE that came in, as its receiver sees it (RFC 3261 §13.3): checked, rung for, and answered or refused. */
import { copyRecordRoutes, type Dialog, dialogOfServer } from "../dialog/dialog.ts";
import type { Refusal } from "../dialog/offer-answer.ts";
import { newTag } from "../identifiers.ts";
import type { Instant } from "../machine.ts";
import type { Request, Response } from "../message/message.ts";
import { fromOf } from "../message/name-addr.ts";
import { responseTo } from "../message/print.ts";
import type { CallPolicy } from "../redundancy/call-policy.ts";
import type { Flow, ServerTransaction } from "../transaction/user.ts";
import { refuseBody } from "./call-answers.ts";
import type { CallEnvironment } from "./call-environment.ts";
import { ALLOW, refuseExtensions, supportedBy } from "./call-extensions.ts";
import { agreedAsUas, describeInterval, isTooBrief, MIN_SE_SECONDS } from "./call-session-timer.ts";

export class CallArrival {
  readonly transaction: ServerTransaction;
  readonly flow: Flow;
  readonly dialog: Dialog;
  readonly #environment: CallEnvironment;

  constructor(
    environment: CallEnvironment,
    transaction: ServerTransaction,
    flow: Flow,
    dialog: Dialog,
  ) {
    this.#environment = environment;
    this.transaction = transaction;
    this.flow = flow;
    this.dialog = dialog;
  }

  get request(): Request {
    return this.transaction.request;
  }

  /** The URI in From. */
  get caller(): string {
    return fromOf(this.request.headers)?.uri ?? "";
  }

  /** 180; again each minute, so that no proxy on the way gives up (§13.3.1.1). */
  ringing(): Response {
    return this.#response(180);
  }

  refuse(now: Instant, status: number): void {
    this.transaction.respond(now, responseTo(this.request, status, undefined, this.#tag));
  }

  /** 400 or 488, with the reason in words. */
  refuseOffer(now: Instant, refusal: Refusal): void {
    this.transaction.respond(now, refusalOf(this.request, refusal, this.#tag));
  }

  /** The 200, with an answer or an offer, or without either where a PRACK has brought the answer. */
  acceptance(body: string): Response {
    const response = this.#response(200);
    completeAcceptance(this.request, response, body, this.#environment.callPolicy);
    return response;
  }

  get #tag(): string {
    return this.dialog.localTag;
  }

  #response(status: number): Response {
    const response = responseTo(this.request, status, undefined, this.#tag);
    copyRecordRoutes(this.request, response);
    response.headers
      .add("contact", this.#environment.composer.contact(this.flow.peer))
      .add("allow", ALLOW);
    return response;
  }
}

/** Checks an INVITE outside any dialog; undefined: it was refused. */
export function arrivalOf(
  now: Instant,
  environment: CallEnvironment,
  transaction: ServerTransaction,
  flow: Flow,
): CallArrival | undefined {
  const { request } = transaction;
  const tag = newTag(environment.entropy);
  const dialog = dialogOfServer(request, tag);
  const refusal =
    dialog === undefined
      ? responseTo(request, 400, undefined, tag)
      : unfit(request, environment.callPolicy, tag);
  if (refusal !== undefined) {
    transaction.respond(now, refusal);
    return undefined;
  }
  return new CallArrival(environment, transaction, flow, dialog as Dialog);
}

/** Why an INVITE, first or further, or an UPDATE cannot be taken up at all: 420, 415 or 422. */
export function unfit(request: Request, policy: CallPolicy, tag?: string): Response | undefined {
  const refusal = refuseExtensions(request, supportedBy(policy), tag) ?? refuseBody(request, tag);
  if (refusal !== undefined || !isTooBrief(request.headers)) return refusal;
  const brief = responseTo(request, 422, undefined, tag);
  brief.headers.add("min-se", String(MIN_SE_SECONDS));
  return brief;
}

/** 400 or 488 with a Warning (§20.43). */
export function refusalOf(request: Request, refusal: Refusal, tag?: string): Response {
  const response = responseTo(request, refusal.status, undefined, tag);
  const words = refusal.why.replaceAll(/["\\]/g, "'");
  response.headers.add("warning", `${refusal.warning} dialtone "${words}"`);
  return response;
}

/** What each 200 to an INVITE says of extensions, session interval (RFC 4028 §9) and media. */
export function completeAcceptance(
  request: Request,
  response: Response,
  body: string,
  policy: CallPolicy,
): void {
  const { headers } = response;
  headers.add("supported", supportedBy(policy));
  describeInterval(headers, agreedAsUas(request.headers, policy));
  if (body !== "") headers.add("content-type", "application/sdp");
  response.body = body;
}
