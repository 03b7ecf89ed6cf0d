/** OPTIONS, each to one place: any answer at all means that it lives (RFC 3261 §11). */
import { newCallId, newTag } from "../identifiers.ts";
import type { Instant } from "../machine.ts";
import type { Request } from "../message/message.ts";
import type { Entropy } from "../primitives.ts";
import { FailoverRequest } from "../redundancy/failover.ts";
import type { FailoverHost } from "../redundancy/failover-host.ts";
import type { Plan } from "../redundancy/itinerary.ts";
import type { AttemptPlace, Failure, RequestUser } from "../redundancy/request.ts";
import type { Place, ServerRoute } from "../redundancy/server-set.ts";
import type { AnsweringTargets } from "./answering-targets.ts";
import type { Composer } from "./composer.ts";

/** Whose probes they are. */
export interface ProbingAccount extends FailoverHost {
  readonly composer: Composer;
  readonly entropy: Entropy;
}

type Probed = (now: Instant, verdict: Verdict) => void;

/** What a probe has shown: silence is death only where OPTIONS has been answered before. */
export type Verdict = "good" | "dead" | "unsure";

/** All that an account has on their way. */
export class OptionsProbes {
  readonly #account: ProbingAccount;
  readonly #answering: AnsweringTargets;
  /** None at most times: a fleet has many phones. */
  #requests: Set<FailoverRequest> | undefined;

  constructor(account: ProbingAccount, answering: AnsweringTargets) {
    this.#account = account;
    this.#answering = answering;
  }

  /**
   * To that place only, with short patience (R60), and no more than until the next one would be due; whatever comes of
   * it nothing moves.
   */
  send(now: Instant, route: ServerRoute, place: Place, probed: Probed): void {
    const { composer, entropy, policy } = this.#account;
    const { registrarProbeMs, t1Ms } = policy;
    const proven = this.#answering.has(place.target);
    const plan: Plan = {
      routes: [route],
      startAt: () => 0,
      neverFull: true,
      moves: false,
      unproven: !proven,
      only: place,
      ...(registrarProbeMs > 0 ? { patienceMs: Math.max(registrarProbeMs, 4 * t1Ms) } : {}),
    };
    const probe = new OptionsProbe(composer, entropy, (at, failure) => {
      this.#requests?.delete(request);
      if (this.#requests?.size === 0) this.#requests = undefined;
      if (failure === undefined) this.#answering.add(place.target);
      const silent = failure?.why === "timeout" || failure?.why === "quiet";
      probed(at, failure === undefined ? "good" : silent && !proven ? "unsure" : "dead");
    });
    const request = new FailoverRequest(this.#account, plan, 1, probe);
    this.#requests ??= new Set();
    this.#requests.add(request);
    request.start(now);
  }

  /** None is on its way. */
  get idle(): boolean {
    return this.#requests === undefined;
  }

  /** Nobody wants to know any more. */
  drop(now: Instant | undefined): void {
    for (const request of this.#requests ?? []) request.drop(now);
    this.#requests = undefined;
  }
}

class OptionsProbe implements RequestUser {
  readonly method = "OPTIONS";
  readonly #composer: Composer;
  readonly #callId: string;
  readonly #fromTag: string;
  readonly #ended: (now: Instant, failure: Failure | undefined) => void;

  constructor(
    composer: Composer,
    entropy: Entropy,
    ended: (now: Instant, failure: Failure | undefined) => void,
  ) {
    this.#composer = composer;
    this.#callId = newCallId(entropy);
    this.#fromTag = newTag(entropy);
    this.#ended = ended;
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
    this.#ended(now, undefined);
  }

  failed(now: Instant, failure: Failure): void {
    this.#ended(now, failure);
  }
}
