/**
 * Who is to be called, and how each can be reached: the target set of RFC 3261 §16.5, from the location store for
 * addresses-of-record of ours, by RFC 3263 for all else.
 */
import type { Inquiry } from "../inquiry.ts";
import { type LocateContext, locateUri } from "../locate/locate.ts";
import type { LocationFailure } from "../locate/located.ts";
import type { FlowId } from "../machine.ts";
import { valueEnd } from "../message/lexer.ts";
import { parseNameAddr } from "../message/name-addr.ts";
import { paramOf } from "../message/params.ts";
import { parseUri, type SipUri, sameUriText, unescapeUser, uriParam } from "../message/uri.ts";
import type { StoreAnswer } from "../vocabulary.ts";
import { type Binding, decodeBindings, isLive, readHolder } from "./binding.ts";
import type { Callee } from "./branch.ts";
import type { Domains } from "./domains.ts";
import { type FlowToken, readPlace } from "./flow-token.ts";
import type { Gruu } from "./gruu.ts";
import { MAX_CALLEES } from "./limits.ts";
import type { NextStop, Routed } from "./routing.ts";
import { needsFlow } from "./sight.ts";
import { boxOf, type User, type Users } from "./users.ts";
import { type BoxAgent, lastResort, ownBox, withTarget } from "./voicemail.ts";
import { inOrder, type Vantage, type Way, waysOver, wayThrough } from "./ways.ts";

export type TargetSet =
  | { readonly kind: "callees"; readonly callees: readonly Callee[] }
  | { readonly kind: "refused"; readonly status: number; readonly reason: string };

export interface TargetContext {
  readonly domains: Domains;
  /** Undefined: everybody is known. */
  readonly users: Users | undefined;
  readonly vantage: Vantage;
  readonly locate: LocateContext;
  /** Who keeps our boxes, for calls that come by that bound flow; undefined: there are none here. */
  boxAgent(from: FlowId): BoxAgent | undefined;
  /** Where a node listens for others, `transport:address:port`; empty if it is unknown. */
  nodeAddress(node: string): string;
  epochSeconds(): number;
}

/** What a request says beside its routes. */
export interface Asked {
  /** Whom it names in To: of a dialog, the user behind a flow. */
  readonly to: SipUri | undefined;
  /** The bound flow that it came through: datagrams to strangers leave by it. */
  readonly from: FlowId;
  /** An INVITE that begins a call: a box may take it. */
  readonly call: boolean;
  /** The user of ours that it is from, as `unescapeUser` has him. He has proved it, where anybody has to. */
  caller(): string | undefined;
  /** Whether a sibling asks for one flow of ours, and goes on by the phone's other ones himself if that is gone. */
  forOneFlow(): boolean;
}

export function* findTargets(
  routed: Routed,
  asked: Asked,
  context: TargetContext,
): Inquiry<TargetSet> {
  const found = yield* findAll(routed, asked, context);
  return isSips(routed.uri) && found.kind === "callees" ? securely(found.callees) : found;
}

/** What was asked for by `sips` goes on over TLS or not at all (RFC 3261 §16.6, §26.2.2, RFC 5630 §5.3). */
function securely(all: readonly Callee[]): TargetSet {
  const safe: Callee[] = [];
  for (const callee of all) {
    const ways = callee.ways.filter((way) => isSafe(way, callee));
    if (ways.length > 0) safe.push({ ...callee, ways });
  }
  return safe.length > 0 ? callees(safe) : refused(480, "No Secure Way");
}

/** The nodes of one system trust what is between them: of the way through another one its far end counts. */
function isSafe(way: Way, callee: Callee): boolean {
  if (way.kind === "node" && isSips((way.at ?? callee).requestUri)) return true;
  const end = way.kind === "target" ? way.target : way.token && readPlace(way.token.source);
  return end?.transport === "tls" || end?.transport === "wss";
}

