/** Removes a publication that was left, where its server still answers. What comes of it changes nothing. */
import { newCallId, newTag } from "../identifiers.ts";
import type { Instant } from "../machine.ts";
import type { Request } from "../message/message.ts";
import { responseTo } from "../message/print.ts";
import type { FailoverRequest } from "../redundancy/failover.ts";
import type { AttemptPlace, RequestUser } from "../redundancy/request.ts";
import type { ServerTransaction } from "../transaction/user.ts";
import { composePublish, type Publish } from "./publication-request.ts";
import type { KeptTag } from "./publication-tags.ts";
import type { NotifyUser, SubscriptionEnvironment } from "./subscription-environment.ts";

export class PublicationFarewell implements RequestUser, NotifyUser {
  readonly method = "PUBLISH";
  readonly #environment: SubscriptionEnvironment;
  readonly #kept: KeptTag;
  readonly #sent: Publish;
  #request: FailoverRequest | undefined;

  constructor(environment: SubscriptionEnvironment, kept: KeptTag) {
    this.#environment = environment;
    this.#kept = kept;
    const { entropy } = environment;
    this.#sent = {
      callId: newCallId(entropy),
      localTag: newTag(entropy),
      server: kept.at.server,
      seconds: 0,
      ifMatch: kept.tag,
      body: "",
    };
  }

  /** A phone that stops waits for it. */
  get busy(): boolean {
    return this.#request !== undefined;
  }

  start(now: Instant): void {
    const { callId, localTag } = this.#sent;
    const way = { nextHop: "", flow: this.#kept.at.place.flow };
    this.#request = this.#environment.inside(now, this, 1, way);
    if (this.#request === undefined) return;
    this.#environment.register.join(callId, localTag, this);
    this.#request.start(now);
  }

  close(): void {
    this.#request?.drop();
    this.#over();
  }

  compose(attempt: AttemptPlace, cseq: number): Request {
    return composePublish(this.#environment, this.#sent, attempt, cseq);
  }

  provisional(): void {}
  repeated(): void {}
  late(): void {}

  /** There is no subscription to it. */
  notified(now: Instant, transaction: ServerTransaction): void {
    transaction.respond(now, responseTo(transaction.request, 481));
  }

  final(): void {
    this.#over();
  }

  failed(): void {
    this.#over();
  }

  #over(): void {
    this.#request = undefined;
    this.#environment.register.leave(this.#sent.callId, this.#sent.localTag);
  }
}
