/**
 * Globally routable user agent URIs (RFC 5627): names of one phone among those of a user, made here and understood by
 * every node that knows the secret. A public one tells whose it is; a temporary one is opaque, and dies with the
 * Call-ID it was given for. None is remembered anywhere.
 */
import { token } from "../identifiers.ts";
import { paramOf } from "../message/params.ts";
import { type SipUri, unescapeUser, uriParam } from "../message/uri.ts";
import type { Entropy, Hash } from "../primitives.ts";
import type { Binding } from "./binding.ts";

/** One phone of a user. */
export interface Gruu {
  readonly user: string;
  readonly temporary: boolean;
  /** Whether that phone has made this binding. */
  fits(binding: Binding): boolean;
}

/** How the user part of temporary ones begins. */
const MARK = "tgruu.";

const NONCE_WORDS = 2;
const MAC_DIGITS = 20;

/** Digits of the hashes by which a temporary one knows its phone and its registration. */
const HASH_DIGITS = 10;

export class Gruus {
  readonly #hash: Hash;
  readonly #secret: string;
  readonly #entropy: Entropy;
  readonly #domain: string;

  constructor(hash: Hash, secret: string, entropy: Entropy, domain: string) {
    this.#hash = hash;
    this.#secret = secret;
    this.#entropy = entropy;
    this.#domain = domain;
  }

  /**
   * The parameters of its Contact in a 200 (§5.2); empty for a phone that names no instance.
   * @param user escaped as in the key of the store.
   * @param parameters see Binding.
   */
  params(user: string, parameters: string, callId: string): string {
    const instance = instanceOf(parameters);
    if (instance === undefined) return "";
    const open = `sip:${user}@${this.#domain};gr=${instance}`;
    const hidden = `sip:${this.#temporary(user, instance, callId)}@${this.#domain};gr`;
    return `;pub-gruu="${open}";temp-gruu="${hidden}"`;
  }

  /** Undefined: the URI is none; `forged`: it was not made here. @param uri at a domain of ours. */
  read(uri: SipUri): Gruu | "forged" | undefined {
    const instance = uriParam(uri, "gr");
    if (instance === undefined) return undefined;
    const user = unescapeUser(uri.user);
    if (user.startsWith(MARK)) return this.#readTemporary(user.slice(MARK.length)) ?? "forged";
    if (instance === "") return "forged";
    return {
      user,
      temporary: false,
      fits: ({ parameters }) => instanceOf(parameters)?.toLowerCase() === instance.toLowerCase(),
    };
  }

  #temporary(user: string, instance: string, callId: string): string {
    const nonce = token(this.#entropy, NONCE_WORDS);
    const plain = `${this.#short(instance)}${this.#short(callId)}${user}`;
    let hidden = "";
    for (let index = 0; index < plain.length; index += 1) {
      const code = plain.charCodeAt(index) ^ this.#key(nonce, index);
      hidden += code.toString(16).padStart(2, "0");
    }
    const stem = `${nonce}.${hidden}`;
    return `${MARK}${stem}.${this.#mac(stem)}`;
  }

  #readTemporary(text: string): Gruu | undefined {
    const end = text.lastIndexOf(".");
    const stem = text.slice(0, Math.max(0, end));
    if (end < 0 || text.slice(end + 1) !== this.#mac(stem)) return undefined;
    const [nonce = "", hidden = ""] = stem.split(".");
    let plain = "";
    for (let at = 0; at < hidden.length; at += 2) {
      const code = Number.parseInt(hidden.slice(at, at + 2), 16) ^ this.#key(nonce, at / 2);
      plain += String.fromCharCode(code);
    }
    const phone = plain.slice(0, HASH_DIGITS);
    const registration = plain.slice(HASH_DIGITS, 2 * HASH_DIGITS);
    return {
      user: plain.slice(2 * HASH_DIGITS),
      temporary: true,
      fits: ({ parameters, callId }) =>
        this.#short(instanceOf(parameters) ?? "") === phone && this.#short(callId) === registration,
    };
  }

  /** One byte of the keystream. */
  #key(nonce: string, index: number): number {
    const block = this.#hash.sha256(`${this.#secret}:gruu:${nonce}:${Math.floor(index / 32)}`);
    const at = (index % 32) * 2;
    return Number.parseInt(block.slice(at, at + 2), 16);
  }

  #mac(stem: string): string {
    return this.#hash.sha256(`${this.#secret}:gruu-mac:${stem}`).slice(0, MAC_DIGITS);
  }

  #short(text: string): string {
    return this.#hash.sha256(text).slice(0, HASH_DIGITS);
  }
}

/** The URN of `+sip.instance`, without the angle brackets; undefined: there is none that can stand in a URI. */
function instanceOf(parameters: string): string | undefined {
  if (parameters === "") return undefined;
  const quoted = paramOf(parameters, "+sip.instance") ?? "";
  const urn = quoted.startsWith("<") && quoted.endsWith(">") ? quoted.slice(1, -1) : "";
  return /^[\w:.%+-]+$/.test(urn) ? urn : undefined;
}
