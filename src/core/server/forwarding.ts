/** A request as it leaves this proxy: the copy of RFC 3261 §16.6, made once for all branches and finished for each. */
import { MAX_FORWARDS } from "../message/header-names.ts";
import { Headers } from "../message/headers.ts";
import type { Request } from "../message/message.ts";
import { contactsOf, nameAddrsOf, printNameAddr } from "../message/name-addr.ts";
import { parseUri, uriParam } from "../message/uri.ts";
import type { Flow } from "../transaction/user.ts";
import type { Callee } from "./branch.ts";
import type { FlowToken } from "./flow-token.ts";
import { loopDigest } from "./loops.ts";
import { OVER_FLOW, type RouteMaker, type Seal, type Side } from "./record-route.ts";
import type { Routed } from "./routing.ts";
import type { Way } from "./ways.ts";

/** What all branches of a request share. */
export interface Forward {
  readonly method: string;
  readonly body: string;
  /** Without routes, Max-Forwards lowered, our credentials gone. */
  readonly headers: Headers;
  /** The routes still ahead. */
  readonly routes: readonly string[];
  /** The caller's side, if the request is to be record-routed. */
  readonly recordRoute: Side | undefined;
  /** The phone's flow, if this is its REGISTER and its registrar is to come back over that. */
  readonly path: PathSource | undefined;
  readonly seal: Seal;
  /** See loopDigest. */
  readonly digest: string;
}

export interface PathSource {
  readonly token: FlowToken;
  /** The phone asks for RFC 5626. */
  readonly outbound: boolean;
}

export const DEFAULT_MAX_FORWARDS = 70;

/** RFC 3261 §20.22. */
const MOST_HOPS = 255;

/** Of a request without Max-Breadth (RFC 5393 §5.3.3). */
export const DEFAULT_MAX_BREADTH = 60;

/** Max-Forwards; undefined: none was given. A malformed one has not come this far. */
export function hopsOf(headers: Headers): number | undefined {
  return headers.number(MAX_FORWARDS, MOST_HOPS);
}

/** @param breadth how many branches each branch may have further on; undefined for ACK. */
export function prepare(
  request: Request,
  routed: Routed,
  recordRoute: Side | undefined,
  seal: Seal,
  breadth: number | undefined,
  path?: PathSource,
): Forward {
  const headers = request.headers.copy();
  const hops = hopsOf(headers);
  const left = hops === undefined ? DEFAULT_MAX_FORWARDS : hops - 1;
  headers.set("max-forwards", String(left));
  if (breadth !== undefined) headers.set("max-breadth", String(breadth));
  headers.remove("route");
  const routes = routed.routes.map(({ display, uri, params }) =>
    printNameAddr(display, uri, params),
  );
  const { method, body } = request;
  const digest = loopDigest(request);
  return { method, body, headers, routes, recordRoute, path, seal, digest };
}

/** @param callee side where the request leaves. */
export function compose(
  forward: Forward,
  callee: Callee,
  way: Way,
  side: Side,
  maker: RouteMaker,
): Request {
  const headers = forward.headers.copy();
  const reached = way.at ?? callee;
  const routes = [...reached.routes, ...forward.routes];
  let uri = reached.requestUri;
  const next = routes[0];
  if (way.kind === "node") {
    const word = maker.hopWord(forward.seal, headers.get("cseq") as string, uri);
    routes.unshift(maker.route({ ...way.target, token: way.token }, word));
  }
  const first = routes[0];
  if (first !== undefined && !isLoose(first)) {
    // A strict router wants to find itself in the Request-URI (§16.6(6)). A Path is one text, however many hops it has.
    const [strict, ...others] = nameAddrsOf(new Headers().add("route", first), "route") ?? [];
    routes.splice(
      0,
      1,
      ...others.map(({ display, uri: hop, params }) => printNameAddr(display, hop, params)),
    );
    routes.push(`<${uri}>`);
    uri = strict?.uri ?? uriIn(first);
  }
  for (const route of routes) headers.add("route", route);
  if (forward.recordRoute !== undefined) {
    const words = wordsOf(
      forward,
      side,
      next === undefined ? reached.requestUri : uriIn(next),
      maker,
    );
    const values = maker.recordRoutes(forward.recordRoute, side, words);
    const at = headers.indexOf("record-route");
    headers.insertAt(at < 0 ? headers.indexOf("from") : at, "record-route", values.join(", "));
  }
  if (forward.path !== undefined) {
    const { token, outbound } = forward.path;
    const at = headers.indexOf("path");
    const value = maker.path(side, token, outbound);
    headers.insertAt(at < 0 ? headers.indexOf("from") : at, "path", value);
  }
  return { kind: "request", method: forward.method, uri, headers, body: forward.body };
}

/** The token that leads to the phone at the end of a way; undefined where the next node or its Contact does. */
export function tokenFor(way: Way, flow: Flow, node: string, boot: string): Side["token"] {
  if (way.kind === "node") return undefined;
  const { token } = way;
  if (token === undefined || way.kind === "flow" || flow.peer.transport === "udp") return token;
  return { ...token, node, boot, flow: flow.id };
}

/** @param next where the caller's requests go from here. */
function wordsOf(
  { seal, recordRoute, headers }: Forward,
  callee: Side,
  next: string,
  maker: RouteMaker,
): Readonly<Record<"caller" | "callee", string>> {
  if (seal.standing === "guest" && recordRoute !== undefined) {
    return {
      caller: maker.dialogWord(seal, beyond(recordRoute, nextUpstream(headers))),
      callee: maker.dialogWord(seal, beyond(callee, next)),
    };
  }
  const word = maker.dialogWord(seal, "");
  return { caller: word, callee: word };
}

/** What follows our route on one side of a dialog. */
function beyond({ token }: Side, next: string): string {
  return token === undefined ? (parseUri(next)?.host ?? "") : OVER_FLOW;
}

/** Where the callee's requests go from here. */
function nextUpstream(headers: Headers): string {
  const contacts = contactsOf(headers);
  const contact = Array.isArray(contacts) ? contacts[0] : undefined;
  return (nameAddrsOf(headers, "record-route")?.[0] ?? contact)?.uri ?? "";
}

function uriIn(route: string): string {
  return route.slice(route.indexOf("<") + 1, route.indexOf(">"));
}

function isLoose(route: string): boolean {
  const uri = parseUri(uriIn(route));
  return uri === undefined || uriParam(uri, "lr") !== undefined;
}
