/**
 * The ways to one callee, best first (R101): over the flow it registered on if this node holds it, through the node
 * that does if that is alive, and past that node straight to the phone if it is not.
 */
import type { FlowId, Target } from "../machine.ts";
import { parseUri, uriParam } from "../message/uri.ts";
import { type FlowToken, readPlace } from "./flow-token.ts";

export type Way =
  /** A connection that this process holds. */
  | { readonly kind: "flow"; readonly flow: FlowId; readonly token: FlowToken }
  /** Any flow to that target, datagrams leaving through the bound flow `from`. */
  | {
      readonly kind: "target";
      readonly target: Target;
      readonly from: FlowId;
      /** What in-dialog requests need to come this way again; undefined: the Contact says enough. */
      readonly token: FlowToken | undefined;
    }
  /** The node that holds the flow, told by a route which. */
  | { readonly kind: "node"; readonly target: Target; readonly token: FlowToken };

/** What of this server decides which ways there are. */
export interface Vantage {
  readonly node: string;
  readonly boot: string;
  /** The bound flow for datagrams, `preferred` if that is one of this process; 0 if there is none. */
  datagramsFrom(preferred: FlowId): FlowId;
  isAlive(node: string, boot: string): boolean;
}

/**
 * @param nodeAddress where the node that holds the flow listens, `transport:address:port`; empty if unknown.
 * @param contact the URI that the phone wants to be called at; decides where there is no flow any more.
 */
export function waysTo(
  token: FlowToken,
  nodeAddress: string,
  contact: string,
  vantage: Vantage,
): Way[] {
  const source = readPlace(token.source);
  const datagrams = source.transport === "udp";
  const ways: Way[] = [];
  if (token.node === vantage.node && datagrams) {
    return [targetWay(source, vantage.datagramsFrom(token.flow), token, contact, vantage)];
  }
  if (token.node === vantage.node && token.boot === vantage.boot) {
    ways.push({ kind: "flow", flow: token.flow, token });
  } else if (nodeAddress !== "" && vantage.isAlive(token.node, token.boot)) {
    ways.push({ kind: "node", target: readPlace(nodeAddress), token });
  }
  const direct = datagrams ? source : listeningPlace(contact, source);
  if (direct !== undefined) {
    ways.push(targetWay(direct, vantage.datagramsFrom(0), token, contact, vantage));
  }
  return ways;
}

/** The token goes along only where the Contact is not the far end of the flow: NAT, or a connection. */
function targetWay(
  target: Target,
  from: FlowId,
  token: FlowToken,
  contact: string,
  vantage: Vantage,
): Way {
  if (target.transport === "udp" && contactIs(contact, target)) {
    return { kind: "target", target, from, token: undefined };
  }
  const flow = target.transport === "udp" ? from : 0;
  const own = { ...token, node: vantage.node, boot: vantage.boot, flow };
  return { kind: "target", target, from, token: own };
}

/** Whether a contact names the very place that its datagrams come from: no NAT between. */
export function contactIs(contact: string, target: Target): boolean {
  const uri = parseUri(contact);
  if (uri === undefined || literal(uri.host) !== target.address) return false;
  return (uri.port || 5060) === target.port && (uriParam(uri, "transport") ?? "udp") === "udp";
}

/** Where a phone whose connection is gone may be listening: what its Contact names, unless NAT has changed that. */
function listeningPlace(contact: string, source: Target): Target | undefined {
  const uri = parseUri(contact);
  if (uri === undefined || literal(uri.host) !== source.address) return undefined;
  if (uri.port === source.port || (source.transport !== "tcp" && source.transport !== "tls")) {
    return undefined;
  }
  const usual = source.transport === "tls" ? 5061 : 5060;
  return { transport: source.transport, address: source.address, port: uri.port || usual };
}

function literal(host: string): string {
  return host.startsWith("[") ? host.slice(1, -1) : host;
}
