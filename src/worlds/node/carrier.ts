/**
 * The inner seam of the node world: a Carrier takes bytes of one flow to the network, and tells
 * what happens there through Facts, which the Driver turns into calls of its machine.
 */
import type { FlowId, Local, LossCause, Peer, Target } from "../../core/machine.ts";
import type { TraceEvent } from "../../core/vocabulary.ts";

/** One flow, or one bound address, as its transport keeps it. */
export interface Carrier {
  /** Both ends; the local one may be unknown ("" and 0) until the flow is open. */
  readonly peer: Peer;
  send(bytes: Uint8Array): void;
  /** Ends it at once; nothing is told about it afterwards. */
  close(): void;
  /** As `close`, with a reset of the connection; there only if it is one. */
  reset?(): void;
}

/** What carriers tell. Safe to call at any time: the machine is never told while it is deciding. */
export interface Facts {
  /** Numbers a flow that a peer began; from here on the machine may send on it. */
  arrived(carrier: Carrier): FlowId;
  bound(flow: FlowId, local: Local): void;
  opened(flow: FlowId, peer: Peer): void;
  received(flow: FlowId, bytes: Uint8Array): void;
  lost(flow: FlowId, cause: LossCause): void;
  /** What is worth knowing and belongs to no flow. */
  report(event: TraceEvent): void;
}

const CAUSES: Readonly<Record<string, LossCause>> = {
  ECONNREFUSED: "refused",
  ECONNRESET: "reset",
  EPIPE: "reset",
  ECONNABORTED: "reset",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  EHOSTDOWN: "unreachable",
  ENETDOWN: "unreachable",
  ENONET: "unreachable",
  ENOPROTOOPT: "unreachable",
  EADDRNOTAVAIL: "unreachable",
  // An address of the other family.
  EINVAL: "unreachable",
  EAFNOSUPPORT: "unreachable",
  ETIMEDOUT: "timeout",
  EADDRINUSE: "in-use",
  EACCES: "denied",
  EPERM: "denied",
};

/** The word for a system error; "failed" for one without a better word. */
export function causeOf(error: unknown): LossCause {
  const code = codeOf(error);
  return (code === undefined ? undefined : CAUSES[code]) ?? "failed";
}

/** Why an address could not be bound: one that this machine does not have is "denied". */
export function causeOfBind(error: unknown): LossCause {
  return codeOf(error) === "EADDRNOTAVAIL" ? "denied" : causeOf(error);
}

export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** OpenSSL's message is a line of its source; its reason stands behind the name of a function. */
const OPENSSL_REASON = /:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/;

/**
 * Whether the peer has ended TLS by an alert (RFC 8446 §6.2). What it holds of our certificate it says only when this
 * side takes the connection for open.
 */
export function isAlert({ message }: Error): boolean {
  return OPENSSL_REASON.exec(message)?.[1]?.includes(" alert ") === true;
}

/**
 * A peer that is not who it should be, that thinks so of us, or cannot speak TLS with us: `tls` alone tells an operator
 * too little.
 */
export function reportDistrusted(facts: Facts, peer: Peer, error: Error): void {
  const { transport, address, port } = peer;
  const why = reasonIn(error);
  facts.report({ event: "connection.distrusted", transport, address, port, why });
}

/** What an error of TLS says to an operator. */
export function reasonIn({ message }: Error): string {
  return OPENSSL_REASON.exec(message)?.[1] ?? message;
}

/** Both ends of a flow whose local one is not known yet. */
export function peerOf(remote: Target | Local): Peer {
  const { transport, address, port } = remote;
  return { transport, address, port, localAddress: "", localPort: 0, listener: 0 };
}

/** A flow that cannot be: it is lost as soon as the machine has decided. */
export class Nowhere implements Carrier {
  readonly peer: Peer;

  constructor(place: Target | Local) {
    this.peer = peerOf(place);
  }

  send(): void {
    // There is nowhere to send to.
  }

  close(): void {
    // There is nothing to close.
  }
}
