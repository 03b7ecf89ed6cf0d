/**
 * One dialog as one of its two ends holds it (RFC 3261 §12): who talks, in which order, and along which way. It
 * builds requests and judges those of the peer; sending, and what a request means, are for its owner.
 */
import { cseqOf, printCSeq } from "../message/cseq.ts";
import { Headers } from "../message/headers.ts";
import type { Request, Response } from "../message/message.ts";
import { contactsOf, fromOf, type NameAddr, nameAddrsOf, toOf } from "../message/name-addr.ts";
import { parseUri, printUri, uriParam } from "../message/uri.ts";

/** Three strings that name a dialog, from one end's point of view. */
export interface DialogId {
  readonly callId: string;
  readonly localTag: string;
  /** Empty: a peer of RFC 2543 gave none. */
  readonly remoteTag: string;
}

/** What is fixed when a dialog is made. */
interface Origin extends DialogId {
  /** From, as requests of ours carry it. */
  readonly local: string;
  /** To, as requests of ours carry it. */
  readonly remote: string;
  readonly remoteTarget: string;
  readonly routeSet: readonly NameAddr[];
  readonly localCSeq: number;
  readonly remoteCSeq: number;
}

/** One side of a dialog: its identifier, route set, remote target and CSeq numbers. */
export class Dialog implements DialogId {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly local: string;
  readonly remote: string;
  /** Fixed from the first response or request on (§12.2.1.1): a refresh changes the target only. */
  readonly routeSet: readonly NameAddr[];
  #remoteTarget: string;
  #localCSeq: number;
  #remoteCSeq: number;

  constructor(origin: Origin) {
    this.callId = origin.callId;
    this.localTag = origin.localTag;
    this.remoteTag = origin.remoteTag;
    this.local = origin.local;
    this.remote = origin.remote;
    this.routeSet = origin.routeSet;
    this.#remoteTarget = origin.remoteTarget;
    this.#localCSeq = origin.localCSeq;
    this.#remoteCSeq = origin.remoteCSeq;
  }

  /** The URI of the peer's Contact, as it was heard last. */
  get remoteTarget(): string {
    return this.#remoteTarget;
  }

  /** The number of our last request. */
  get localCSeq(): number {
    return this.#localCSeq;
  }

  /** The URI that says where requests go first: the topmost route, or the peer itself. */
  get nextHop(): string {
    return this.routeSet[0]?.uri ?? this.#remoteTarget;
  }

  /** The next number for a request of ours. ACK and CANCEL take none. */
  nextCSeq(): number {
    this.#localCSeq += 1;
    return this.#localCSeq;
  }

  /** Takes over a number that was used outside, by a retry with credentials for instance. */
  usedCSeq(number: number): void {
    this.#localCSeq = Math.max(this.#localCSeq, number);
  }

  /** Goes on where the early dialog of the same peer stands: what a 2xx says of routes counts, numbers go on rising. */
  carryOn(early: Dialog): void {
    this.usedCSeq(early.localCSeq);
    this.#remoteCSeq = Math.max(this.#remoteCSeq, early.#remoteCSeq);
  }

  /** A request of ours (§12.2.1.1). Contact, body and the rest are for the caller to add. */
  request(method: string, cseq: number, via: string): Request {
    const way = this.#way();
    const headers = new Headers().add("via", via);
    for (const route of way.routes) headers.add("route", route);
    headers
      .add("max-forwards", "70")
      .add("from", this.local)
      .add("to", this.remote)
      .add("call-id", this.callId)
      .add("cseq", printCSeq(cseq, method));
    return { kind: "request", method, uri: way.uri, headers, body: "" };
  }

