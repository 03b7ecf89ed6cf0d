/**
 * Where the requests of a dialog go: along its route, and when that breaks, to the other targets of the server it
 * leads through. Servers that share their location and route dialogs without state of their own take it from there.
 */
import { NEVER, type Target, type TransportName } from "../machine.ts";
import { parseUri, type SipUri, uriParam } from "../message/uri.ts";
import type { ServerPolicy } from "../redundancy/policy.ts";
import { targetName } from "../redundancy/server-health.ts";
import { type Place, ServerRoute, type ServerSet } from "../redundancy/server-set.ts";
import type { DialogWay } from "./call-environment.ts";

/** No configured server: the peer itself, or a proxy that only the dialog knows. */
const STRANGER = 0;

/** A route of one's own: its places are those of the dialog, in the order of trial. */
export function dialogRoute(
  way: DialogWay,
  servers: ServerSet,
  working: ServerPolicy,
): ServerRoute {
  const heard = targetOfFlow(way);
  const serving = servers.routes.find((route) => route.indexOf(heard) >= 0);
  const named = literalTarget(way.nextHop);
  const policy = serving?.policy ?? working;
  const known = serving?.places ?? [];
  const stranger = (target: Target): Place => ({
    server: STRANGER,
    hop: policy,
    target,
    expiresAt: NEVER,
  });
  const first = known.find((place) => targetName(place.target) === targetName(heard));
  const others = known.filter((place) => place !== first);
  const wanted: Place[] = [first ?? stranger(heard)];
  // A next hop that is neither the server we are connected to nor one of its twins comes first.
  if (named !== undefined && !wanted.concat(others).some((place) => samePlace(place, named))) {
    wanted.unshift(stranger(named));
  }
  const route = new ServerRoute(serving?.index ?? STRANGER, policy, []);
  route.places = [...wanted, ...others];
  route.freshUntil = NEVER;
  return route;
}

function samePlace(place: Place, target: Target): boolean {
  return place.target.address === target.address && place.target.port === target.port;
}

function targetOfFlow(way: DialogWay): Target {
  const { transport, address, port } = way.flow.peer;
  return { transport, address, port };
}

/** A next hop by address; one by name is the server that the dialog came through. */
function literalTarget(nextHop: string): Target | undefined {
  const uri = parseUri(nextHop);
  if (uri === undefined || !/^[\d.]+$|^\[/.test(uri.host)) return undefined;
  const transport = transportOf(uri);
  if (transport === undefined) return undefined;
  const address = uri.host.replace(/^\[|\]$/g, "");
  return { transport, address, port: uri.port || (transport === "tls" ? 5061 : 5060) };
}

/** `sips` is over TLS in any case (RFC 3261 §26.2.2); undefined: none that leads to a literal address. */
function transportOf(uri: SipUri): TransportName | undefined {
  const secure = uri.scheme === "sips";
  const named = uriParam(uri, "transport")?.toLowerCase() ?? (secure ? "tls" : "udp");
  if (named === "tls" || (named === "tcp" && secure)) return "tls";
  return (named === "tcp" || named === "udp") && !secure ? named : undefined;
}
