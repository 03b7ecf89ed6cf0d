/** One OPTIONS to one place: any answer at all means that it lives (RFC 3261 §11). */
import type { Instant } from "../machine.ts";
import type { Request } from "../message/message.ts";
import type { AttemptPlace, RequestUser } from "../redundancy/request.ts";
import type { Composer } from "./composer.ts";

export class OptionsProbe implements RequestUser {
  readonly method = "OPTIONS";
  readonly #composer: Composer;
  readonly #callId: string;
  readonly #fromTag: string;
  readonly #probed: (now: Instant, good: boolean) => void;

  constructor(
    composer: Composer,
    callId: string,
    fromTag: string,
    probed: (now: Instant, good: boolean) => void,
  ) {
    this.#composer = composer;
    this.#callId = callId;
    this.#fromTag = fromTag;
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
