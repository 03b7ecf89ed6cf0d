/**
 * The server's side of digest authentication (RFC 7616, RFC 8760, RFC 3261 §22): SHA-256 offered before MD5, and
 * nonces that need no memory until they are used.
 */
import {
  algorithmNamed,
  type DigestCredentials,
  parseCredentials,
  printChallenge,
  provesSecret,
} from "../message/digest.ts";
import { VIA } from "../message/header-names.ts";
import type { Headers } from "../message/headers.ts";
import type { Request } from "../message/message.ts";
import { parseUri } from "../message/uri.ts";
import type { Hash } from "../primitives.ts";
import type { Domains } from "./domains.ts";
import type { Nonces } from "./nonces.ts";
import type { OfferedAlgorithm, Users } from "./users.ts";

/** `registrar` is challenged with 401, `proxy` with 407. */
export type Asking = "registrar" | "proxy";

export type Authentication =
  /** As the digest has him. */
  | { readonly kind: "authenticated"; readonly user: string }
  | { readonly kind: "challenged"; readonly stale: boolean; readonly why: string }
  | { readonly kind: "malformed"; readonly why: string };

/** All there are, strongest first (R106). */
export const DIGEST_ALGORITHMS: readonly OfferedAlgorithm[] = ["SHA-256", "MD5"];

export class Authenticator {
  readonly #users: Users;
  readonly #nonces: Nonces;
  readonly #hash: Hash;
  readonly #domains: Domains;
  readonly #realm: string;
  readonly #algorithms: readonly OfferedAlgorithm[];

  /** @param algorithms those offered, in that order. */
  constructor(
    users: Users,
    nonces: Nonces,
    hash: Hash,
    domains: Domains,
    algorithms: readonly OfferedAlgorithm[],
  ) {
    this.#users = users;
    this.#nonces = nonces;
    this.#hash = hash;
    this.#domains = domains;
    this.#realm = domains.canonical;
    this.#algorithms = algorithms;
  }

  /** Who sent the request, proven; a challenge if that is not. */
  judge(request: Request, asking: Asking, epochSeconds: number): Authentication {
    const name = asking === "registrar" ? "authorization" : "proxy-authorization";
    const given = this.#credentials(request.headers, name);
    if (given === undefined) return challenged(false, "no credentials");
    const algorithm = this.#algorithmOf(given);
    if (algorithm === undefined || (given.qop !== "" && given.qop !== "auth")) {
      return challenged(false, "algorithm or qop not offered");
    }
    if (!this.#isSameResource(given.uri, request.uri)) {
      return { kind: "malformed", why: "the digest is of another URI" };
    }
    const count = given.qop === "" ? 1 : Number.parseInt(given.nc, 16);
    if (!(count > 0)) return { kind: "malformed", why: "no nonce count" };
    const ha1 = this.#users.ha1(this.#hash, given.username, this.#realm, algorithm);
    if (ha1 === undefined) return challenged(false, "unknown user");
    if (!provesSecret(this.#hash, given, ha1, request.method)) {
      return challenged(false, "wrong password");
    }
    // Whoever knows the password need not be asked for it again: all else is a matter of the nonce (R107).
    const { nonce } = given;
    const came = asItCame(request);
    const verdict = this.#nonces.judge(nonce, count, came, epochSeconds);
    if (verdict === "fresh") this.#nonces.commit(nonce, count, came, epochSeconds);
    else if (verdict !== "again" || asking === "proxy") return challenged(true, `nonce ${verdict}`);
    return { kind: "authenticated", user: given.username };
  }

  /** The values of WWW-Authenticate or Proxy-Authenticate, one for each algorithm. */
  challenges(stale: boolean, epochSeconds: number): string[] {
    const nonce = this.#nonces.issue(epochSeconds);
    const realm = this.#realm;
    return this.#algorithms.map((algorithm) =>
      printChallenge({ realm, nonce, opaque: undefined, algorithm, qop: ["auth"], stale }),
    );
  }

  /** Takes our own credentials off a request that goes on (RFC 3261 §22.3). */
  strip(headers: Headers): void {
    const name = "proxy-authorization";
    for (let at = headers.indexOf(name); at >= 0; ) {
      const own = headers.readAt(at, parseCredentials)?.realm === this.#realm;
      if (own) headers.removeAt(at);
      at = headers.indexOf(name, own ? at : at + 1);
    }
  }

  #credentials(headers: Headers, name: string): DigestCredentials | undefined {
    for (let at = headers.indexOf(name); at >= 0; at = headers.indexOf(name, at + 1)) {
      const given = headers.readAt(at, parseCredentials);
      if (given?.realm === this.#realm) return given;
    }
    return undefined;
  }

  /** Phones name the resource as they like; user and host must agree, all our names being one (RFC 7616 §3.4.6). */
  #isSameResource(digestUri: string, requestUri: string): boolean {
    if (digestUri === requestUri) return true;
    const one = parseUri(digestUri);
    const other = parseUri(requestUri);
    if (one === undefined || other === undefined || one.user !== other.user) return false;
    const domains = this.#domains;
    return one.host === other.host || (domains.serves(one.host) && domains.serves(other.host));
  }

  #algorithmOf(given: DigestCredentials): OfferedAlgorithm | undefined {
    const named = algorithmNamed(given.algorithm);
    return this.#algorithms.find((algorithm) => algorithm === named);
  }
}

/**
 * What a retransmission repeats: every byte, since the digest proves neither Contact nor Path, and where it came
 * from, which the stamped Via says.
 */
function asItCame({ headers }: Request): string {
  return `${headers.get(VIA)}\n${headers.source}`;
}

function challenged(stale: boolean, why: string): Authentication {
  return { kind: "challenged", stale, why };
}
