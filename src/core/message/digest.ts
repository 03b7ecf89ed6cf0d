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
export function parseCredentials(line: string): DigestCredentials | undefined {
  const usual: Given = { ...NOTHING_GIVEN };
  if (takeUsual(usual, line)) return whole(usual);
  const given: Given = { ...NOTHING_GIVEN };
  const scan = new AuthScan(line);
  let digest = false;
  let over = false;
  for (let step = scan.next(); step !== "end"; step = scan.next()) {
    if (step === "scheme") {
      over ||= digest;
      digest = !over && scan.is("digest");
    } else if (digest) take(given, scan.name(), scan.value());
  }
  return scan.sound ? whole(given) : undefined;
}

function whole(given: Given): DigestCredentials | undefined {
  const { username, realm, nonce, uri, response, opaque } = given;
  if (username === undefined || realm === undefined) return undefined;
  if (nonce === undefined || uri === undefined || response === undefined) return undefined;
  const { algorithm = "", cnonce = "", nc = "" } = given;
  const qop = given.qop === undefined || given.qop === "auth" ? given.qop : given.qop.toLowerCase();
  return { username, realm, nonce, uri, response, algorithm, opaque, qop: qop ?? "", cnonce, nc };
}

const DIGEST = "Digest ";

/** The parameters of credentials; of several of a name the first counts. */
type Given = { -readonly [Name in keyof DigestCredentials]: string | undefined };

const NOTHING_GIVEN: Given = {
  username: undefined,
  realm: undefined,
  nonce: undefined,
  uri: undefined,
  response: undefined,
  algorithm: undefined,
  opaque: undefined,
  qop: undefined,
  cnonce: undefined,
  nc: undefined,
};

/**
 * Reads the usual form, `Digest name="value", name=value, …` without escapes and names of others; false for any other,
 * of which it may have taken a part. This runs for each request that carries credentials.
 */
function takeUsual(given: Given, line: string): boolean {
  const end = line.length;
  if (line.slice(0, DIGEST.length) !== DIGEST || line.indexOf("\\") >= 0) return false;
  for (let at = DIGEST.length; ; at += line.charCodeAt(at + 1) === SPACE ? 2 : 1) {
    const equals = line.indexOf("=", at);
    if (equals < 0) return false;
    const name = line.slice(at, equals);
    let from = equals + 1;
    if (line.charCodeAt(from) === QUOTE) {
      from += 1;
      at = line.indexOf('"', from);
      if (at < 0 || !take(given, name, line.slice(from, at))) return false;
      at += 1;
    } else {
      at = line.indexOf(",", from);
      if (at < 0) at = end;
      if (!isToken(line, from, at) || !take(given, name, line.slice(from, at))) return false;
    }
    if (at === end) return true;
    if (line.charCodeAt(at) !== COMMA) return false;
  }
}

/** False if no credentials have a parameter of that name. */
function take(given: Given, lowerName: string, value: string): boolean {
  switch (lowerName) {
    case "username":
      given.username ??= value;
      return true;
    case "realm":
      given.realm ??= value;
      return true;
    case "nonce":
      given.nonce ??= value;
      return true;
    case "uri":
      given.uri ??= value;
      return true;
    case "response":
      given.response ??= value;
      return true;
    case "algorithm":
      given.algorithm ??= value;
      return true;
    case "opaque":
      given.opaque ??= value;
      return true;
    case "qop":
      given.qop ??= value;
      return true;
    case "cnonce":
      given.cnonce ??= value;
      return true;
    case "nc":
      given.nc ??= value;
      return true;
    default:
      return false;
  }
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
  const second = sum(hash, algorithm, `${method}:${uri}`);
  const middle = qop === "" ? nonce : `${nonce}:${nc}:${cnonce}:${qop}`;
  return sum(hash, algorithm, `${first}:${middle}:${second}`);
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
