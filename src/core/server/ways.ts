/**
 * The ways to one callee, best first (R101): over the flow it registered on if this node holds it, through the node
 * that does if that is alive, and past that node straight to the phone if it is not.
 */
import type { FlowId, Target } from "../machine.ts";
import { parseUri } from "../message/uri.ts";
import { type FlowToken, readPlace } from "./flow-token.ts";
import { bareHost } from "./sight.ts";

/** What the binding behind a way says, where that is not the one that stands for its callee. */
export interface Address {
  readonly requestUri: string;
  readonly routes: readonly string[];
}

export type Way =
  /** A connection that this process holds. */
  | {
      readonly kind: "flow";
      readonly flow: FlowId;
      readonly token: FlowToken;
      readonly at?: Address;
    }
  /** Any flow to that target, datagrams leaving through the bound flow `from`. */
  | {
      readonly kind: "target";
      readonly target: Target;
      readonly from: FlowId;
      /** What in-dialog requests need to come this way again; undefined: the Contact says enough. */
      readonly token: FlowToken | undefined;
      /** The flow is gone: the phone may be listening there, or may not. */
      readonly guess?: true;
      readonly at?: Address;
    }
  /** The node that the phone registered at, told by the token over which flow it came if that matters. */
  | {
      readonly kind: "node";
      readonly node: string;
      readonly target: Target;
      readonly token: FlowToken | undefined;
      readonly at?: Address;
    };

/**
 * Whether the loss of that way is the loss of the flow that the phone registered over (RFC 5626 §5.3.1), and of no next
 * hop that its Contact leads to. A guess comes after such a loss.
 */
export function isByFlow(way: Way): boolean {
  return way.kind === "target" ? way.guess === true : way.token !== undefined;
}

/** What of this server decides which ways there are. */
export interface Vantage {
  readonly node: string;
  readonly boot: string;
  /** The bound flow for datagrams to an address, `preferred` if that is one of this process; 0 if there is none. */
  datagramsFrom(preferred: FlowId, address: string): FlowId;
  /** Whether a connection is open here. */
  holds(flow: FlowId): boolean;
  /** Whether a connection was heard of as lately as one is that is kept alive. */
  isFresh(flow: FlowId): boolean;
  /** False only for a node that is known to be gone. */
  isAlive(node: string): boolean;
}

/** The way through another node; undefined if this is that node, or it is gone. */
export function wayThrough(
  node: string,
  nodeAddress: string,
  token: FlowToken | undefined,
  vantage: Vantage,
): Way | undefined {
  if (node === vantage.node || nodeAddress === "" || !vantage.isAlive(node)) return undefined;
  return { kind: "node", node, target: readPlace(nodeAddress), token };
}

/**
 * The ways to a phone that is reached over its flow only.
 *
 * @param nodeAddress where the node that holds the flow listens, `transport:address:port`; empty if unknown.
 * @param contact the URI that the phone wants to be called at; decides where there is no flow any more.
 */
export function waysOver(
  token: FlowToken,
  nodeAddress: string,
  contact: string,
  vantage: Vantage,
): Way[] {
  const source = readPlace(token.source);
  const datagrams = source.transport === "udp";
  const own = token.node === vantage.node;
  if (own && datagrams)
    return [targetWay(source, vantage.datagramsFrom(token.flow, source.address), token, vantage)];
  const ways: Way[] = [];
  if (own && token.boot === vantage.boot) ways.push({ kind: "flow", flow: token.flow, token });
  const through = wayThrough(token.node, nodeAddress, token, vantage);
  if (through !== undefined) ways.push(through);
  const direct = datagrams ? source : listeningPlace(contact, source);
  if (direct !== undefined) {
    const from = datagrams ? vantage.datagramsFrom(0, source.address) : 0;
    ways.push({ ...targetWay(direct, from, token, vantage), guess: true });
  }
  return ways;
}

/**
 * The ways to one phone by all of its flows, in the order of trial: connections that are kept alive, those that have
 * fallen silent, guesses. The order of the bindings decides where that does not.
 */
export function inOrder(ways: readonly Way[], vantage: Vantage): Way[] {
  const rank = (way: Way): number => {
    if (way.kind === "target") return way.guess === true ? 2 : 0;
    return way.kind === "node" || vantage.isFresh(way.flow) ? 0 : 1;
  };
  return [...ways].sort((one, other) => rank(one) - rank(other));
}

type TargetWay = Extract<Way, { kind: "target" }>;

function targetWay(target: Target, from: FlowId, token: FlowToken, vantage: Vantage): TargetWay {
  const { node, boot } = vantage;
  return { kind: "target", target, from, token: { ...token, node, boot, flow: from } };
}

/** Where a phone whose connection is gone may be listening: what its Contact names, unless NAT has changed that. */
function listeningPlace(contact: string, source: Target): Target | undefined {
  const uri = parseUri(contact);
  if (uri === undefined || bareHost(uri.host) !== source.address) return undefined;
  if (uri.port === source.port || (source.transport !== "tcp" && source.transport !== "tls")) {
    return undefined;
  }
  const usual = source.transport === "tls" ? 5061 : 5060;
  return { transport: source.transport, address: source.address, port: uri.port || usual };
}
