/**
 * Where a request goes next, by its routes and its Request-URI alone: RFC 3261 §16.4 and §16.5, RFC 5626 §5.3. The
 * routes of a sibling are taken off like our own, a living one being gone through first: the dialog is in the routes,
 * not in the memory of one node.
 */
import type { Target } from "../machine.ts";
import type { Request } from "../message/message.ts";
import { NameAddr, nameAddrsOf } from "../message/name-addr.ts";
import { parseUri, type SipUri, uriParam } from "../message/uri.ts";
import type { Domains } from "./domains.ts";
import type { FlowToken } from "./flow-token.ts";
import type { Gruu } from "./gruu.ts";

export type NextStop =
  /** This server itself. */
  | { readonly kind: "self" }
  /** An address-of-record of ours. */
  | { readonly kind: "user"; readonly user: string; readonly gruu: Gruu | undefined }
  | {
      readonly kind: "flow";
      readonly token: FlowToken;
      /** The phone that the Request-URI names, which may be on another flow by now. */
      readonly gruu: Gruu | undefined;
      /** The flow was registered elsewhere with our Path: whoever sends this knows other ways, we do not. */
      readonly edge: boolean;
    }
  /** Wherever RFC 3263 leads from that URI. */
  | { readonly kind: "elsewhere"; readonly uri: SipUri }
  | { readonly kind: "refused"; readonly status: number; readonly reason: string };

export interface Routed {
  readonly stop: NextStop;
  /** The Request-URI, put right if a strict router had moved it. */
  readonly uri: string;
  /** The routes still ahead. */
  readonly routes: readonly NameAddr[];
  /** The living sibling whose route was taken off, and which comes before going on without it. */
  readonly through: LivingSibling | undefined;
  /** The `adm` parameter of the last route of ours or of a sibling that was taken off. */
  readonly admission: string | undefined;
}

export interface LivingSibling {
  readonly node: string;
  readonly target: Target;
}

export interface RoutingContext {
  readonly domains: Domains;
  token(user: string): FlowToken | undefined;
  /** Whether a route with that user part and that `adm` parameter is a Path of ours. */
  isPath(user: string, admission: string | undefined): boolean;
  /** See Gruus. */
  gruu(uri: SipUri): Gruu | "forged" | undefined;
  /** Undefined: the sibling at that place is dead. */
  livingSibling(uri: SipUri): LivingSibling | undefined;
}

export function route(request: Request, context: RoutingContext): Routed {
  const list = nameAddrsOf(request.headers, "route");
  if (list === undefined) return refusal(request, 400, "Malformed Route");
  let uri = request.uri;
  let routes: readonly NameAddr[] = list;
  const last = list[list.length - 1];
  if (last !== undefined && isOwnRoute(uri, context)) {
    uri = last.uri;
    routes = [new NameAddr("", request.uri, ""), ...list.slice(0, -1)];
  }
  let taken: SipUri | undefined;
  let token: FlowToken | undefined;
  let through: LivingSibling | undefined;
  let count = 0;
  while (count < routes.length) {
    const next = parseUri((routes[count] as NameAddr).uri);
    if (next === undefined) break;
    const sibling = context.domains.isSibling(next);
    if (!sibling && (through !== undefined || !context.domains.isSelf(next))) break;
    // The first one's sender has chosen us in its stead.
    const living = sibling && count > 0 ? context.livingSibling(next) : undefined;
    if (through !== undefined && living?.node !== through.node) break;
    through = living;
    taken = next;
    token = next.user === "" ? undefined : context.token(next.user);
    if (next.user !== "" && token === undefined) return refusal(request, 403, "Forged Route");
    count += 1;
  }
  routes = routes.slice(count);
  const admission = taken === undefined ? undefined : uriParam(taken, "adm");
  const edge = token !== undefined && taken !== undefined && context.isPath(taken.user, admission);
  return { stop: nextStop(uri, routes, token, edge, context), uri, routes, through, admission };
}

function nextStop(
  text: string,
  routes: readonly NameAddr[],
  token: FlowToken | undefined,
  edge: boolean,
  context: RoutingContext,
): NextStop {
  const first = routes[0];
  if (first !== undefined) {
    const uri = parseUri(first.uri);
    if (uri === undefined) return { kind: "refused", status: 400, reason: "Malformed Route" };
    return { kind: "elsewhere", uri };
  }
  if (token !== undefined) return { kind: "flow", token, gruu: gruuIn(text, context), edge };
  const uri = parseUri(text);
  if (uri === undefined) {
    const isSip = /^sips?:/i.test(text);
    return isSip
      ? { kind: "refused", status: 400, reason: "Malformed Request-URI" }
      : { kind: "refused", status: 416, reason: "Unsupported URI Scheme" };
  }
  const { domains } = context;
  if (!domains.leadsHere(uri)) return { kind: "elsewhere", uri };
  if (uri.user === "") return { kind: "self" };
  const gruu = context.gruu(uri);
  if (gruu === "forged") return { kind: "refused", status: 404, reason: "No Such GRUU" };
  return { kind: "user", user: gruu?.user ?? uri.user, gruu };
}

/** Undefined if it is no name that we have given. */
function gruuIn(text: string, { domains, gruu }: RoutingContext): Gruu | undefined {
  const uri = /;gr/i.test(text) ? parseUri(text) : undefined;
  if (uri === undefined || !domains.leadsHere(uri)) return undefined;
  const named = gruu(uri);
  return named === "forged" ? undefined : named;
}

/** Whether a strict router has put one of our record-routes into the Request-URI. */
function isOwnRoute(text: string, context: RoutingContext): boolean {
  const uri = parseUri(text);
  if (uri === undefined || uriParam(uri, "lr") === undefined) return false;
  if (!context.domains.leadsHere(uri)) return false;
  return uri.user === "" || context.token(uri.user) !== undefined;
}

function refusal(request: Request, status: number, reason: string): Routed {
  const stop: NextStop = { kind: "refused", status, reason };
  return { stop, uri: request.uri, routes: [], through: undefined, admission: undefined };
}
