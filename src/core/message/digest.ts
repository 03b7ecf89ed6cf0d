/**
 * Digest authentication as both sides compute it (RFC 7616, RFC 8760, and RFC 2617 for servers without qop): the
 * parameters of challenges and credentials, and the response they lead to.
 */
import type { Hash } from "../primitives.ts";
import {
  COMMA,
  EQUALS,
  isBlankCode,
  matches,
  QUOTE,
  quote,
  quotedEnd,
  trimEnd,
  unquote,
} from "./lexer.ts";

/** Parameters looked at in one header: more is no sound challenge. */
const MAX_PARAMETERS = 32;

export type DigestAlgorithm = "MD5" | "MD5-sess" | "SHA-256" | "SHA-256-sess";

/** Weakest first (RFC 8760 §2.4 wants the strongest the client supports). */
const STRENGTHS: readonly DigestAlgorithm[] = ["MD5", "MD5-sess", "SHA-256", "SHA-256-sess"];

export interface Challenge {
  readonly realm: string;
  readonly nonce: string;
  /** Empty: none. */
  readonly opaque: string;
  readonly algorithm: DigestAlgorithm;
  /** As written, for the answer; empty: none was named. */
  readonly algorithmText: string;
  /** qop=auth is offered; without it the answer follows RFC 2069. */
  readonly qop: boolean;
  readonly stale: boolean;
}

/** What goes into one response. */
export interface DigestInput {
  readonly username: string;
  readonly password: string;
  readonly method: string;
  readonly uri: string;
  /** How often this nonce was used, this time included. */
  readonly nonceCount: number;
  readonly cnonce: string;
}

/** The parameters of a `Digest …` value under lower-case names; undefined for other schemes and unsound text. */
export function digestParameters(value: string): Map<string, string> | undefined {
  if (!matches(value, 0, 6, "digest") || !isBlankCode(value.charCodeAt(6))) return undefined;
  const found = new Map<string, string>();
  let at = 7;
  for (let count = 0; count < MAX_PARAMETERS; count += 1) {
    while (at < value.length && isSeparator(value.charCodeAt(at))) at += 1;
    if (at >= value.length) return found;
    const equals = value.indexOf("=", at);
    if (equals < 0) return undefined;
    const name = value.slice(at, trimEnd(value, at, equals)).toLowerCase();
    let start = equals + 1;
    while (start < value.length && isBlankCode(value.charCodeAt(start))) start += 1;
    const end = endOfValue(value, start);
    if (end < 0) return undefined;
    if (!found.has(name)) found.set(name, unquote(value.slice(start, end)));
    at = end;
  }
  return undefined;
}

/** Undefined if it is no Digest challenge this side can answer. */
export function parseChallenge(value: string): Challenge | undefined {
  const found = digestParameters(value);
  const nonce = found?.get("nonce");
  const realm = found?.get("realm");
  if (found === undefined || nonce === undefined || realm === undefined) return undefined;
  const algorithmText = found.get("algorithm") ?? "";
  const wanted = algorithmText === "" ? "md5" : algorithmText.toLowerCase();
  const algorithm = STRENGTHS.find((one) => one.toLowerCase() === wanted);
  const qops = found.get("qop")?.toLowerCase().split(",");
  const auth = qops?.some((qop) => qop.trim() === "auth") ?? false;
  if (algorithm === undefined || (qops !== undefined && !auth)) return undefined;
  return {
    realm,
    nonce,
    opaque: found.get("opaque") ?? "",
    algorithm,
    algorithmText,
    qop: auth,
    stale: found.get("stale")?.toLowerCase() === "true",
  };
}

/** The strongest challenge of a 401 or 407 that this side can answer (R106). */
export function strongestChallenge(values: readonly string[]): Challenge | undefined {
  let best: Challenge | undefined;
  for (const value of values) {
    const challenge = parseChallenge(value);
    if (challenge === undefined) continue;
    if (best === undefined || strength(challenge) > strength(best)) best = challenge;
  }
  return best;
}

/** The value of Authorization or Proxy-Authorization that answers a challenge. */
export function printCredentials(hash: Hash, challenge: Challenge, input: DigestInput): string {
  const { username, uri, cnonce, nonceCount } = input;
  const nc = nonceCount.toString(16).padStart(8, "0");
  const parts = [
    `username=${quote(username)}`,
    `realm=${quote(challenge.realm)}`,
    `nonce=${quote(challenge.nonce)}`,
    `uri=${quote(uri)}`,
    `response="${digestResponse(hash, challenge, input)}"`,
  ];
  if (challenge.algorithmText !== "") parts.push(`algorithm=${challenge.algorithmText}`);
  if (challenge.qop) parts.push("qop=auth", `nc=${nc}`, `cnonce=${quote(cnonce)}`);
  else if (challenge.algorithm.endsWith("-sess")) parts.push(`cnonce=${quote(cnonce)}`);
  if (challenge.opaque !== "") parts.push(`opaque=${quote(challenge.opaque)}`);
  return `Digest ${parts.join(", ")}`;
}

/** The response of RFC 7616 §3.4.1, lower-case hexadecimal. */
export function digestResponse(hash: Hash, challenge: Challenge, input: DigestInput): string {
  const digest = challenge.algorithm.startsWith("SHA-256") ? hash.sha256 : hash.md5;
  const { username, password, method, uri, cnonce, nonceCount } = input;
  let secret = digest(`${username}:${challenge.realm}:${password}`);
  if (challenge.algorithm.endsWith("-sess"))
    secret = digest(`${secret}:${challenge.nonce}:${cnonce}`);
  const request = digest(`${method}:${uri}`);
  if (!challenge.qop) return digest(`${secret}:${challenge.nonce}:${request}`);
  const nc = nonceCount.toString(16).padStart(8, "0");
  return digest(`${secret}:${challenge.nonce}:${nc}:${cnonce}:auth:${request}`);
}

function strength(challenge: Challenge): number {
  return STRENGTHS.indexOf(challenge.algorithm);
}

/** -1 if a quoted string has no end. */
function endOfValue(value: string, start: number): number {
  if (value.charCodeAt(start) === QUOTE) return quotedEnd(value, start, value.length);
  let end = start;
  while (end < value.length && !endsToken(value.charCodeAt(end))) end += 1;
  return end;
}

function isSeparator(code: number): boolean {
  return code === COMMA || isBlankCode(code);
}

function endsToken(code: number): boolean {
  return code === COMMA || code === EQUALS || isBlankCode(code);
}
