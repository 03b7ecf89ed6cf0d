/**
 * A request of an account that belongs to no dialog and begins none: MESSAGE, OPTIONS, PUBLISH and the like (RFC 3261
 * §8.1). It goes down the list of servers as every other request does.
 */
import { newCallId, newTag } from "../identifiers.ts";
import type { Instant } from "../machine.ts";
import type { Request, Response } from "../message/message.ts";
import type { AttemptPlace, Failure, RequestUser } from "../redundancy/request.ts";
import type { Account } from "./account.ts";

/** What is to be sent. */
export interface AskedRequest {
  /** Any method that makes no dialog. */
  readonly method: string;
  /** A URI, or a user at the domain of the server in use; undefined: that domain itself. */
  readonly to: string | undefined;
  /** Further headers, as name and value. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Latin1 text, one character a byte. */
  readonly body: string;
  /** The account's index; undefined: the first. */
  readonly account: number | undefined;
}

/** Told how it fares; `final` or `failed` comes exactly once. */
export interface LoneRequestUser {
  final(now: Instant, response: Response): void;
  failed(now: Instant, failure: Failure): void;
}

export class LoneRequest implements RequestUser {
  readonly method: string;
  readonly #account: Account;
  readonly #asked: AskedRequest;
  readonly #told: LoneRequestUser;
  readonly #callId: string;
  readonly #fromTag: string;

  constructor(account: Account, asked: AskedRequest, told: LoneRequestUser) {
    this.method = asked.method;
    this.#account = account;
    this.#asked = asked;
    this.#told = told;
    this.#callId = newCallId(account.entropy);
    this.#fromTag = newTag(account.entropy);
  }

  compose(attempt: AttemptPlace, cseq: number): Request {
    const { composer } = this.#account;
    const server = this.#account.servers.route(attempt.server).policy;
    const uri = this.#uri(composer.domain(server));
    const line = {
      method: this.method,
      uri,
      from: `${composer.nameAddr(server)};tag=${this.#fromTag}`,
      to: `<${uri}>`,
      callId: this.#callId,
      cseq,
    };
    const request = composer.request(line, attempt);
    for (const [name, value] of this.#asked.headers) request.headers.add(name, value);
    request.body = this.#asked.body;
    return request;
  }

  provisional(): void {}
  repeated(): void {}
  late(): void {}

  final(now: Instant, response: Response): void {
    this.#told.final(now, response);
  }

  failed(now: Instant, failure: Failure): void {
    this.#told.failed(now, failure);
  }

  #uri(domain: string): string {
    const { to } = this.#asked;
    if (to === undefined) return `sip:${domain}`;
    return to.includes(":") ? to : `sip:${to}@${domain}`;
  }
}
