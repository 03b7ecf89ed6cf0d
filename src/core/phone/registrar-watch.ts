/**
 * Whether the registrar of a standing binding lives: its flow is kept open, and pings (RFC 5626 §4.4, RFC 6223) or
 * OPTIONS ask it in between, as the policy says. A registrar with too much to do must not be asked more on top:
 * where it has shown strain only every second, fourth … keep-alive asks, until answers come in time again.
 */
import type { Instant, Target } from "../machine.ts";
import type { Response } from "../message/message.ts";
import { reportIn } from "../message/overload.ts";
import { topVia } from "../message/via.ts";
import type { AttemptPlace } from "../redundancy/request.ts";
import { Timer, type TimerOwner } from "../timers.ts";
import type { FlowUser } from "../transaction/user.ts";
import type { Verdict } from "./options-probe.ts";
import { keepAliveWaitMs } from "./outbound.ts";
import type { RegistrationHost } from "./registration-host.ts";

/** The registration whose registrar it is. */
export interface WatchedRegistration extends TimerOwner, FlowUser {
  readonly place: AttemptPlace | undefined;
  readonly state: string;
  /** Nobody knows whether it is worth anything: REGISTER will tell. */
  doubted(now: Instant): void;
}

/** One keep-alive of so many asks, at the least: about as often as a binding of ten minutes is renewed. */
const RAREST = 16;

/** It is its own timer, as a phone has one and a fleet has many phones: its owner passes on that it has rung. */
export class RegistrarWatch extends Timer {
  readonly #host: RegistrationHost;
  declare readonly owner: WatchedRegistration;
  /** OPTIONS was not answered there though REGISTER is: until the next renewal it is not asked again. */
  #deaf = false;
  /** When OPTIONS was sent to the place of the binding; undefined: it has been answered, or not. */
  #verifiedFrom: Instant | undefined;
  /** One keep-alive of so many asks. */
  #pace = 1;
  /** Keep-alives until one asks. */
  #rest = 0;

  constructor(host: RegistrationHost, owner: WatchedRegistration) {
    super("keep-alive", owner);
    this.#host = host;
  }

  /** @param failures REGISTERs in a row that came to nothing before this answer. */
  accepted(now: Instant, attempt: AttemptPlace, response: Response, failures: number): void {
    const report = reportIn(topVia(response.headers)?.params ?? "");
    const asksForLess = report !== undefined && report.value > 0 && report.validityMs > 0;
    const late = now - attempt.since > this.#host.policy.t1Ms;
    if (failures > 0 || asksForLess) this.#pace = RAREST;
    else this.#paced(late);
    this.#rest = this.#pace - 1;
    this.#arm(now, attempt.target);
  }

  /** A binding is renewed: whoever gave no answer may give one now. */
  renewed(): void {
    this.#deaf = false;
  }

  silence(): void {
    this.#host.timers.silence(this);
  }

  due(now: Instant): void {
    const { place } = this.owner;
    if (place === undefined) return;
    this.#arm(now, place.target);
    const { composer, failover, policy } = this.#host;
    const { answersPings } = composer.termsAt(place.target);
    const asks = policy.registrarProbeMs > 0 && !this.#deaf;
    if (asks && this.#rest > 0) {
      this.#rest -= 1;
      this.#host.keepAlive(now, place.flow, false);
    } else if (answersPings || !asks) {
      if (asks) this.#paced(place.flow.late);
      this.#host.keepAlive(now, place.flow, answersPings);
    } else if (failover.health.state(now, place.target) === "quiet") {
      // What asked for less gets nothing that it must answer (RFC 3261 §21.5.4).
      this.#host.keepAlive(now, place.flow, false);
    } else if (this.#verifiedFrom === undefined) {
      this.#verifiedFrom = now;
      this.#host.verify(now, place, (at, verdict) => this.#verified(at, place, verdict));
    }
  }

  /** Silence from whom is known to answer is the end of the flow; from others REGISTER finds out. */
  #verified(now: Instant, place: AttemptPlace, verdict: Verdict): void {
    this.#paced(now - (this.#verifiedFrom ?? now) > this.#host.policy.t1Ms);
    this.#verifiedFrom = undefined;
    if (verdict === "good" || this.owner.place !== place || this.owner.state !== "registered") {
      return;
    }
    this.#deaf = verdict === "unsure";
    if (verdict === "dead") this.owner.unreached(now, "timeout");
    else this.owner.doubted(now);
  }

  #paced(late: boolean): void {
    this.#pace = late ? Math.min(RAREST, 2 * this.#pace) : Math.max(1, this.#pace / 2);
    this.#rest = this.#pace - 1;
  }

  #arm(now: Instant, target: Target): void {
    const { composer, entropy, policy, timers } = this.#host;
    const wait = keepAliveWaitMs(composer.termsAt(target), target, policy, entropy);
    if (wait > 0) timers.set(this, now + wait);
    else timers.silence(this);
  }
}
