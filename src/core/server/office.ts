/** Puts the parts of a server together, once the secret that they share with its siblings is known. */

import { newTag } from "../identifiers.ts";
import type { Inquiries } from "../inquiry.ts";
import type { LocateContext } from "../locate/locate.ts";
import type { TransportName } from "../machine.ts";
import type { Request, Response } from "../message/message.ts";
import { fromOf, toOf } from "../message/name-addr.ts";
import { responseTo } from "../message/print.ts";
import { uriParam } from "../message/uri.ts";
import type { Primitives } from "../primitives.ts";
import type { Timers } from "../timers.ts";
import type { TransactionLayer } from "../transaction/layer.ts";
import type { Flow, Resending } from "../transaction/user.ts";
import type { TraceEvent } from "../vocabulary.ts";
import { Access } from "./access.ts";
import { Authenticator, DIGEST_ALGORITHMS } from "./authenticator.ts";
import type { ServerClock } from "./clock.ts";
import type { Domains } from "./domains.ts";
import { Events, type EventsParts } from "./events.ts";
import { isFresh } from "./flow-timer.ts";
import { placeText, shownPlace } from "./flow-token.ts";
import { Gruus } from "./gruu.ts";
import { MAX_NONCES } from "./limits.ts";
import type { Listeners } from "./listeners.ts";
import { Nonces } from "./nonces.ts";
import { ownAnswer, type Role } from "./own-answers.ts";
import { type ProxyWitness, SipProxy } from "./proxy.ts";
import { RouteMaker } from "./record-route.ts";
import { RegisterDesk } from "./register-desk.ts";
import type { RegistrarLimits } from "./registration.ts";
import type { RoutingContext } from "./routing.ts";
import type { Siblings } from "./siblings.ts";
import { bareHost } from "./sight.ts";
import type { TargetContext } from "./target-set.ts";
import type { OfferedAlgorithm, Users } from "./users.ts";
import type { BoxAgent } from "./voicemail.ts";
import type { Vantage } from "./ways.ts";

export interface Office {
  readonly desk: RegisterDesk;
  readonly proxy: SipProxy;
  /** Undefined in the fallback role, which gives no events (V1). */
  readonly events: Events | undefined;
}

export interface OfficeParts {
  readonly configuration: {
    readonly name: string;
    readonly role: Role;
    readonly users: Users | undefined;
    readonly algorithms?: readonly OfferedAlgorithm[];
    readonly acceptForeign: boolean;
    readonly limits: RegistrarLimits;
    readonly serviceRoute: string;
    readonly pathNeedsSupport?: boolean;
    readonly renewals?: boolean;
    readonly shared: boolean;
  };
  readonly primitives: Primitives;
  readonly layer: TransactionLayer;
  readonly timers: Timers;
  readonly inquiries: Inquiries;
  readonly clock: ServerClock;
  readonly domains: Domains;
  readonly listeners: Listeners;
  readonly boot: string;
  readonly secret: string;
  readonly locate: LocateContext;
  readonly resending: Resending;
  siblings(): Siblings | undefined;
  /** Where our boxes are kept, at each address of ours; empty: nowhere. */
  boxAgents(): readonly BoxAgent[];
  /** Nothing new is taken. */
  stopping(): boolean;
  report(event: TraceEvent): void;
}

/** Nonces are good for so long (C30: longer than most subscriptions need). */
const NONCE_SECONDS = 3_600;

export function openOffice(parts: OfficeParts): Office {
  const { configuration, primitives, domains, secret } = parts;
  const { hash, entropy } = primitives;
  const { algorithms = DIGEST_ALGORITHMS, users } = configuration;
  const nonces = new Nonces(hash, entropy, secret, NONCE_SECONDS, MAX_NONCES);
  const authenticator =
    users === undefined ? undefined : new Authenticator(users, nonces, hash, domains, algorithms);
  const maker = new RouteMaker(hash, secret);
  const { acceptForeign } = configuration;
  const toTag = newTag(entropy);
  const gruus = new Gruus(hash, secret, entropy, domains.canonical);
  const events = openEvents(parts, (key, bindings) => desk.stands(key, bindings));
  const desk = openDesk(parts, authenticator, toTag, gruus, events);
  const access = new Access({ toTag, authenticator, domains, maker, acceptForeign });
  return {
    events,
    desk,
    proxy: new SipProxy({
      sender: parts.layer,
      timers: parts.timers,
      inquiries: parts.inquiries,
      primitives,
      listeners: parts.listeners,
      routing: routingContext(parts, maker, gruus),
      targets: targetContext(parts),
      maker,
      access,
      toTag,
      resending: parts.resending,
      witness: witness(parts, events),
      events,
      answerItself: (request, routed) => {
        if (parts.stopping()) return stoppingAnswer(request, toTag);
        return ownAnswer(request, routed, configuration.role, () => toTag, events);
      },
      suspect: (node) => parts.siblings()?.suspect(node),
      answered: (node) => parts.siblings()?.answered(node),
    }),
  };
}