function isSips(uri: string): boolean {
  return /^sips:/i.test(uri);
}

function* findAll(routed: Routed, asked: Asked, context: TargetContext): Inquiry<TargetSet> {
  const { stop } = routed;
  const { from } = asked;
  switch (stop.kind) {
    case "self":
      return refused(404, "Not Found");
    case "refused":
      return stop;
    case "user":
      return yield* findUser(unescapeUser(stop.user), stop.gruu, asked, context);
    case "flow":
      if (stop.edge) return findEdgeFlow(routed.uri, stop.token, context.vantage);
      return yield* findFlow(routed.uri, stop, asked, context);
    case "elsewhere":
      return yield* findElsewhere(routed, stop.uri, from, context);
  }
}

/** Over the flow that a Path of ours names, and over no other: the registrar knows the rest (RFC 5626 §5.3). */
function findEdgeFlow(contact: string, token: FlowToken, vantage: Vantage): TargetSet {
  const ways = waysOver(token, "", contact, vantage).filter((way) =>
    way.kind === "flow" ? vantage.holds(way.flow) : way.kind === "target" && way.guess !== true,
  );
  if (ways.length === 0) return refused(430, "Flow Failed");
  return callees([{ requestUri: contact, routes: [], ways, byFlow: true }]);
}

/** Over the flow that a route names; where a connection is gone, over the ones the phone has beside it. */
function* findFlow(
  contact: string,
  { token, gruu }: Extract<NextStop, { kind: "flow" }>,
  asked: Asked,
  context: TargetContext,
): Inquiry<TargetSet> {
  const { domains, vantage } = context;
  const { to } = asked;
  let ways = waysOver(token, context.nodeAddress(token.node), contact, vantage);
  const [first] = ways;
  const held = first?.kind === "flow" && vantage.holds(first.flow);
  if (first?.kind === "flow" && !held) ways.shift();
  const gone = !held && !token.source.startsWith("udp:");
  if (gone && asked.forOneFlow()) return refused(430, "Flow Failed");
  if (gone && to !== undefined && domains.serves(to.host)) {
    const read = (yield { kind: "store.read", key: domains.key(to.user) }) as StoreAnswer;
    const value = read.kind === "stored" ? read.value : undefined;
    const live = decodeBindings(value, context.epochSeconds()).filter(isLive);
    const own =
      gruu === undefined ? madeSince(live, contact) : live.filter((binding) => gruu.fits(binding));
    for (const binding of [...own].reverse()) {
      if (!isOver(binding, token)) ways.push(...(yield* waysTo(binding, asked.from, context)));
    }
    ways = inOrder(ways, vantage);
  }
  if (ways.length === 0) return refused(430, "Flow Failed");
  return callees([{ requestUri: contact, routes: [], ways, byFlow: true }]);
}

/** Whether that very flow is the one it was registered over. */
function isOver({ holder }: Binding, token: FlowToken): boolean {
  const { node, boot, flow } = readHolder(holder);
  return node === token.node && boot === token.boot && flow === token.flow;
}

/**
 * The bindings that a phone has under the Contact of a dialog, with its other flows (RFC 5626); where there are none,
 * those of the one phone with flows of its own at that address: the connection whose port and transport the Contact
 * names is gone.
 */
function madeSince(live: readonly Binding[], contact: string): readonly Binding[] {
  const same = live.filter(({ uri }) => sameUriText(uri, contact));
  if (same.length > 0) {
    const phones = new Set(same.map(instanceOf));
    const others = live.filter((one) => instanceOf(one) !== "" && phones.has(instanceOf(one)));
    return [...new Set([...same, ...others])];
  }
  const asked = parseUri(contact);
  if (asked === undefined) return same;
  const near = live.filter(({ uri, flowKey }) => {
    const own = flowKey === "" ? undefined : parseUri(uri);
    return own?.user === asked.user && own.host === asked.host;
  });
  return new Set(near.map(instanceOf)).size === 1 ? near : [];
}

