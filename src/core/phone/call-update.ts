/** UPDATE (RFC 3311, R62): the peer's, answered at once in early and confirmed dialogs; ours, as refresh of a session. */
import type { Dialog } from "../dialog/dialog.ts";
import type { Direction } from "../dialog/session-description.ts";
import type { Instant } from "../machine.ts";
import type { Headers } from "../message/headers.ts";
import type { Request, Response } from "../message/message.ts";
import { responseTo } from "../message/print.ts";
import type { AttemptPlace, Failure, RequestUser } from "../redundancy/request.ts";
import type { Flow } from "../transaction/user.ts";
import { answerTooSoon, openDescription } from "./call-answers.ts";
import { refusalOf, unfit } from "./call-arrival.ts";
import type { CallEnvironment, SentRequest } from "./call-environment.ts";
import { ALLOW, supportedBy } from "./call-extensions.ts";
import type { CallLeg } from "./call-leg.ts";
import type { CallMedia } from "./call-media.ts";

/** What an UPDATE is judged by. */
export interface UpdateSetting {
  readonly environment: CallEnvironment;
  readonly dialog: Dialog;
  readonly media: CallMedia;
  /** What an answer of ours is to say. */
  readonly wish: Direction;
  /** An offer of the peer's, that of its INVITE, has not been answered yet. */
  readonly owesAnswer: boolean;
}

/** The response (§5.2); after a 2xx the target is the new one, and the media await their start. */
export function answerUpdate(request: Request, flow: Flow, setting: UpdateSetting): Response {
  const { environment, dialog, media } = setting;
  const refusal = unfit(request, environment.callPolicy);
  if (refusal !== undefined) return refusal;
  let body = "";
  if (request.body !== "") {
    if (media.offering) return responseTo(request, 491);
    if (setting.owesAnswer) return answerTooSoon(request, environment.entropy);
    const answer = media.answer(flow, request.body, setting.wish);
    if (answer.kind === "refusal") return refusalOf(request, answer);
    body = answer.body;
  }
  dialog.refreshTarget(request.headers);
  const response = responseTo(request, 200);
  response.headers
    .add("contact", environment.composer.contact(flow.peer))
    .add("allow", ALLOW)
    .add("supported", supportedBy(environment.callPolicy));
  if (body !== "") response.headers.add("content-type", "application/sdp");
  response.body = body;
  return response;
}

/** Told once. */
export interface RefreshOwner {
  refreshed(now: Instant, response: Response): void;
  /** A final response that refuses, or none. */
  unrefreshed(now: Instant, why: Response | Failure["why"]): void;
}

/** A refresh without offer: it asks only whether the session still stands (RFC 4028 §7.4). */
export class CallRefresh implements RequestUser {
  readonly method = "UPDATE";
  readonly #environment: CallEnvironment;
  readonly #leg: CallLeg;
  readonly #owner: RefreshOwner;
  readonly #describe: (headers: Headers) => void;
  #sent: SentRequest | undefined;

  /** @param describe adds what the session timer has to say. */
  constructor(
    environment: CallEnvironment,
    leg: CallLeg,
    owner: RefreshOwner,
    describe: (headers: Headers) => void,
  ) {
    this.#environment = environment;
    this.#leg = leg;
    this.#owner = owner;
    this.#describe = describe;
  }

  start(now: Instant): void {
    this.#sent = this.#leg.send(now, this);
  }

  /** Without `now` the whole phone ends. */
  drop(now?: Instant): void {
    this.#sent?.drop(now);
  }

  compose(attempt: AttemptPlace, cseq: number): Request {
    const { callPolicy, composer } = this.#environment;
    const request = this.#leg.compose(this, cseq, attempt.flow);
    request.headers
      .add("contact", composer.contact(attempt.flow.peer))
      .add("allow", ALLOW)
      .add("supported", supportedBy(callPolicy));
    this.#describe(request.headers);
    return request;
  }

  final(now: Instant, response: Response, attempt: AttemptPlace): void {
    openDescription(response);
    if (response.status >= 300) {
      this.#owner.unrefreshed(now, response);
      return;
    }
    this.#leg.flow = attempt.flow;
    this.#leg.dialog.refreshTarget(response.headers);
    this.#owner.refreshed(now, response);
  }

  failed(now: Instant, failure: Failure): void {
    this.#owner.unrefreshed(now, failure.why);
  }

  provisional(): void {}
  repeated(): void {}
  late(): void {}
}
