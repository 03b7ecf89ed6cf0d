/**
 * With onlySignalWithRegistered nothing is sent to a server that the account has left, and nothing taken from it
 * (Polycom, C40): it may come back with a location that still knows us. What ends something is taken all the same.
 */
import type { Instant, Peer, Target } from "../machine.ts";
import type { Request } from "../message/message.ts";
import type { ServerPolicy } from "../redundancy/policy.ts";
import type { Place } from "../redundancy/server-set.ts";
import type { Flow } from "../transaction/user.ts";
import type { Account } from "./account.ts";
import { accountOf } from "./account-of.ts";

/** The switch and what it depends on. */
export function signalsRegisteredOnly(hop: ServerPolicy): boolean {
  return hop.registerOnFailover && hop.dropRegistrationOnFailover && hop.onlySignalWithRegistered;
}

/**
 * Whether requests of a dialog may go to a place: not to one that was left because it failed, unless registered there
 * again. Where new calls go theirs go too, and a server that was left for a better one is as well as ever.
 */
export function maySignal(now: Instant, account: Account, place: Place): boolean {
  if (!signalsRegisteredOnly(place.hop)) return true;
  if (mayThrough(now, account, place.server, place.target)) return true;
  // A proxy leads to several servers: one of them will do.
  return account.servers.routes.some(
    (route) =>
      route.index !== place.server &&
      route.indexOf(place.target) >= 0 &&
      mayThrough(now, account, route.index, place.target),
  );
}

function mayThrough(now: Instant, account: Account, server: number, target: Target): boolean {
  const registration = account.registration(server);
  if (registration === undefined || registration.holds(now, target)) return true;
  const route = account.servers.route(server);
  return server >= account.workingServer && route.indexOf(target) >= route.inUse;
}

/** Whether a request is to be refused, as whoever brings it was left. */
export function comesFromLeft(
  now: Instant,
  accounts: readonly Account[],
  request: Request,
  flow: Flow,
): boolean {
  if (request.method === "BYE") return false;
  const account = accountOf(accounts, request, flow.peer);
  return account !== undefined && !takesFrom(now, account, flow.peer);
}

/**
 * Left are the places before the one in use. A standby that has not been needed yet may call us: others may have failed
 * over to it. A peer that is no server is nobody's business here, and a server's connections come from any of its ports.
 */
function takesFrom(now: Instant, account: Account, peer: Peer): boolean {
  const known = account.servers.routes.flatMap((route) =>
    route.places.flatMap((place, index) =>
      place.target.address === peer.address ? [{ place, left: index < route.inUse }] : [],
    ),
  );
  const exact = known.filter(({ place }) => place.target.port === peer.port);
  const candidates = exact.length > 0 ? exact : known;
  return (
    candidates.length === 0 ||
    candidates.some(({ place, left }) => !left || maySignal(now, account, place))
  );
}
