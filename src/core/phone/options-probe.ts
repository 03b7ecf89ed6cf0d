/** OPTIONS, each to one place: any answer at all means that it lives (RFC 3261 §11). */
import { newCallId, newTag } from "../identifiers.ts";
import type { Instant } from "../machine.ts";
import type { Request } from "../message/message.ts";
import type { Entropy } from "../primitives.ts";
import { FailoverRequest, type Plan } from "../redundancy/failover.ts";
import type { FailoverHost } from "../redundancy/failover-host.ts";
import type { AttemptPlace, RequestUser } from "../redundancy/request.ts";
import type { Place, ServerRoute } from "../redundancy/server-set.ts";
import type { Composer } from "./composer.ts";

/** Whose probes they are. */
export interface ProbingAccount extends FailoverHost {
  readonly composer: Composer;
  readonly entropy: Entropy;
}

type Probed = (now: Instant, good: boolean) => void;

/** All that an account has on their way. */
export class OptionsProbes {
  readonly #account: ProbingAccount;
  readonly #requests = new Set<FailoverRequest>();

  constructor(account: ProbingAccount) {
    this.#account = account;
  }

  /** To that place only, with short patience (R60), and whatever comes of it nothing moves. */
  send(now: Instant, route: ServerRoute, place: Place, probed: Probed): void {
    const { composer, entropy } = this.#account;
    const plan: Plan = {
      routes: [route],
      startAt: () => 0,
      neverFull: true,
      moves: false,
      only: place,
    };
    const probe = new OptionsProbe(composer, entropy, (at, good) => {
      this.#requests.delete(request);
      probed(at, good);
    });
    const request = new FailoverRequest(this.#account, plan, 1, probe);
    this.#requests.add(request);
    request.start(now);
  }

  /** Nobody wants to know any more. */
  drop(now: Instant | undefined): void {
    for (const request of this.#requests) request.drop(now);
    this.#requests.clear();
  }
}

class OptionsProbe implements RequestUser {
  readonly method = "OPTIONS";
  readonly #composer: Composer;
  readonly #callId: string;
  readonly #fromTag: string;
  readonly #probed: Probed;

  constructor(composer: Composer, entropy: Entropy, probed: Probed) {
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
