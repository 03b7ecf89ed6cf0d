/**
 * The client's side of digest authentication: one password, and for each target the challenge it gave. A nonce
 * goes back to the target that gave it and to no other (C20, R107), and to servers of the account only (I7).
 */
import { assert } from "../assert.ts";
import { token } from "../identifiers.ts";
import type { Target } from "../machine.ts";
import {
  type Challenge,
  challengesOf,
  chooseChallenge,
  credentialsFor,
} from "../message/digest.ts";
import type { Request, Response } from "../message/message.ts";
import { toOf } from "../message/name-addr.ts";
import type { Primitives } from "../primitives.ts";
import { MAX_REMEMBERED_CHALLENGES, MAX_SHARED_ASKINGS } from "./limits.ts";
import type { AccountPolicy } from "./policy.ts";
import { sameTarget } from "./server-health.ts";
import type { ServerSet } from "./server-set.ts";

/** What nearly every server offers, once for all phones. */
const AUTH_ONLY: readonly string[] = ["auth"];

/** One text each for all phones. */
const USUAL_ALGORITHMS: readonly string[] = ["SHA-256", "MD5"];

type CredentialsHeader = "authorization" | "proxy-authorization";

/** REGISTER is asked for by the registrar, all else by the proxy: two realms may stand behind one target. */
interface Asker {
  readonly header: CredentialsHeader;
  readonly registrar: boolean;
  readonly target: Target;
}

/** All of a challenge but its nonce, and who asked. */
interface Asking extends Asker, Omit<Challenge, "nonce"> {}

/** One object for what is asked alike: most phones of a fleet are. */
export class SharedAskings {
  readonly #known: Asking[] = [];

  same(asking: Asking): Asking {
    const known = this.#known.find((one) => areEqual(one, asking));
    if (known !== undefined) return known;
    // One with an opaque text of its own is nobody else's.
    if (asking.opaque === undefined && this.#known.length < MAX_SHARED_ASKINGS) {
      this.#known.push(asking);
    }
    return asking;
  }
}

function areEqual(one: Asking, other: Asking): boolean {
  return (
    isSame(one, other) &&
    one.realm === other.realm &&
    one.opaque === other.opaque &&
    one.algorithm === other.algorithm &&
    one.stale === other.stale &&
    one.qop.length === other.qop.length &&
    one.qop.every((option, index) => option === other.qop[index])
  );
}

/** One object each, and a chain of them: a fleet has many phones. */
interface Known {
  readonly asking: Asking;
  readonly nonce: string;
  /** Requests answered with this nonce so far (nc). */
  uses: number;
  /** The one before it. */
  readonly next: Known | undefined;
}

/** What all accounts of a machine have in common. */
interface CredentialsShared {
  readonly primitives: Primitives;
  readonly askings: SharedAskings;
}

type CredentialsOwner = Pick<AccountPolicy, "authName" | "password" | "domain">;

export class Credentials {
  readonly #owner: CredentialsOwner;
  readonly #shared: CredentialsShared;
  readonly #servers: ServerSet;
  /** A few at most, the latest first. */
  #known: Known | undefined;

  /** @param servers who may be given an answer at all. */
  constructor(owner: CredentialsOwner, shared: CredentialsShared, servers: ServerSet) {
    this.#owner = owner;
    this.#shared = shared;
    this.#servers = servers;
  }

