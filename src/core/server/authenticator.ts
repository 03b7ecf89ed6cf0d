/**
 * The server's side of digest authentication (RFC 7616, RFC 8760, RFC 3261 §22): SHA-256 offered before MD5, and
 * nonces that need no memory until they are used.
 */
import type { Headers } from "../message/headers.ts";
import type { Request } from "../message/message.ts";
import { parseUri } from "../message/uri.ts";
import type { Hash } from "../primitives.ts";
import { type Authorization, parseAuthorization } from "./authorization.ts";
import type { Domains } from "./domains.ts";
import type { Nonces } from "./nonces.ts";
import type { DigestAlgorithm, Users } from "./users.ts";

/** `registrar` is challenged with 401, `proxy` with 407. */
export type Asking = "registrar" | "proxy";

export type Authentication =
  | { readonly kind: "authenticated"; readonly user: string }
  | { readonly kind: "challenged"; readonly stale: boolean; readonly why: string }
  | { readonly kind: "malformed"; readonly why: string };

/** All there are, strongest first (R106). */
export const DIGEST_ALGORITHMS: readonly DigestAlgorithm[] = ["SHA-256", "MD5"];

/** Digests of method and URI kept: phones of one domain all ask for the same. */
const MAX_KEPT_DIGESTS = 1_000;

export class Authenticator {
  readonly #users: Users;
  readonly #nonces: Nonces;
  readonly #hash: Hash;
  readonly #domains: Domains;
  readonly #realm: string;
  readonly #algorithms: readonly DigestAlgorithm[];
  readonly #ha2 = new Map<string, string>();

  /** @param algorithms those offered, in that order. */
  constructor(
    users: Users,
    nonces: Nonces,
    hash: Hash,
    domains: Domains,
    algorithms: readonly DigestAlgorithm[],
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
    if (this.#response(given, ha1, request.method, algorithm) !== given.response.toLowerCase()) {
      return challenged(false, "wrong password");
    }
    // Whoever knows the password need not be asked for it again: all else is a matter of the nonce (R107).
    const verdict = this.#nonces.judge(given.nonce, count, given.response, epochSeconds);
    if (verdict === "fresh") this.#nonces.commit(given.nonce, count, given.response);
    else if (verdict !== "again" || asking === "proxy") return challenged(true, `nonce ${verdict}`);
    return { kind: "authenticated", user: given.username };
  }

  /** The values of WWW-Authenticate or Proxy-Authenticate, one for each algorithm. */
  challenges(stale: boolean, epochSeconds: number): string[] {
    const nonce = this.#nonces.issue(epochSeconds);
    const also = stale ? ", stale=true" : "";
    return this.#algorithms.map(
      (algorithm) =>
        `Digest realm="${this.#realm}", nonce="${nonce}", algorithm=${algorithm}, qop="auth"${also}`,
    );
  }

  /** Takes our own credentials off a request that goes on (RFC 3261 §22.3). */
  strip(headers: Headers): void {
    const name = "proxy-authorization";
    for (let at = headers.indexOf(name); at >= 0; ) {
      const own = parseAuthorization(headers.valueAt(at))?.realm === this.#realm;
      if (own) headers.removeAt(at);
      at = headers.indexOf(name, own ? at : at + 1);
    }
  }

  #credentials(headers: Headers, name: string): Authorization | undefined {
    for (let at = headers.indexOf(name); at >= 0; at = headers.indexOf(name, at + 1)) {
      const given = parseAuthorization(headers.valueAt(at));
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

  #algorithmOf(given: Authorization): DigestAlgorithm | undefined {
    const name = given.algorithm === "" ? "MD5" : given.algorithm.toUpperCase();
    return this.#algorithms.find((algorithm) => algorithm === name);
  }

  #response(given: Authorization, ha1: string, method: string, algorithm: DigestAlgorithm): string {
    const ha2 = this.#resource(method, given.uri, algorithm);
    const { nonce, nc, cnonce, qop } = given;
    const middle = qop === "" ? nonce : `${nonce}:${nc}:${cnonce}:${qop}`;
    return this.#digest(`${ha1}:${middle}:${ha2}`, algorithm);
  }

  #resource(method: string, uri: string, algorithm: DigestAlgorithm): string {
    const key = `${algorithm} ${method}:${uri}`;
    const kept = this.#ha2.get(key);
    if (kept !== undefined) return kept;
    if (this.#ha2.size >= MAX_KEPT_DIGESTS) this.#ha2.clear();
    const ha2 = this.#digest(`${method}:${uri}`, algorithm);
    this.#ha2.set(key, ha2);
    return ha2;
  }

  #digest(text: string, algorithm: DigestAlgorithm): string {
    return algorithm === "MD5" ? this.#hash.md5(text) : this.#hash.sha256(text);
  }
}

function challenged(stale: boolean, why: string): Authentication {
  return { kind: "challenged", stale, why };
}
