/** Removes a publication that was left, where its server still answers. What comes of it changes nothing. */
import { newCallId, newTag } from "../identifiers.ts";
import type { Instant } from "../machine.ts";
import type { Request } from "../message/message.ts";
import type { AttemptPlace, RequestUser } from "../redundancy/request.ts";
import { composePublish, type Publish } from "./publication-request.ts";
import type { KeptTag } from "./publication-tags.ts";
import type { SubscriptionEnvironment } from "./subscription-environment.ts";

export class PublicationFarewell implements RequestUser {
  readonly method = "PUBLISH";
  readonly #environment: SubscriptionEnvironment;
  readonly #kept: KeptTag;
  readonly #sent: Publish;

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

  start(now: Instant): void {
    const way = { nextHop: "", flow: this.#kept.at.place.flow };
    this.#environment.inside(now, this, 1, way)?.start(now);
  }

  compose(attempt: AttemptPlace, cseq: number): Request {
    return composePublish(this.#environment, this.#sent, attempt, cseq);
  }

  provisional(): void {}
  repeated(): void {}
  late(): void {}
  final(): void {}
  failed(): void {}
}
