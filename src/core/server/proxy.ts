/**
 * The stateful, record-routing proxy of RFC 3261 §16: checks a request (§16.3), finds who is meant (§16.4, §16.5) and
 * forks it to all of them (§16.6). ACK to a 2xx passes without state.
 */
import { assert } from "../assert.ts";
import { BRANCH_COOKIE, newTag, token } from "../identifiers.ts";
import type { Inquiries, Inquiry } from "../inquiry.ts";
import type { Instant } from "../machine.ts";
import { secondsOf } from "../message/delta.ts";
import type { Request, Response } from "../message/message.ts";
import { contactsOf, fromOf, toOf } from "../message/name-addr.ts";
import { LOSS_OFFER } from "../message/overload.ts";
import { responseTo } from "../message/print.ts";
import { lists, tokensOf } from "../message/token-list.ts";
import { parseUri, unescapeUser } from "../message/uri.ts";
import { printVia, viasOf } from "../message/via.ts";
import type { Primitives } from "../primitives.ts";
import type { Timers } from "../timers.ts";
import type { Flow, FlowUser, Resending, ServerTransaction } from "../transaction/user.ts";
import { type Access, sealOf } from "./access.ts";
import type { BranchOwner, BranchSender, Callee } from "./branch.ts";
import { hostText } from "./domains.ts";
import { type FlowToken, placeText } from "./flow-token.ts";
import {
  compose,
  DEFAULT_MAX_BREADTH,
  type Forward,
  hopsOf,
  type PathSource,
  prepare,
  tokenFor,
} from "./forwarding.ts";
import type { Listeners } from "./listeners.ts";
import { isLooping, loopDigest } from "./loops.ts";
import { badExtension } from "./own-answers.ts";
import type { RouteMaker, Side, Standing } from "./record-route.ts";
import { type ContextHost, ResponseContext, widest } from "./response-context.ts";
import { type NextStop, type Routed, type RoutingContext, route } from "./routing.ts";
import { needsFlow, saysOutbound, sightOf } from "./sight.ts";
import { type Asked, findTargets, type TargetContext, type TargetSet } from "./target-set.ts";
import { explainDiversion } from "./voicemail.ts";
import type { Way } from "./ways.ts";

export interface ProxySender extends BranchSender {
  respondStateless(now: Instant, request: Request, flow: Flow, response: Response): void;
  requestStateless(now: Instant, request: Request, flow: Flow): void;
}

/** Told what the proxy does, for events. */
export interface ProxyWitness {
  forked(request: Request, callees: readonly Callee[]): void;
  /** It goes to a box after that; undefined: there was nobody else. */
  diverted(request: Request, box: Callee, status: number | undefined): void;
  answered(request: Request, response: Response): void;
  refused(request: Request, flow: Flow, status: number, why: string): void;
}

/** Takes the requests that ask for events, and those that tell of them. */
export interface EventDesk {
  /** @returns false if the request is none of them. It has been admitted. */
  requested(now: Instant, transaction: ServerTransaction, flow: Flow, stop: NextStop): boolean;
}

export interface ProxyParts {
  readonly sender: ProxySender;
  readonly timers: Timers;
  readonly inquiries: Inquiries;
  readonly primitives: Primitives;
  readonly listeners: Listeners;
  readonly routing: RoutingContext;
  readonly targets: TargetContext;
  readonly maker: RouteMaker;
  readonly access: Access;
  /** To tag of what is answered without state. */
  readonly toTag: string;
  readonly resending: Resending;
  readonly witness: ProxyWitness;
  /** Undefined: no events are given here. */
  readonly events: EventDesk | undefined;
  /** Undefined: go on; otherwise the answer this server gives by itself. */
  answerItself(request: Request, routed: Routed): Response | undefined;
  /** A node that did not answer. */
  suspect(node: string): void;
  /** One that did. */
  answered(node: string): void;
}

/** Requests that make a dialog whose later requests are to come through here. */
const DIALOG_MAKING: ReadonlySet<string> = new Set(["INVITE", "SUBSCRIBE", "REFER"]);