/** Empty without RFC 5626. */
function instanceOf({ flowKey }: Binding): string {
  return flowKey.slice(0, flowKey.lastIndexOf(" "));
}

function* findElsewhere(
  routed: Routed,
  next: SipUri,
  from: FlowId,
  context: TargetContext,
): Inquiry<TargetSet> {
  const secure = isSips(routed.uri);
  const located = yield* waysByLocation(secure ? { ...next, scheme: "sips" } : next, from, context);
  const ways: Way[] = typeof located === "string" ? [] : located;
  const { through } = routed;
  if (through !== undefined) ways.unshift({ kind: "node", ...through, token: undefined });
  if (ways.length > 0) return callees([{ requestUri: routed.uri, routes: [], ways }]);
  if (secure && located === "unsupported") return refused(480, "No Secure Way");
  return located === "silent"
    ? refused(480, "Name Servers Silent")
    : refused(404, "Host Not Found");
}

/** Every target that RFC 3263 leads to, in the order of trial. */
function* waysByLocation(
  next: SipUri,
  from: FlowId,
  context: TargetContext,
): Inquiry<Way[] | LocationFailure> {
  const located = yield* locateUri(
    {
      secure: next.scheme === "sips",
      host: uriParam(next, "maddr") ?? next.host,
      port: next.port,
      transport: uriParam(next, "transport"),
    },
    context.locate,
  );
  if (located.kind === "failed") return located.why;
  return located.targets.map(({ target }) => ({
    kind: "target",
    target,
    from: target.transport === "udp" ? context.vantage.datagramsFrom(from, target.address) : 0,
    token: undefined,
  }));
}

/** The phones of a user, or of all members of a group. */
function* findUser(
  name: string,
  gruu: Gruu | undefined,
  asked: Asked,
  context: TargetContext,
): Inquiry<TargetSet> {
  const { users } = context;
  const { from } = asked;
  const user = users?.get(name);
  const members = user === undefined ? users?.members(name) : undefined;
  if (users !== undefined && members === undefined && user === undefined) {
    return asked.call && users.isBox(name, (uri) => context.domains.leadsHere(uri))
      ? ownMessages(asked, context)
      : NOBODY;
  }
  const found: Callee[] = [];
  for (const member of members ?? [name]) {
    const read = (yield { kind: "store.read", key: context.domains.key(member) }) as StoreAnswer;
    if (read.kind !== "stored") return refused(500, "Location Store Unavailable");
    const live = decodeBindings(read.value, context.epochSeconds()).filter(isLive);
    const bindings = gruu === undefined ? live : live.filter((binding) => gruu.fits(binding));
    found.push(...(yield* calleesOf(bindings, from, context)));
  }
  // A temporary name whose registration is over will never mean anybody again (RFC 5627 §5.4).
  if (found.length === 0 && gruu?.temporary === true) return refused(404, "No Such GRUU");
  const diverts = asked.call && gruu === undefined && user !== undefined;
  const boxes = diverts ? yield* boxesOf(user, name, from, context) : [];
  if (found.length === 0 && boxes.length === 0) return refused(480, "Temporarily Unavailable");
  return callees([...found.slice(0, MAX_CALLEES), ...boxes]);
}

/** The box of him who calls its number. */
function ownMessages(asked: Asked, context: TargetContext): TargetSet {
  const agent = context.boxAgent(asked.from);
  if (agent === undefined) return NOBODY;
  const caller = asked.caller();
  const owner = caller === undefined ? undefined : context.users?.get(caller);
  if (caller === undefined || owner?.voicemail === undefined) return refused(403, "No Box");
  return callees([
    ownBox(agent, asked.from, `sip:${context.domains.name(caller)}`, context.vantage),
  ]);
}

