/**
 * Digest authentication (RFC 3261 §22, RFC 7616, RFC 8760): challenges, credentials and the sums between them. MD5 and
 * SHA-256, each also as `-sess`; qop `auth` or none, the latter for servers of RFC 2069's time.
 */
import type { Hash } from "../primitives.ts";
import { AuthScan } from "./auth-params.ts";
import type { Headers } from "./headers.ts";
import { COMMA, isToken, QUOTE, quote, SPACE } from "./lexer.ts";

/** Of RFC 7616 §6.1, with their session variants. */
export type DigestAlgorithm = "MD5" | "MD5-sess" | "SHA-256" | "SHA-256-sess";

/** Strongest first (R106). */
const ALGORITHMS: readonly DigestAlgorithm[] = ["SHA-256", "SHA-256-sess", "MD5", "MD5-sess"];

/** A digest challenge (RFC 7616 §3.3). */
export interface Challenge {
  readonly realm: string;
  readonly nonce: string;
  /** Undefined: none was given, so none is sent back. */
  readonly opaque: string | undefined;
  /** As written; empty: none, which means MD5. */
  readonly algorithm: string;
  /** In lower case; empty: none was offered. */
  readonly qop: readonly string[];
  /** The nonce was too old, the password right: answer anew without asking anybody (R107). */
  readonly stale: boolean;
}

/** The credentials of a request (RFC 7616 §3.4). */
export interface DigestCredentials {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  /** The digest-uri. */
  readonly uri: string;
  readonly response: string;
  /** As written; empty: none, which means MD5. */
  readonly algorithm: string;
  readonly opaque: string | undefined;
  /** Empty: none, and then neither `cnonce` nor `nc` counts. */
  readonly qop: string;
  readonly cnonce: string;
  /** Eight hexadecimal digits. */
  readonly nc: string;
}

/** Who answers a challenge, and for what. */
export interface DigestAnswer {
  readonly username: string;
  readonly password: string;
  readonly method: string;
  /** The digest-uri: the Request-URI as sent. */
  readonly uri: string;
  /** How often this nonce has been used, this time included. */
  readonly count: number;
  readonly cnonce: string;
}

/** The Digest challenges of all lines of `www-authenticate` or `proxy-authenticate`, in order. */
export function challengesOf(
  headers: Headers,
  name: "www-authenticate" | "proxy-authenticate",
): Challenge[] {
  return headers.all(name).flatMap(parseChallenges);
}

/** The Digest challenges of one line; those of other schemes, or without realm or nonce, are left out. */
export function parseChallenges(line: string): Challenge[] {
  return schemesOf(line).flatMap(({ scheme, params }) => {
    const realm = params.get("realm");
    const nonce = params.get("nonce");
    if (scheme !== "digest" || realm === undefined || nonce === undefined) return [];
    const qop = (params.get("qop") ?? "").toLowerCase().split(",");
    return {
      realm,
      nonce,
      opaque: params.get("opaque"),
      algorithm: params.get("algorithm") ?? "",
      qop: qop.map((option) => option.trim()).filter((option) => option !== ""),
      stale: params.get("stale")?.toLowerCase() === "true",
    };
  });
}

/** The value of WWW-Authenticate or Proxy-Authenticate. */
export function printChallenge(challenge: Challenge): string {
  const { realm, nonce, opaque, algorithm, qop, stale } = challenge;
  let text = `Digest realm=${quote(realm)}, nonce=${quote(nonce)}`;
  if (opaque !== undefined) text += `, opaque=${quote(opaque)}`;
  if (stale) text += ", stale=true";
  if (algorithm !== "") text += `, algorithm=${algorithm}`;
  return qop.length === 0 ? text : `${text}, qop=${quote(qop.join(","))}`;
}

/** The strongest challenge that can be answered, the first of equals; undefined if none can. */
export function chooseChallenge(challenges: readonly Challenge[]): Challenge | undefined {
  let chosen: Challenge | undefined;
  let rank = ALGORITHMS.length;
  for (const challenge of challenges) {
    const algorithm = algorithmNamed(challenge.algorithm);
    const answerable = challenge.qop.length === 0 || challenge.qop.includes("auth");
    if (algorithm === undefined || !answerable || ALGORITHMS.indexOf(algorithm) >= rank) continue;
    rank = ALGORITHMS.indexOf(algorithm);
    chosen = challenge;
  }
  return chosen;
}

/**
 * The value of Authorization or Proxy-Authorization that answers a challenge; undefined if its algorithm or all its
 * qop options are unknown, which `chooseChallenge` never lets through.
 */
