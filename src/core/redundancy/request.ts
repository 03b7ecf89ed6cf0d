/**
 * The seam between one logical request and those who send it: what is tried where, and what
 * comes of it. A logical request keeps Call-ID, From tag and CSeq over all its attempts; each
 * attempt has a branch of its own (RFC 3263 §4.3, R70).
 */
import type { Instant } from "../machine.ts";
import type { Request, Response } from "../message/message.ts";
import type { Flow } from "../transaction/user.ts";
import type { Place } from "./server-set.ts";

/** One try of one request at one target, reached over one flow. */
export interface AttemptPlace extends Place {
  readonly flow: Flow;
  /** When the flow was there and the first request left, credentials or not. */
  readonly since: Instant;
}

/**
 * Why a logical request got no answer. `timeout`: silence everywhere; `transport`: no path anywhere;
 * `no-targets`: nothing to send to; `quiet`: nothing was sent, since every target asked to be left alone (Retry-After);
 * `cancelled`: given up by the caller before any answer; `not-registered`: the
 * policy forbids signalling with a server that holds no registration (onlySignalWithRegistered, C40).
 */
export interface Failure {
  readonly why: "timeout" | "transport" | "no-targets" | "quiet" | "cancelled" | "not-registered";
}

/** Who wants the request sent. `final` or `failed` comes exactly once. */
export interface RequestUser {
  readonly method: string;
  /** Builds the request for one attempt: Via for this flow with a new branch, Contact, and this CSeq. */
  compose(attempt: AttemptPlace, cseq: number): Request;
  provisional(now: Instant, response: Response, attempt: AttemptPlace): void;
  final(now: Instant, response: Response, attempt: AttemptPlace, request: Request): void;
  failed(now: Instant, failure: Failure): void;
  /** A further 2xx to INVITE after `final`: a retransmission or another fork (RFC 6026). */
  repeated(now: Instant, response: Response, attempt: AttemptPlace, request: Request): void;
  /** A 2xx to INVITE from a target already left: to be acknowledged and ended with BYE. */
  late(now: Instant, response: Response, attempt: AttemptPlace, request: Request): void;
}
