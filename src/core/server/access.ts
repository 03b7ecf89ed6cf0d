/** Who may have a request forwarded: RFC 3261 §16.3(6), §22.3, and the policy towards strangers. */
import type { Headers } from "../message/headers.ts";
import type { Request, Response } from "../message/message.ts";
import { fromOf, toOf } from "../message/name-addr.ts";
import { responseTo } from "../message/print.ts";
import { isKeyOf, parseUri, unescapeUser } from "../message/uri.ts";
import type { Authenticator } from "./authenticator.ts";
import type { Domains } from "./domains.ts";
import { OVER_FLOW, type RouteMaker, type Seal, type Standing } from "./record-route.ts";
import type { Routed } from "./routing.ts";

/** Our routes say so, that the other requests of the dialog need not be checked again. */
export interface Admitted {
  readonly kind: "admitted";
  readonly standing: Standing;
  /** It comes from a server, whose word counts for who calls (RFC 3325 §5). */
  readonly trusted: boolean;
}

export type Admission =
  | Admitted
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

/** Nobody is asked here, or it comes from a server. */
const TRUSTED: Admitted = { kind: "admitted", standing: "member", trusted: true };

/** One end of a call, which may speak for itself and nobody else. */
const MEMBER: Admitted = { kind: "admitted", standing: "member", trusted: false };

/** From there calls who does not say who he is (RFC 3323 §4.1.1.3). */
const NOBODYS_HOST = "anonymous.invalid";

/** They speak for a user, and belong to no dialog. */
const OF_NO_DIALOG: ReadonlySet<string> = new Set(["REGISTER", "PUBLISH"]);

export class Access {
  readonly #options: AccessOptions;

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /** What a route of ours vouches for: the request belongs to a call that was admitted here or by a sibling. */
  vouchedFor(request: Request, routed: Routed): Admitted | undefined {
    const { authenticator, maker } = this.#options;
    if (authenticator === undefined) return TRUSTED;
    const { admission, stop } = routed;
    if (admission === undefined) return undefined;
    const standing = maker.standingIn(admission);
    const seal = sealOf(request, standing);
    const other = toOf(request.headers)?.tag;
    // The word is known to both ends, so it must not do for more than going on with what they have begun.
    if (other !== undefined && stop.kind !== "self" && !OF_NO_DIALOG.has(request.method)) {
      const beyond = standing === "guest" ? beyondOf(routed) : "";
      const spoken =
        admission === maker.dialogWord(seal, beyond) ||
        admission === maker.dialogWord({ ...seal, tag: other }, beyond);
      if (spoken) return { kind: "admitted", standing, trusted: false };
    }
    return this.#isHop(request, admission)
      ? { kind: "admitted", standing, trusted: true }
      : undefined;
  }

  /** Whether a sibling has sent it here. */
  fromSibling(request: Request, { admission }: Routed): boolean {
    return admission !== undefined && this.#isHop(request, admission);
  }

  /** @param proven the domains that the peer's certificate speaks for, if it has shown one (RFC 5922). */
  judge(
    request: Request,
    routed: Routed,
    proven: readonly string[] | undefined,
    epochSeconds: number,
  ): Admission {
    const { authenticator } = this.#options;
    const { stop } = routed;
    // A Path of ours is known to the registrar it was given to, and to nobody else.
    const expected = stop.kind === "flow" && stop.edge;
    if (authenticator === undefined || expected) return TRUSTED;
    const vouched = this.vouchedFor(request, routed);
    if (vouched !== undefined) return vouched;
    const caller = parseUri(fromOf(request.headers)?.uri ?? "");
    const local = caller !== undefined && this.#options.domains.serves(caller.host);
    const known = caller !== undefined && proven?.includes(caller.host) === true;
    if (!local && (known || this.#options.acceptForeign) && stop.kind === "user") {
      return { kind: "admitted", standing: "guest", trusted: known };
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
    const himself = local && isKeyOf(unescapeUser(caller.user), verdict.user);
    if (!himself && caller?.host !== NOBODYS_HOST) {
      return this.#refused(request, 403, "not this user's address");
    }
    return MEMBER;
  }

  /**
   * Takes credentials for us off a request that goes on, and the name of the caller that only a server may assert
   * (RFC 3325 §5).
   */
  strip(headers: Headers, trusted: boolean): void {
    if (headers.has("proxy-authorization")) this.#options.authenticator?.strip(headers);
    if (!trusted) headers.remove("p-asserted-identity").remove("p-preferred-identity");
  }

  /** The word that nodes have among themselves, for this one request. */
  #isHop(request: Request, admission: string): boolean {
    const { maker } = this.#options;
    const seal = sealOf(request, maker.standingIn(admission));
    const cseq = request.headers.get("cseq") as string;
    return admission === maker.hopWord(seal, cseq, request.uri);
  }

  #refused(request: Request, status: number, why: string): Extract<Admission, { kind: "refused" }> {
    const response = responseTo(request, status, undefined, this.#options.toTag);
    return { kind: "refused", response, why };
  }
}

/** What our word about the dialog of a request is bound to, if it is the caller's. */
export function sealOf({ headers }: Request, standing: Standing): Seal {
  const callId = headers.get("call-id") as string;
  return { callId, tag: fromOf(headers)?.tag ?? "", standing };
}

/** What follows our routes. */
function beyondOf({ stop, uri }: Routed): string {
  if (stop.kind === "flow") return OVER_FLOW;
  return (stop.kind === "elsewhere" ? stop.uri : parseUri(uri))?.host ?? "";
}