/** The box that takes a user's calls when nobody else does: ours, that of a user, or elsewhere. */
function* boxesOf(
  user: User,
  name: string,
  from: FlowId,
  context: TargetContext,
): Inquiry<Callee[]> {
  const { voicemail } = user;
  if (voicemail === undefined) return [];
  const { domains, users } = context;
  const owner = `sip:${domains.name(name)}`;
  const { number, uri } = boxOf(voicemail);
  if (uri !== undefined && !domains.leadsHere(uri)) {
    const ways = yield* waysByLocation(uri, from, context);
    if (typeof ways === "string") return [];
    return [
      lastResort({ requestUri: withTarget(voicemail, owner), routes: [], ways }, owner, user),
    ];
  }
  if (number === name) return [];
  if (users?.get(number) === undefined) {
    const agent = context.boxAgent(from);
    return agent === undefined
      ? []
      : [lastResort(ownBox(agent, from, owner, context.vantage), owner, user)];
  }
  const read = (yield { kind: "store.read", key: domains.key(number) }) as StoreAnswer;
  const value = read.kind === "stored" ? read.value : undefined;
  const bindings = decodeBindings(value, context.epochSeconds()).filter(isLive);
  const found = yield* calleesOf(bindings, from, context);
  return found.map((callee) => lastResort(callee, owner, user));
}

/**
 * One callee for each phone: the flows of one instance are ways to it, the one registered last first, so that none
 * rings twice (R101, RFC 5626 §5.3).
 */
function* calleesOf(
  bindings: readonly Binding[],
  from: FlowId,
  context: TargetContext,
): Inquiry<Callee[]> {
  const found: Callee[] = [];
  const instances = new Map<string, Way[]>();
  for (const binding of [...bindings].reverse()) {
    const ways = yield* waysTo(binding, from, context);
    const instance = instanceOf(binding);
    const known = instance === "" ? undefined : instances.get(instance);
    const routes = binding.path === "" ? [] : [binding.path];
    const requestUri = binding.uri;
    if (known !== undefined) {
      known.push(...ways.map((way) => ({ ...way, at: { requestUri, routes } })));
    } else if (ways.length > 0) {
      found.push({ requestUri, routes, ways, ...preference(binding) });
      if (instance !== "") instances.set(instance, ways);
    }
  }
  for (const ways of instances.values()) {
    ways.splice(0, ways.length, ...inOrder(ways, context.vantage));
  }
  return found;
}

/** What the phone says of itself beside the user's others (RFC 3261 §20.10); of flows of one phone, the newest. */
function preference({ parameters }: Binding): Pick<Callee, "q"> {
  const q = parameters.includes(";q=") ? Number(paramOf(parameters, "q")) : 1;
  return q >= 0 && q < 1 ? { q } : {};
}

function* waysTo(binding: Binding, from: FlowId, context: TargetContext): Inquiry<Way[]> {
  const { vantage } = context;
  const { nodeAddress, sight, ...token } = readHolder(binding.holder);
  if (needsFlow(sight, token.source, binding.uri, binding.flowKey !== "")) {
    return waysOver(token, nodeAddress, binding.uri, vantage);
  }
  const ways: Way[] = [];
  // A phone may listen to nobody but the server it is registered at.
  const through =
    sight === "same" ? wayThrough(token.node, nodeAddress, undefined, vantage) : undefined;
  if (through !== undefined) ways.push(through);
  const { path } = binding;
  const first = path === "" ? undefined : parseNameAddr(path.slice(0, valueEnd(path, 0)));
  const next = parseUri(first?.uri ?? binding.uri);
  const located = next === undefined ? [] : yield* waysByLocation(next, from, context);
  if (typeof located !== "string") ways.push(...located);
  return ways;
}

const NOBODY: TargetSet = { kind: "refused", status: 404, reason: "Not Found" };

function callees(found: readonly Callee[]): TargetSet {
  return { kind: "callees", callees: found };
}

function refused(status: number, reason: string): TargetSet {
  return { kind: "refused", status, reason };
}
