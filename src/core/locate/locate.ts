/**
 * From a server as configured, or a SIP URI, to the places to try, best first: RFC 3263 §4 with RFC 2782 and
 * RFC 7984, as an inquiry that asks the DNS only for what is neither literal nor known.
 */
import type { Clock, Inquiry } from "../inquiry.ts";
import { NEVER } from "../machine.ts";
import type { Entropy } from "../primitives.ts";
import { isName, literalFamily, normalizeHost } from "./address.ts";
import type { Located } from "./located.ts";
import type { NameService } from "./name-service.ts";
import type { SipTransport } from "./naptr.ts";
import { defaultPort, Search, type SearchOptions } from "./search.ts";

/** A configured server; the same transports as `ServerPolicy` has. */
export interface ServerLocation {
  /** A literal address or a name. */
  readonly address: string;
  /** 0: none was given. */
  readonly port: number;
  readonly transport: SipTransport | "naptr" | "tcp-preferred";
}

/** What of a SIP URI decides where it leads; `host` is `maddr` where there is one. */
export interface UriLocation {
  readonly secure: boolean;
  readonly host: string;
  /** 0: none was given. */
  readonly port: number;
  /** The `transport` parameter, if there is one. */
  readonly transport: string | undefined;
}

/** What location needs to know of whoever asks. */
export interface LocateContext extends SearchOptions {
  /** The Inquiries that run the location. */
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly names: NameService;
}

/** One way to search, tried over one source of names. */
type Procedure = (search: Search) => Inquiry<void>;

/** Where a configured server or outbound proxy is. */
export function* locateServer(server: ServerLocation, context: LocateContext): Inquiry<Located> {
  const host = normalizeHost(server.address);
  const { port, transport } = server;
  if (literalFamily(host) !== undefined || port !== 0) {
    return yield* locateFixed(host, port, transportsOf(transport), context);
  }
  switch (transport) {
    case "naptr":
      return yield* locateName(host, context, (search) => search.byNaptrThenSrv(false));
    case "tcp-preferred":
      return yield* locateName(host, context, (search) => search.byTcpThenUdp());
    default:
      return yield* locateName(host, context, (search) => search.bySrvThenAddress(transport));
  }
}

/** Where a request for a URI goes when no route says otherwise (RFC 3263 §4). */
export function* locateUri(uri: UriLocation, context: LocateContext): Inquiry<Located> {
  const host = normalizeHost(uri.host);
  const transport = transportOf(uri);
  if (transport === "unknown") {
    return { kind: "failed", why: "unsupported", steps: [`transport ${uri.transport}: unknown`] };
  }
  if (literalFamily(host) !== undefined || uri.port !== 0) {
    const certain = transport ?? (uri.secure ? "tls" : "udp");
    return yield* locateFixed(host, uri.port, [certain], context);
  }
  return yield* locateName(host, context, (search) =>
    transport === undefined
      ? search.byNaptrThenSrv(uri.secure)
      : search.bySrvThenAddress(transport),
  );
}

/** With a literal address or an explicit port neither NAPTR nor SRV is asked (RFC 3263 §4.2). */
function* locateFixed(
  host: string,
  port: number,
  transports: readonly SipTransport[],
  context: LocateContext,
): Inquiry<Located> {
  const supported = transports.filter((transport) => context.supported.includes(transport));
  if (supported.length === 0) {
    return { kind: "failed", why: "unsupported", steps: [`${transports.join(", ")}: unsupported`] };
  }
  if (literalFamily(host) === undefined) {
    return yield* locateName(host, context, (search) => search.byAddressOver(supported, port));
  }
  const targets = supported.map((transport, rank) => ({
    target: { transport, address: host, port: port || defaultPort(transport) },
    host,
    expiresAt: NEVER,
    rank,
  }));
  return { kind: "located", targets, expiresAt: NEVER, steps: [`${host} is literal`] };
}

/** Searches live; targets that only static records name come last, for when none of the live ones can be reached. */
function* locateName(host: string, context: LocateContext, procedure: Procedure): Inquiry<Located> {
  if (!isName(host)) return { kind: "failed", why: "bad-name", steps: [`${host} is no name`] };
  const search = new Search(host, context.names, context.entropy, context);
  yield* procedure(search);
  const { staticOnly } = context.names;
  if (staticOnly !== undefined) {
    const reserve = new Search(host, staticOnly, context.entropy, context);
    yield* procedure(reserve);
    search.append(reserve);
  }
  const { targets, steps } = search;
  if (targets.length === 0) return { kind: "failed", why: search.failure, steps };
  return { kind: "located", targets, expiresAt: search.expiresAt, steps };
}

/** What a configured transport means where there is nothing to look up it by. */
function transportsOf(transport: ServerLocation["transport"]): readonly SipTransport[] {
  switch (transport) {
    case "naptr":
      return ["udp"];
    case "tcp-preferred":
      return ["tcp", "udp"];
    default:
      return [transport];
  }
}

/** RFC 3261 §19.1.1, §26.2.2: `sips` makes TLS of TCP and secure WebSocket of WebSocket. */
function transportOf(uri: UriLocation): SipTransport | undefined | "unknown" {
  switch (uri.transport?.toLowerCase()) {
    case undefined:
      return undefined;
    case "udp":
      return uri.secure ? "unknown" : "udp";
    case "tcp":
      return uri.secure ? "tls" : "tcp";
    case "tls":
      return "tls";
    case "ws":
      return uri.secure ? "wss" : "ws";
    case "wss":
      return "wss";
    default:
      return "unknown";
  }
}