export function credentialsFor(
  hash: Hash,
  challenge: Challenge,
  answer: DigestAnswer,
): string | undefined {
  const algorithm = algorithmNamed(challenge.algorithm);
  const qop = challenge.qop.length === 0 ? "" : "auth";
  if (algorithm === undefined || (qop !== "" && !challenge.qop.includes(qop))) return undefined;
  const { username, uri, cnonce } = answer;
  const { realm, nonce, opaque } = challenge;
  const nc = (answer.count >>> 0).toString(16).padStart(8, "0");
  const secret = secretOf(hash, algorithm, username, realm, answer.password);
  const said = { nonce, uri, qop, cnonce, nc };
  const response = digestResponse(hash, algorithm, secret, answer.method, said);
  return printCredentials({
    username,
    realm,
    response,
    algorithm: challenge.algorithm,
    opaque,
    ...said,
  });
}

/** The first Digest credentials of a line; undefined if they lack a part that every answer has. */
export function parseCredentials(
  text: string,
  start = 0,
  end: number = text.length,
): DigestCredentials | undefined {
  const usual = nothingGiven();
  if (takeUsual(usual, text, start, end)) return whole(usual);
  const given = nothingGiven();
  const scan = new AuthScan(text.slice(start, end));
  let digest = false;
  let over = false;
  for (let step = scan.next(); step !== "end"; step = scan.next()) {
    if (step === "scheme") {
      over ||= digest;
      digest = !over && scan.is("digest");
    } else if (digest) {
      const index = PARAMS.indexOf(scan.name());
      if (index >= 0) given[index] ??= scan.value();
    }
  }
  return scan.sound ? whole(given) : undefined;
}

/** Taken out by number: a pattern of names would go through an iterator. */
function whole(given: Given): DigestCredentials | undefined {
  const username = given[USERNAME];
  const realm = given[REALM];
  const nonce = given[NONCE];
  const uri = given[URI];
  const response = given[RESPONSE];
  if (username === undefined || realm === undefined) return undefined;
  if (nonce === undefined || uri === undefined || response === undefined) return undefined;
  const algorithm = given[ALGORITHM] ?? "";
  const opaque = given[OPAQUE];
  const qop = given[QOP] ?? "";
  const cnonce = given[CNONCE] ?? "";
  const nc = given[NC] ?? "";
  return {
    username,
    realm,
    nonce,
    uri,
    response,
    algorithm,
    opaque,
    qop: qop === "auth" ? qop : qop.toLowerCase(),
    cnonce,
    nc,
  };
}

const DIGEST = "Digest ";

const [USERNAME, REALM, NONCE, URI, RESPONSE, ALGORITHM, OPAQUE, QOP, CNONCE, NC] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
] as const;
const PARAMS = "username realm nonce uri response algorithm opaque qop cnonce nc".split(" ");
/** As most write them: each is compared once, without a search for its end. */
const OPENINGS: readonly string[] = PARAMS.map((name) => `${name}=`);

/** The values of PARAMS, in their order; of several of a name the first counts. */
type Given = (string | undefined)[];

function nothingGiven(): Given {
  const none = undefined;
  return [none, none, none, none, none, none, none, none, none, none];
}

/** Where in PARAMS the one name is that has these characters first and third; some have two letters and an `=`. */
const PLACES: readonly number[] = Array.from({ length: 32 }, (_, place) =>
  OPENINGS.findIndex((name) => placeOf(name, 0) === place),
);

function placeOf(text: string, at: number): number {
  return (2 * text.charCodeAt(at) + text.charCodeAt(at + 2)) & 31;
}

/**
 * Reads the usual form, `Digest name="value", name=value, …` without escapes and names of others; false for any other,
 * of which it may have taken a part. This runs for each request that carries credentials.
 */
function takeUsual(given: Given, text: string, start: number, end: number): boolean {
  const first = start + DIGEST.length;
  if (text.slice(start, first) !== DIGEST || holdsEscape(text, first, end)) return false;
  for (let at = first; ; at += text.charCodeAt(at + 1) === SPACE ? 2 : 1) {
    const index = PLACES[placeOf(text, at)] ?? -1;
    const opening = OPENINGS[index];
    if (opening === undefined) return false;
    let from = at + opening.length;
    if (from > end || text.slice(at, from) !== opening) return false;
    if (text.charCodeAt(from) === QUOTE) {
      from += 1;
      at = text.indexOf('"', from);
      if (at < 0 || at >= end) return false;
      given[index] ??= text.slice(from, at);
      at += 1;
    } else {
      at = text.indexOf(",", from);
      if (at < 0 || at > end) at = end;
      if (!isToken(text, from, at)) return false;
      given[index] ??= text.slice(from, at);
    }
    if (at === end) return true;
    if (text.charCodeAt(at) !== COMMA) return false;
  }
}

function holdsEscape(text: string, start: number, end: number): boolean {
  const at = text.indexOf("\\", start);
  return at >= 0 && at < end;
}

