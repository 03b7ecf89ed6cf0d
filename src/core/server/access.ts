/** Who may have a request forwarded: RFC 3261 §16.3(6), §22.3, and the policy towards strangers. */
import type { Headers } from "../message/headers.ts";
import type { Request, Response } from "../message/message.ts";
import { fromOf } from "../message/name-addr.ts";
import { responseTo } from "../message/print.ts";
import { parseUri, unescapeUser } from "../message/uri.ts";
import type { Authenticator } from "./authenticator.ts";
import type { Domains } from "./domains.ts";
import type { RouteMaker } from "./record-route.ts";
import type { Routed } from "./routing.ts";

export type Admission =
  /** `word` goes into our routes, so that requests of this Call-ID need not be checked again. */
  | { readonly kind: "admitted"; readonly word: string }
  | { readonly kind: "refused"; readonly response: Response; readonly why: string };

export interface AccessOptions {
  /** To tag of refusals: always the same, since they are answered without state (RFC 3261 §8.2.7). */
  readonly toTag: string;
  /** Undefined: everybody is let in. */
  readonly authenticator: Authenticator | undefined;
  readonly domains: Domains;
  readonly maker: RouteMaker;
  /** Callers of other domains reach our users without credentials. */
  readonly acceptForeign: boolean;
}

export class Access {
  readonly #options: AccessOptions;

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /** Whether a route of ours vouches for the request: it belongs to a call that was admitted here or by a sibling. */
  isVouchedFor(request: Request, routed: Routed): boolean {
    if (this.#options.authenticator === undefined) return true;
    const { admission } = routed;
    if (admission === undefined) return false;
    return admission === this.#options.maker.admission(request.headers.get("call-id") as string);
  }

  /** @param proven the domains that the peer's certificate speaks for, if it has shown one (RFC 5922). */
  judge(
    request: Request,
    routed: Routed,
    proven: readonly string[] | undefined,
    epochSeconds: number,
  ): Admission {
    const { authenticator, maker } = this.#options;
    const word = maker.admission(request.headers.get("call-id") as string);
    const { admission, stop } = routed;
    // A Path of ours is known to the registrar it was given to, and to nobody else.
    const expected = stop.kind === "flow" && stop.edge;
    if (authenticator === undefined || admission === word || expected) {
      return { kind: "admitted", word };
    }
    const caller = parseUri(fromOf(request.headers)?.uri ?? "");
    const local = caller !== undefined && this.#options.domains.serves(caller.host);
    const known = caller !== undefined && proven?.includes(caller.host) === true;
    if (!local && (known || this.#options.acceptForeign) && stop.kind === "user") {
      return { kind: "admitted", word };
    }
    const verdict = authenticator.judge(request, "proxy", epochSeconds);
    if (verdict.kind === "challenged") {
      const { response } = this.#refused(request, 407, verdict.why);
      for (const value of authenticator.challenges(verdict.stale, epochSeconds)) {
        response.headers.add("proxy-authenticate", value);
      }
      return { kind: "refused", response, why: verdict.why };
    }
    if (verdict.kind === "malformed") return this.#refused(request, 400, verdict.why);
    if (local && verdict.user !== unescapeUser(caller.user)) {
      return this.#refused(request, 403, "not this user's address");
    }
    return { kind: "admitted", word };
  }

  /** Takes credentials for us off a request that goes on. */
  strip(headers: Headers): void {
    if (headers.has("proxy-authorization")) this.#options.authenticator?.strip(headers);
  }

  #refused(request: Request, status: number, why: string): Extract<Admission, { kind: "refused" }> {
    const response = responseTo(request, status, undefined, this.#options.toTag);
    return { kind: "refused", response, why };
  }
}
