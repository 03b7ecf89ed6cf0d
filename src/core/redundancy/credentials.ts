/**
 * The client's side of digest authentication: one password, and for each target the challenge it gave. A nonce
 * goes back to the target that gave it and to no other (C20, R107).
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
import type { Primitives } from "../primitives.ts";
import { targetName } from "./server-health.ts";

/** Targets whose challenge is remembered: a phone has a few servers, and a liar must not fill its memory. */
const REMEMBERED_LIMIT = 32;

/** What nearly every server offers, once for all phones. */
const AUTH_ONLY: readonly string[] = ["auth"];

type CredentialsHeader = "authorization" | "proxy-authorization";

/** REGISTER is asked for by the registrar, all else by the proxy: two realms may stand behind one target. */
interface Asker {
  readonly header: CredentialsHeader;
  readonly registrar: boolean;
  readonly target: Target;
}

interface Known extends Asker {
  readonly challenge: Challenge;
  /** Requests answered with this nonce so far (nc). */
  uses: number;
}

export class Credentials {
  readonly #user: string;
  readonly #password: string;
  readonly #primitives: Primitives;
  /** A few at most, the oldest first; undefined until somebody asks. */
  #known: readonly Known[] | undefined;

  constructor(user: string, password: string, primitives: Primitives) {
    this.#user = user;
    this.#password = password;
    this.#primitives = primitives;
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
      const known = this.#find({ header, registrar: request.method === "REGISTER", target });
      if (known !== undefined) request.headers.set(header, this.#answer(known, request));
    }
  }

  /**
   * Takes in a 401 or 407. @returns false if trying again would be no use: no challenge that can be answered, or the
   * answer to this very nonce was refused.
   */
  challenged(response: Response, request: Request, target: Target): boolean {
    const proxy = response.status === 407;
    const header = proxy ? "proxy-authorization" : "authorization";
    const asked = proxy ? "proxy-authenticate" : "www-authenticate";
    const challenge = chooseChallenge(challengesOf(response.headers, asked));
    if (challenge === undefined) return false;
    const asker: Asker = { header, registrar: request.method === "REGISTER", target };
    const before = this.#find(asker);
    const tried = before !== undefined && request.headers.has(header);
    if (
      tried &&
      !challenge.stale &&
      before.challenge.realm === challenge.realm &&
      before.uses <= 1
    ) {
      this.#forget(asker);
      return false;
    }
    this.#forget(asker);
    const { registrar } = asker;
    const known: Known = { header, registrar, target, challenge: this.#copy(challenge), uses: 0 };
    this.#known = (this.#known ?? []).slice(1 - REMEMBERED_LIMIT).concat(known);
    return true;
  }

  #find(asker: Asker): Known | undefined {
    return this.#known?.find((known) => isSame(known, asker));
  }

  #forget(asker: Asker): void {
    this.#known = this.#known?.filter((known) => !isSame(known, asker));
  }

  /** With strings of its own: parts of a message would keep the whole of it in memory. */
  #copy(challenge: Challenge): Challenge {
    const { bytes } = this.#primitives;
    const own = (text: string): string => bytes.toText(bytes.fromText(text));
    const { realm, nonce, opaque, algorithm, qop, stale } = challenge;
    return {
      realm: own(realm),
      nonce: own(nonce),
      opaque: opaque === undefined ? undefined : own(opaque),
      algorithm: own(algorithm),
      qop: qop.length === 1 && qop[0] === "auth" ? AUTH_ONLY : qop.map(own),
      stale,
    };
  }

  #answer(known: Known, request: Request): string {
    known.uses += 1;
    const credentials = credentialsFor(this.#primitives.hash, known.challenge, {
      username: this.#user,
      password: this.#password,
      method: request.method,
      uri: request.uri,
      count: known.uses,
      cnonce: token(this.#primitives.entropy, 2),
    });
    assert(credentials !== undefined, "a challenge was kept that cannot be answered");
    return credentials;
  }
}

function isSame(one: Asker, other: Asker): boolean {
  if (one.header !== other.header || one.registrar !== other.registrar) return false;
  return one.target === other.target || targetName(one.target) === targetName(other.target);
}