/** The value of Authorization or Proxy-Authorization. */
export function printCredentials(credentials: DigestCredentials): string {
  const { username, realm, nonce, uri, response, algorithm, opaque, qop, cnonce, nc } = credentials;
  let text = `Digest username=${quote(username)}, realm=${quote(realm)}, nonce=${quote(nonce)}`;
  text += `, uri=${quote(uri)}, response="${response}"`;
  if (algorithm !== "") text += `, algorithm=${algorithm}`;
  if (opaque !== undefined) text += `, opaque=${quote(opaque)}`;
  // A -sess algorithm needs the cnonce even without qop: it is part of the secret (RFC 7616 §3.4.2).
  if (qop === "") return isSession(algorithm) ? `${text}, cnonce=${quote(cnonce)}` : text;
  return `${text}, cnonce=${quote(cnonce)}, qop=${qop}, nc=${nc}`;
}

/**
 * Whether credentials were made by someone who knows the secret. Nonce, realm and digest-uri are the caller's to judge.
 * @param secret `secretOf` for the user, realm and the algorithm the credentials name.
 */
export function provesSecret(
  hash: Hash,
  credentials: DigestCredentials,
  secret: string,
  method: string,
): boolean {
  const algorithm = algorithmNamed(credentials.algorithm);
  if (algorithm === undefined || (credentials.qop !== "" && credentials.qop !== "auth"))
    return false;
  const expected = digestResponse(hash, algorithm, secret, method, credentials);
  return sameDigest(expected, credentials.response.toLowerCase());
}

/** `H(user:realm:password)`, what a server may keep instead of the password. */
export function secretOf(
  hash: Hash,
  algorithm: DigestAlgorithm,
  username: string,
  realm: string,
  password: string,
): string {
  return sum(hash, algorithm, `${username}:${realm}:${password}`);
}

/** The algorithm of that name in whatever case, MD5 for the empty name; undefined if we have it not. */
export function algorithmNamed(name: string): DigestAlgorithm | undefined {
  if (name === "") return "MD5";
  const wanted = name.toLowerCase();
  return ALGORITHMS.find((algorithm) => algorithm.toLowerCase() === wanted);
}

interface Said {
  readonly nonce: string;
  readonly uri: string;
  readonly qop: string;
  readonly cnonce: string;
  readonly nc: string;
}

/** RFC 7616 §3.4.1. */
function digestResponse(
  hash: Hash,
  algorithm: DigestAlgorithm,
  secret: string,
  method: string,
  said: Said,
): string {
  const { nonce, uri, qop, cnonce, nc } = said;
  const session = isSession(algorithm);
  const first = session ? sum(hash, algorithm, `${secret}:${nonce}:${cnonce}`) : secret;
  const second = resourceSum(hash, algorithm, `${method}:${uri}`);
  const middle = qop === "" ? nonce : `${nonce}:${nc}:${cnonce}:${qop}`;
  return sum(hash, algorithm, `${first}:${middle}:${second}`);
}

/** The last of each algorithm: most requests with credentials are REGISTERs, all for the same URI. */
const lastResource = { MD5: { text: "", sum: "" }, SHA: { text: "", sum: "" } };

function resourceSum(hash: Hash, algorithm: DigestAlgorithm, text: string): string {
  const last = algorithm.startsWith("MD5") ? lastResource.MD5 : lastResource.SHA;
  if (last.text !== text) {
    last.text = text;
    last.sum = sum(hash, algorithm, text);
  }
  return last.sum;
}

function sum(hash: Hash, algorithm: DigestAlgorithm, text: string): string {
  return algorithm.startsWith("MD5") ? hash.md5(text) : hash.sha256(text);
}

function isSession(algorithm: string): boolean {
  return algorithm.toLowerCase().endsWith("-sess");
}

/** Takes as long whatever the first difference. */
function sameDigest(one: string, other: string): boolean {
  let difference = one.length ^ other.length;
  for (let index = 0; index < one.length; index += 1) {
    difference |= one.charCodeAt(index) ^ other.charCodeAt(index);
  }
  return difference === 0;
}

interface Scheme {
  readonly scheme: string;
  /** By lower-case name, unquoted; of several the first. */
  readonly params: Map<string, string>;
}

function schemesOf(line: string): Scheme[] {
  const schemes: Scheme[] = [];
  const scan = new AuthScan(line);
  for (let step = scan.next(); step !== "end"; step = scan.next()) {
    const name = scan.name();
    if (step === "scheme") schemes.push({ scheme: name, params: new Map() });
    else {
      const params = schemes.at(-1)?.params;
      if (params?.has(name) === false) params.set(name, scan.value());
    }
  }
  return scan.sound ? schemes : [];
}