  /**
   * Adds what the target is known to ask for, so that it need not ask again. ACK and CANCEL take it from the
   * INVITE.
   */
  authorize(request: Request, target: Target): void {
    if (this.#known === undefined || request.method === "ACK" || request.method === "CANCEL")
      return;
    for (const header of ["authorization", "proxy-authorization"] as const) {
      // Registrars challenge REGISTER with 401, proxies everything else with 407: each gets its own.
      const asker: Asker = { header, registrar: request.method === "REGISTER", target };
      request.headers.remove(header);
      for (let known = this.#find(asker); known !== undefined; known = find(known.next, asker)) {
        request.headers.add(header, this.#answer(known, request));
      }
    }
  }

  /**
   * Takes in a 401 or 407, in which each realm asks for itself (RFC 3261 §22.3). @returns false if trying again would
   * be no use: no challenge that can be answered, or the answer to this very nonce was refused.
   */
  challenged(response: Response, request: Request, target: Target): boolean {
    const proxy = response.status === 407;
    const header = proxy ? "proxy-authorization" : "authorization";
    const asked = proxy ? "proxy-authenticate" : "www-authenticate";
    const asker: Asker = { header, registrar: request.method === "REGISTER", target };
    const answerable = strongestOfEach(challengesOf(response.headers, asked)).filter((challenge) =>
      this.#mayAsk(challenge, request, target),
    );
    if (answerable.length === 0) return false;
    const before = this.#known;
    // Behind one proxy there may be another; who answers requests is one.
    if (!proxy) this.#known = without(this.#known, asker);
    for (const challenge of answerable) {
      const { realm, stale } = challenge;
      const tried = request.headers.has(header) ? find(before, asker, realm) : undefined;
      this.#known = without(this.#known, asker, realm, MAX_REMEMBERED_CHALLENGES - 1);
      if (tried !== undefined && !stale && tried.uses <= 1) return false;
      this.#known = this.#copy(challenge, asker, this.#known);
    }
    return true;
  }

  /**
   * A stranger that a dialog leads to has no claim on a digest of the password: it could guess at it for years. Nor has
   * one behind our own server: inside a dialog only a realm is answered that asked outside one.
   */
  #mayAsk(challenge: Challenge, request: Request, target: Target): boolean {
    // A server that the DNS no longer names may still have calls to end.
    const former = this.#knows(({ asking }) => asking.target.address === target.address);
    if (!former && !this.#servers.standsAt(target.address)) return false;
    if (toOf(request.headers)?.tag === undefined) return true;
    return this.#knows(({ asking }) => asking.realm === challenge.realm);
  }

  #knows(fits: (known: Known) => boolean): boolean {
    let known = this.#known;
    while (known !== undefined && !fits(known)) known = known.next;
    return known !== undefined;
  }

  #find(asker: Asker): Known | undefined {
    return find(this.#known, asker);
  }

  /** With strings of its own: parts of a message would keep the whole of it in memory. */
  #copy(challenge: Challenge, asker: Asker, next: Known | undefined): Known {
    const { bytes } = this.#shared.primitives;
    const own = (text: string): string => bytes.toText(bytes.fromText(text));
    const { realm, nonce, opaque, algorithm, qop, stale } = challenge;
    const { header, registrar, target } = asker;
    const asking = this.#shared.askings.same({
      header,
      registrar,
      target,
      realm: this.#owner.domain === realm ? this.#owner.domain : own(realm),
      opaque: opaque === undefined ? undefined : own(opaque),
      algorithm: USUAL_ALGORITHMS.find((usual) => usual === algorithm) ?? own(algorithm),
      qop: qop.length === 1 && qop[0] === "auth" ? AUTH_ONLY : qop.map(own),
      stale,
    });
    return { asking, nonce: own(nonce), uses: 0, next };
  }

  #answer(known: Known, request: Request): string {
    known.uses += 1;
    const credentials = credentialsFor(this.#shared.primitives.hash, challengeOf(known), {
      username: this.#owner.authName,
      password: this.#owner.password,
      method: request.method,
      uri: request.uri,
      count: known.uses,
      cnonce: token(this.#shared.primitives.entropy, 2),
    });
    assert(credentials !== undefined, "a challenge was kept that cannot be answered");
    return credentials;
  }
}

/** Written out: a copy of what is shared would take the engine twenty times as long. */
function challengeOf({ asking, nonce }: Known): Challenge {
  const { realm, opaque, algorithm, qop, stale } = asking;
  return { realm, nonce, opaque, algorithm, qop, stale };
}

/** Of each realm the strongest challenge that can be answered, in the order of the realms. */
function strongestOfEach(challenges: readonly Challenge[]): Challenge[] {
  const realms = [...new Set(challenges.map(({ realm }) => realm))];
  return realms.flatMap(
    (realm) => chooseChallenge(challenges.filter((one) => one.realm === realm)) ?? [],
  );
}

/** The latest of that asker. @param realm undefined: whichever. */
function find(chain: Known | undefined, asker: Asker, realm?: string): Known | undefined {
  let known = chain;
  while (known !== undefined && !isOf(known, asker, realm)) known = known.next;
  return known;
}

/** The latest of those that remain, so many at most. */
function without(
  chain: Known | undefined,
  asker: Asker,
  realm?: string,
  most = MAX_REMEMBERED_CHALLENGES,
): Known | undefined {
  if (chain === undefined || most <= 0) return undefined;
  if (isOf(chain, asker, realm)) return without(chain.next, asker, realm, most);
  const next = without(chain.next, asker, realm, most - 1);
  return next === chain.next ? chain : { ...chain, next };
}

function isOf({ asking }: Known, asker: Asker, realm: string | undefined): boolean {
  return isSame(asking, asker) && (realm === undefined || asking.realm === realm);
}

function isSame(one: Asker, other: Asker): boolean {
  if (one.header !== other.header || one.registrar !== other.registrar) return false;
  return sameTarget(one.target, other.target);
}