interface Admitted {
  readonly request: Request;
  readonly routed: Routed;
  readonly standing: Standing;
  /** By a server, or where nobody is asked. */
  readonly trusted: boolean;
}

export class SipProxy implements ContextHost {
  readonly sender: ProxySender;
  readonly timers: Timers;
  readonly resending: Resending;
  readonly #parts: ProxyParts;
  readonly #contexts = new Map<ServerTransaction, ResponseContext>();
  readonly #forwards = new Map<BranchOwner, Forward>();
  /** The request about to get its transaction. */
  #admitted: Admitted | undefined;

  constructor(parts: ProxyParts) {
    this.#parts = parts;
    this.sender = parts.sender;
    this.timers = parts.timers;
    this.resending = parts.resending;
  }

  /** Requests being forwarded. */
  get size(): number {
    return this.#contexts.size;
  }

  /** This server is about to stop: nobody is to ring for it. */
  leave(now: Instant): void {
    for (const context of [...this.#contexts.values()]) context.leave(now);
  }

  /** It stops. */
  abandon(now: Instant): void {
    for (const context of [...this.#contexts.values()]) context.abandon(now);
  }

  /**
   * Answers what is refused, and what this server answers by itself, without state: a stranger's request leaves
   * nothing behind and gets one answer, whoever its source belongs to (RFC 3261 §26.3.2.4). False: it is admitted, and
   * `requested` follows.
   */
  turnsAway(now: Instant, request: Request, flow: Flow): boolean {
    const { access, sender, targets, witness } = this.#parts;
    const routed = route(request, this.#parts.routing);
    const response = this.#check(request, routed) ?? this.#parts.answerItself(request, routed);
    if (response !== undefined) {
      if (response.status >= 300) witness.refused(request, flow, response.status, response.reason);
      sender.respondStateless(now, request, flow, response);
      return true;
    }
    const admission = access.judge(request, routed, flow.peer.domains, targets.epochSeconds());
    if (admission.kind === "admitted") {
      this.#admitted = { ...admission, request, routed };
      return false;
    }
    witness.refused(request, flow, admission.response.status, admission.why);
    sender.respondStateless(now, request, flow, admission.response);
    return true;
  }

  /** What has not been turned away is forwarded. */
  requested(now: Instant, transaction: ServerTransaction, flow: Flow): void {
    const { request } = transaction;
    const admitted = this.#admitted;
    this.#admitted = undefined;
    assert(admitted?.request === request, "a request that nobody has admitted");
    const { stop } = admitted.routed;
    if (this.#parts.events?.requested(now, transaction, flow, stop) === true) return;
    if (request.method === "INVITE") transaction.respond(now, responseTo(request, 100));
    this.#forward(now, transaction, flow, admitted);
  }

  cancelled(now: Instant, transaction: ServerTransaction, cancel: Request): void {
    this.#contexts.get(transaction)?.cancel(now, cancel.headers.all("reason"));
  }

  /** The caller cannot be told any more: nobody need go on ringing. */
  undelivered(now: Instant, transaction: ServerTransaction): void {
    this.#contexts.get(transaction)?.cancel(now);
  }

  /** ACK to a 2xx (§16.11): there is nothing to answer, so what cannot go on is dropped. */
  acknowledged(now: Instant, ack: Request, flow: Flow): void {
    // It acknowledges what was answered without state, which knows nothing of it.
    if (toOf(ack.headers)?.tag === this.#parts.toTag) return;
    const routed = route(ack, this.#parts.routing);
    if (hopsOf(ack.headers) === 0) return;
    const { access } = this.#parts;
    const vouched = access.vouchedFor(ack, routed);
    if (vouched === undefined) return;
    const forward = prepare(ack, routed, undefined, sealOf(ack, vouched.standing), undefined);
    // An ACK repeats the credentials of its INVITE (§22.1).
    access.strip(forward.headers, vouched.trusted);
    const inquiry = this.#targetsOf(ack, routed, flow);
    this.#parts.inquiries.start(now, inquiry, (at, found) => {
      const callee = found.kind === "callees" ? found.callees[0] : undefined;
      if (callee !== undefined) this.#sendAck(at, forward, callee, callee.ways);
    });
  }

  // What branches need

  compose(owner: BranchOwner, callee: Callee, way: Way, flow: Flow): Request {
    const request = this.#compose(this.#forwards.get(owner) as Forward, callee, way, flow);
    const { divertedFrom } = callee;
    if (divertedFrom === undefined) return request;
    const { headers } = request;
    return { ...request, uri: explainDiversion(headers, request.uri, divertedFrom, owner.outcome) };
  }

  diverted(context: ResponseContext, callee: Callee): void {
    this.#parts.witness.diverted(context.transaction.request, callee, context.outcome);
  }

  suspect(_now: Instant, node: string): void {
    this.#parts.suspect(node);
  }

  answered(node: string): void {
    this.#parts.answered(node);
  }

  newTag(): string {
    return newTag(this.#parts.primitives.entropy);
  }

  passed(_now: Instant, context: ResponseContext, response: Response): void {
    this.#parts.witness.answered(context.transaction.request, response);
  }

  finished(context: ResponseContext): void {
    this.#contexts.delete(context.transaction);
    this.#forwards.delete(context);
  }

  /** RFC 3261 §16.3. */
  #check(request: Request, routed: Routed): Response | undefined {
    const { headers } = request;
    const { stop } = routed;
    if (stop.kind === "refused") return this.#refusal(request, stop.status, stop.reason);
    // OPTIONS may be answered by whom the hops have brought it to (§16.3(3)).
    const spent = hopsOf(headers) === 0 && stop.kind !== "self";
    if (spent && request.method !== "OPTIONS") return this.#refusal(request, 483);
    const demanded = tokensOf(headers, "proxy-require");
    if (demanded.length > 0) return badExtension(request, demanded, this.#parts.toTag);
    if (viasOf(headers) === undefined) return this.#refusal(request, 400, "Malformed Via");
    const { domains } = this.#parts.targets;
    const looping = isLooping(request, loopDigest(request), (host, port) =>
      domains.isOwnPlace(host, port),
    );
    return looping ? this.#refusal(request, 482) : undefined;
  }

  #forward(
    now: Instant,
    transaction: ServerTransaction,
    flow: Flow,
    { request, routed, standing, trusted }: Admitted,
  ): void {
    const context = new ResponseContext(this, transaction);
    this.#contexts.set(transaction, context);
    const inquiry = this.#targetsOf(request, routed, flow);
    this.#parts.inquiries.start(now, inquiry, (at, found) => {
      if (context.cancelled) return;
      if (found.kind === "refused") {
        this.#parts.witness.refused(request, flow, found.status, found.reason);
        context.refuse(at, this.#answer(request, found.status, found.reason));
        return;
      }
      const breadth = secondsOf(request.headers, "max-breadth") ?? DEFAULT_MAX_BREADTH;
      const share = Math.floor(Math.min(breadth, DEFAULT_MAX_BREADTH) / widest(found.callees));
      if (share === 0) {
        context.refuse(at, this.#answer(request, 440));
        return;
      }
      const side = this.#callerSide(request, flow);
      const path = this.#pathSource(request, flow);
      const forward = prepare(request, routed, side, sealOf(request, standing), share, path);
      this.#parts.access.strip(forward.headers, trusted);
      this.#forwards.set(context, forward);
      this.#parts.witness.forked(request, found.callees);
      context.fork(at, found.callees);
    });
  }

  #targetsOf(request: Request, routed: Routed, flow: Flow): Inquiry<TargetSet> {
    const { access, targets } = this.#parts;
    const asked: Asked = {
      to: parseUri(toOf(request.headers)?.uri ?? ""),
      from: flow.peer.listener,
      call: beginsCall(request),
      caller() {
        const from = parseUri(fromOf(request.headers)?.uri ?? "");
        const known = from !== undefined && targets.domains.serves(from.host);
        return known ? unescapeUser(from.user) : undefined;
      },
      // Nobody would tell the sender of an ACK.
      forOneFlow: () => request.method !== "ACK" && access.fromSibling(request, routed),
    };
    return findTargets(routed, asked, targets);
  }

  /** The caller's side of a dialog in the making; undefined if the request makes none. */
  #callerSide(request: Request, flow: Flow): Side | undefined {
    if (!DIALOG_MAKING.has(request.method) || toOf(request.headers)?.tag !== undefined) {
      return undefined;
    }
    const { peer } = flow;
    const place = this.#parts.listeners.placeFor(peer);
    const source = placeText(peer.transport, peer.address, peer.port);
    const contacts = contactsOf(request.headers);
    const contact = Array.isArray(contacts) ? (contacts[0]?.uri ?? "") : "";
    const outbound = saysOutbound(contact);
    if (!needsFlow(sightOf(request.headers, peer), source, contact, outbound)) {
      return { ...place, token: undefined };
    }
    return { ...place, token: this.#tokenOf(flow) };
  }

  /** Of a phone's own REGISTER for elsewhere, if it knows Path: its registrar then comes back this way (R81, R99). */
  #pathSource({ headers, method }: Request, flow: Flow): PathSource | undefined {
    if (method !== "REGISTER" || !lists(headers, "supported", "path")) return undefined;
    if (sightOf(headers, flow.peer) === "proxied") return undefined;
    const contacts = contactsOf(headers);
    const outbound =
      Array.isArray(contacts) && contacts.some((one) => one.param("reg-id") !== undefined);
    return { token: this.#tokenOf(flow), outbound };
  }

  #tokenOf({ id, peer }: Flow): FlowToken {
    const { node, boot } = this.#parts.targets.vantage;
    const source = placeText(peer.transport, peer.address, peer.port);
    return { node, boot, flow: peer.transport === "udp" ? peer.listener : id, source };
  }

  #compose(forward: Forward, callee: Callee, way: Way, flow: Flow): Request {
    const { listeners, maker, targets, primitives } = this.#parts;
    const place = listeners.placeFor(flow.peer);
    const { node, boot } = targets.vantage;
    const side = { ...place, token: tokenFor(way, flow, node, boot) };
    const request = compose(forward, callee, way, side, maker);
    const branch = `${BRANCH_COOKIE}${token(primitives.entropy, 2)}.${forward.digest}`;
    const { transport } = flow.peer;
    const host = hostText(place.address);
    request.headers.prepend(
      "via",
      printVia(transport.toUpperCase(), host, place.port, branch, offerTo(way)),
    );
    return request;
  }

  /** By the first way that can be had. */
  #sendAck(now: Instant, forward: Forward, callee: Callee, ways: readonly Way[]): void {
    const [way, ...others] = ways;
    if (way === undefined) return;
    const user: FlowUser = {
      reached: (at, flow) => {
        this.sender.requestStateless(at, this.#compose(forward, callee, way, flow), flow);
      },
      unreached: (at) => this.#sendAck(at, forward, callee, others),
    };
    if (way.kind === "flow") {
      const flow = this.sender.flow(way.flow);
      if (flow === undefined) user.unreached(now, "closed");
      else user.reached(now, flow);
      return;
    }
    const from = way.kind === "node" ? 0 : way.from;
    this.sender.reach(now, way.target, { from, connected: way.kind === "node" }, user);
  }

  #refusal(request: Request, status: number, reason?: string): Response {
    return responseTo(request, status, reason, this.#parts.toTag);
  }

  #answer(request: Request, status: number, reason?: string): Response {
    return responseTo(request, status, reason, this.newTag());
  }
}

/** An INVITE to a person, and not to a certain dialog of his (RFC 3891, RFC 3911). */
function beginsCall({ method, headers }: Request): boolean {
  if (method !== "INVITE" || toOf(headers)?.tag !== undefined) return false;
  return !headers.has("replaces") && !headers.has("join");
}

/** Other servers may say that they are overloaded (RFC 7339 §5.2); a phone at the end of its flow is none. */
function offerTo(way: Way): string {
  const phone = way.kind === "flow" || (way.kind === "target" && way.token !== undefined);
  return phone ? ";rport" : `;rport${LOSS_OFFER}`;
}