/** The fallback role gives none (V1). */
function openEvents(parts: OfficeParts, stands: EventsParts["stands"]): Events | undefined {
  const { configuration, layer } = parts;
  const { role, users, limits, shared } = configuration;
  if (role === "fallback") return undefined;
  return new Events({ ...parts, sender: layer, users, limits, shared, stands });
}

/** In-dialog requests are served to the last, new ones go to another server. */
function stoppingAnswer(request: Request, toTag: string): Response | undefined {
  if (toOf(request.headers)?.tag !== undefined) return undefined;
  return responseTo(request, 503, undefined, toTag);
}

function openDesk(
  parts: OfficeParts,
  authenticator: Authenticator | undefined,
  toTag: string,
  gruus: Gruus,
  events: Events | undefined,
): RegisterDesk {
  const { configuration, listeners, layer } = parts;
  return new RegisterDesk({
    node: configuration.name,
    boot: parts.boot,
    toTag,
    clock: parts.clock,
    timers: parts.timers,
    inquiries: parts.inquiries,
    domains: parts.domains,
    options: {
      limits: configuration.limits,
      serviceRoute: configuration.serviceRoute,
      pathNeedsSupport: configuration.pathNeedsSupport ?? false,
      gruus,
    },
    users: configuration.users,
    renewals: configuration.renewals ?? true,
    authenticator,
    reply: (now, request, flow, text) => layer.respondPrinted(now, request, flow, text),
    report: parts.report,
    changed: (now, key, binding, what, retryAfter) =>
      events?.contactChanged(now, key, binding, what, retryAfter),
    nodeAddress: () => listeners.addresses[0] ?? "",
  });
}

function routingContext(parts: OfficeParts, maker: RouteMaker, gruus: Gruus): RoutingContext {
  return {
    domains: parts.domains,
    token: (user) => maker.tokens.decode(user),
    gruu: (uri) => gruus.read(uri),
    isPath: (user, admission) => maker.isPath(user, admission),
    livingSibling(uri) {
      const named = uriParam(uri, "transport")?.toLowerCase();
      const transport = named === undefined ? "udp" : (named as TransportName);
      const target = { transport, address: bareHost(uri.host), port: uri.port || 5060 };
      const place = placeText(transport, target.address, target.port);
      const node = parts.siblings()?.livingAt(place);
      return node === undefined ? undefined : { node, target };
    },
  };
}

function targetContext(parts: OfficeParts): TargetContext {
  const vantage: Vantage = {
    node: parts.configuration.name,
    boot: parts.boot,
    datagramsFrom: (preferred, address) => parts.listeners.datagramsFrom(preferred, address),
    holds: (flow) => parts.layer.flow(flow) !== undefined,
    isFresh(id) {
      const flow = parts.layer.flow(id);
      return flow !== undefined && isFresh(flow.peer.transport, parts.clock.now - flow.heardAt);
    },
    isAlive: (node) => parts.siblings()?.isAlive(node) === true,
  };
  return {
    domains: parts.domains,
    users: parts.configuration.users,
    vantage,
    locate: parts.locate,
    boxAgent(from) {
      const agents = parts.configuration.role === "fallback" ? [] : parts.boxAgents();
      const address = parts.listeners.addressOf(from);
      return agents.find((agent) => agent.address === address) ?? agents[0];
    },
    nodeAddress: (node) => parts.siblings()?.addressOf(node) ?? "",
    epochSeconds: () => parts.clock.epochSeconds,
  };
}

function witness(parts: OfficeParts, events: Events | undefined): ProxyWitness {
  return {
    forked(request, callees) {
      if (!beginsCall(request)) return;
      const { headers } = request;
      const call = headers.get("call-id");
      const from = fromOf(headers)?.uri;
      const to = toOf(headers)?.uri;
      parts.report({ event: "call.started", call, from, to, callees: callees.length });
      events?.callBegun(parts.clock.now, request);
    },
    diverted(request, { divertedFrom: from }, status) {
      const call = request.headers.get("call-id");
      parts.report({
        event: "call.diverted",
        call,
        from,
        ...(status === undefined ? {} : { status }),
      });
      events?.callDiverted(parts.clock.now, request);
    },
    answered(request, response) {
      const call = request.headers.get("call-id");
      const { status } = response;
      const ends = request.method === "BYE";
      if (ends || beginsCall(request)) events?.callAnswered(parts.clock.now, request, status);
      if (ends && status < 300) parts.report({ event: "call.ended", call });
      if (!beginsCall(request)) return;
      if (status < 200) parts.report({ event: "call.ringing", call, status });
      else if (status < 300) parts.report({ event: "call.answered", call });
      else parts.report({ event: "call.refused", call, status, why: response.reason });
    },
    refused(request: Request, flow: Flow, status: number, why: string) {
      const { transport, address, port } = flow.peer;
      const from = shownPlace(placeText(transport, address, port));
      const call = request.headers.get("call-id");
      const { method } = request;
      parts.report({ event: "request.refused", method, status, why, from, call });
    },
  };
}

function beginsCall(request: Request): boolean {
  return request.method === "INVITE" && toOf(request.headers)?.tag === undefined;
}
