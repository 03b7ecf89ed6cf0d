/**
 * A call that the peer of another has asked for, as seen by who places it (RFC 3515 §2.4): the peer is told how it
 * fares, by NOTIFYs in the dialog of its REFER, one at a time, until the call is answered or has failed.
 */
import type { Instant } from "../machine.ts";
import type { Request, Response } from "../message/message.ts";
import { reasonOf } from "../message/status.ts";
import type { AttemptPlace, RequestUser } from "../redundancy/request.ts";
import type { CallEnvironment, CallWitness, SentRequest } from "./call-environment.ts";
import type { CallLeg } from "./call-leg.ts";

/** Longer than any phone rings, seconds: nobody needs to renew it. */
const EXPIRES_SECONDS = 240;

const REFER_EVENT = /^\s*refer\s*(?:;|$)/i;

/** Whether a NOTIFY tells of a REFER. */
export function isReferEvent({ headers }: Request): boolean {
  return REFER_EVENT.test(headers.get("event") ?? "");
}

export class CallReferral implements RequestUser, CallWitness {
  readonly method = "NOTIFY";
  readonly #environment: CallEnvironment;
  readonly #leg: CallLeg;
  /** CSeq of the REFER: tells it from a further one of the same dialog (RFC 3515 §2.4.6). */
  readonly id: number;
  #sent: SentRequest | undefined;
  /** A NOTIFY has no answer yet. */
  #busy = false;
  /** What the NOTIFY on its way says, and what is to be said after it; 0: nothing. */
  #status = 0;
  #next = 0;
  #over = false;

  constructor(environment: CallEnvironment, leg: CallLeg, id: number) {
    this.#environment = environment;
    this.#leg = leg;
    this.id = id;
  }

  /** The call is still on its way. */
  get pending(): boolean {
    return !this.#over;
  }

  heard(now: Instant, status: number): void {
    if (this.#over || status === this.#status || this.#next >= 200) return;
    if (this.#busy) this.#next = status;
    else this.#tell(now, status);
  }

  /** There is nobody left to tell; without `now` the whole phone ends. */
  stop(now?: Instant): void {
    this.#over = true;
    if (this.#busy) this.#sent?.drop(now);
    this.#busy = false;
  }

  compose(attempt: AttemptPlace, cseq: number): Request {
    const request = this.#leg.compose(this, cseq, attempt.flow);
    const ended = this.#status >= 200;
    request.headers
      .add("contact", this.#environment.composer.contact(attempt.flow.peer))
      .add("event", `refer;id=${this.id}`)
      .add(
        "subscription-state",
        ended ? "terminated;reason=noresource" : `active;expires=${EXPIRES_SECONDS}`,
      )
      .add("content-type", "message/sipfrag;version=2.0");
    request.body = `SIP/2.0 ${this.#status} ${reasonOf(this.#status)}\r\n`;
    return request;
  }

  final(now: Instant, response: Response): void {
    // Whoever wants to hear nothing more says so by a refusal (RFC 6665 §4.2.2).
    this.#told(now, response.status >= 300);
  }

  failed(now: Instant): void {
    this.#told(now, false);
  }

  provisional(): void {}
  repeated(): void {}
  late(): void {}

  #told(now: Instant, unwanted: boolean): void {
    this.#busy = false;
    this.#over ||= unwanted || this.#status >= 200;
    const next = this.#next;
    this.#next = 0;
    if (next > 0 && !this.#over) this.#tell(now, next);
  }

  #tell(now: Instant, status: number): void {
    this.#status = status;
    this.#busy = true;
    this.#sent = this.#leg.send(now, this);
  }
}
