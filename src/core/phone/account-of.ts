/** Which account of a phone a message is for: all of them listen at one port. */
import type { Peer } from "../machine.ts";
import type { Request } from "../message/message.ts";
import { toOf } from "../message/name-addr.ts";
import { parseUri, unescapeUser } from "../message/uri.ts";
import type { Account } from "./account.ts";

/** By the user of the Request-URI, which is the one of the Contact; by To, if a proxy has changed it. */
export function accountOf(
  accounts: readonly Account[],
  { uri, headers }: Request,
  from: Peer,
): Account | undefined {
  const to = toOf(headers)?.uri ?? "";
  return accountNamed(accounts, uri, to, from) ?? accountNamed(accounts, to, to, from);
}

/**
 * The account with the user of a URI. At two servers two of them may have one number: then the one that has a server at
 * the other end, and of several such the one whose own address of record `aor` is.
 */
export function accountNamed(
  accounts: readonly Account[],
  uri: string,
  aor: string,
  { address }: Peer,
): Account | undefined {
  const user = parseUri(uri)?.user;
  const named = accounts.filter(({ composer }) => isUser(composer.user, user));
  if (named.length < 2) return named[0];
  const served = named.filter(({ servers }) => servers.standsAt(address));
  const likely = served.length > 0 ? served : named;
  const host = parseUri(aor)?.host;
  return likely.find((one) => isDomainOf(one, host)) ?? likely[0];
}

/** Escaped or not, as RFC 3261 §19.1.4 compares them. */
function isUser(own: string, user: string | undefined): boolean {
  return own === user || (user !== undefined && unescapeUser(own) === unescapeUser(user));
}

function isDomainOf({ servers, composer }: Account, host: string | undefined): boolean {
  return servers.routes.some(({ policy }) => composer.domain(policy) === host);
}