  /**
   * Takes note of the number of a request of the peer's: false if it is older than the last one and must be answered
   * 500 (§12.2.2, R12). ACK and CANCEL have the number of another request and are not asked about.
   */
  takeTurn(request: Request): boolean {
    const number = cseqOf(request.headers)?.number ?? -1;
    if (number < this.#remoteCSeq) return false;
    this.#remoteCSeq = number;
    return true;
  }

  /** A target refresh (§12.2): the Contact of an INVITE or UPDATE, or of a 2xx to one. */
  refreshTarget(headers: Headers): void {
    const contact = contactOf(headers);
    if (contact !== undefined) this.#remoteTarget = contact;
  }

  /** Request-URI and Routes: a first route without `lr` is a strict router's, which wants to stand in the Request-URI. */
  #way(): { uri: string; routes: readonly string[] } {
    const routes = this.routeSet.map((route) => `<${route.uri}>${route.params}`);
    const first = this.routeSet[0];
    if (first === undefined || isLoose(first.uri)) return { uri: this.#remoteTarget, routes };
    return {
      uri: withoutHeaders(first.uri),
      routes: [...routes.slice(1), `<${this.#remoteTarget}>`],
    };
  }
}

/** The dialog that a response makes for the sender of the request (§12.1.2); undefined: it makes none. */
export function dialogOfClient(request: Request, response: Response): Dialog | undefined {
  const from = fromOf(request.headers);
  const to = toOf(response.headers);
  // A 2xx without Contact is wrong, yet must be acknowledged and may be ended: the URI it was sent to stands in.
  const remoteTarget = contactOf(response.headers) ?? request.uri;
  const routes = nameAddrsOf(response.headers, "record-route");
  const callId = request.headers.get("call-id");
  if (from === undefined || to === undefined || callId === undefined) return undefined;
  if (routes === undefined || response.status === 100) return undefined;
  return new Dialog({
    callId,
    localTag: from.tag ?? "",
    remoteTag: to.tag ?? "",
    local: request.headers.get("from") as string,
    remote: response.headers.get("to") as string,
    remoteTarget,
    routeSet: routes.reverse(),
    localCSeq: cseqOf(request.headers)?.number ?? 0,
    remoteCSeq: -1,
  });
}

/** The dialog that our answer with this tag makes (§12.1.1); undefined: it cannot, answer 400. */
export function dialogOfServer(request: Request, localTag: string): Dialog | undefined {
  const from = fromOf(request.headers);
  const to = toOf(request.headers);
  const remoteTarget = contactOf(request.headers);
  const routes = nameAddrsOf(request.headers, "record-route");
  const callId = request.headers.get("call-id");
  if (from === undefined || to === undefined || callId === undefined) return undefined;
  if (remoteTarget === undefined || routes === undefined) return undefined;
  const local = request.headers.get("to") as string;
  return new Dialog({
    callId,
    localTag,
    remoteTag: from.tag ?? "",
    local: to.tag === undefined ? `${local};tag=${localTag}` : local,
    remote: request.headers.get("from") as string,
    remoteTarget,
    routeSet: routes,
    localCSeq: 0,
    remoteCSeq: cseqOf(request.headers)?.number ?? -1,
  });
}

/** A key for maps; the peer's and ours are mirror images, so each end uses its own. */
export function dialogKey(callId: string, localTag: string, remoteTag: string): string {
  return `${callId}\n${localTag}\n${remoteTag}`;
}

/** The key of the dialog that a request of the peer's names: To is us. Undefined if To has no tag. */
export function dialogKeyOf(request: Request): string | undefined {
  const localTag = toOf(request.headers)?.tag;
  if (localTag === undefined) return undefined;
  const callId = request.headers.get("call-id") ?? "";
  return dialogKey(callId, localTag, fromOf(request.headers)?.tag ?? "");
}

/** Copies every Record-Route of the request, as an answer that makes a dialog must (§12.1.1). */
export function copyRecordRoutes(request: Request, response: Response): void {
  for (const line of request.headers.all("record-route"))
    response.headers.add("record-route", line);
}

function contactOf(headers: Headers): string | undefined {
  const contacts = contactsOf(headers);
  return contacts === undefined || contacts === "*" ? undefined : contacts[0]?.uri;
}

function isLoose(uri: string): boolean {
  const parsed = parseUri(uri);
  return parsed !== undefined && uriParam(parsed, "lr") !== undefined;
}

/** What no Request-URI may hold (§19.1.1). */
function withoutHeaders(uri: string): string {
  const parsed = parseUri(uri);
  return parsed === undefined ? uri : printUri({ ...parsed, headers: "" });
}
