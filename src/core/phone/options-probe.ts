/** One OPTIONS to one place: any answer at all means that it lives (RFC 3261 §11). */
import { newCallId, newTag } from "../identifiers.ts";
import type { Instant } from "../machine.ts";
import type { Request } from "../message/message.ts";
import type { Entropy } from "../primitives.ts";
import type { Plan } from "../redundancy/failover.ts";
import type { AttemptPlace, RequestUser } from "../redundancy/request.ts";
import type { Place, ServerRoute } from "../redundancy/server-set.ts";
import type { Composer } from "./composer.ts";

/** To that place only, with short patience (R60), and whatever comes of it nothing moves. */
export function probePlan(route: ServerRoute, place: Place): Plan {
  return { routes: [route], startAt: () => 0, neverFull: true, moves: false, only: place };
}

export class OptionsProbe implements RequestUser {
  readonly method = "OPTIONS";
  readonly #composer: Composer;
  readonly #callId: string;
  readonly #fromTag: string;
  readonly #probed: (now: Instant, good: boolean) => void;

  constructor(composer: Composer, entropy: Entropy, probed: (now: Instant, good: boolean) => void) {
    this.#composer = composer;
    this.#callId = newCallId(entropy);
    this.#fromTag = newTag(entropy);
    this.#probed = probed;
  }

  compose(attempt: AttemptPlace, cseq: number): Request {
    const uri = `sip:${this.#composer.domain(attempt.hop)}`;
    const request = this.#composer.request(
      {
        method: "OPTIONS",
        uri,
        from: `${this.#composer.nameAddr(attempt.hop)};tag=${this.#fromTag}`,
        to: `<${uri}>`,
        callId: this.#callId,
        cseq,
      },
      attempt,
    );
    request.headers.add("accept", "application/sdp");
    return request;
  }

  provisional(): void {}
  repeated(): void {}
  late(): void {}

  final(now: Instant): void {
    this.#probed(now, true);
  }

  failed(now: Instant): void {
    this.#probed(now, false);
  }
}
