/**
 * Who may talk to the page's server. A page of another site must neither read nor change anything, not even when its
 * name is made to lead here (DNS rebinding): so Host must be an address or this machine's own name, and Origin, where a
 * browser sends one (RFC 6454 §7), must be that Host. Whoever changes something shows the token that was printed.
 */
import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { hostname } from "node:os";

const TOKEN_BYTES = 16;

/** A token nobody guesses, fit for an address. */
export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString("base64url");
}

/** Why a request is refused; undefined: it is not. `own` is the host that was asked for at the start, which counts as well. */
export function strangerIn(
  host: string | undefined,
  origin: string | undefined,
  port: number,
  own: string,
): string | undefined {
  if (host === undefined || !isOwnHost(host, port, own))
    return "the Host header names another place";
  if (origin !== undefined && origin !== `http://${host}`)
    return "the Origin header is another site's";
  return undefined;
}

function isOwnHost(host: string, port: number, own: string): boolean {
  const match = /^(?:\[([0-9a-f:.]+)\]|([\w.-]+)):(\d+)$/i.exec(
    port === 80 ? withPort(host) : host,
  );
  if (match === null || Number(match[3]) !== port) return false;
  const name = (match[1] ?? match[2] ?? "").toLowerCase();
  const names = ["localhost", hostname().toLowerCase(), own.toLowerCase()];
  return isIP(name) !== 0 || names.includes(name);
}

function withPort(host: string): string {
  return /:\d+$/.test(host) ? host : `${host}:80`;
}
