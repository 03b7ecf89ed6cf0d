/**
 * The transport layer (RFC 3261 §18) over the World: opens and reuses flows, turns their bytes into messages,
 * sends responses where they belong, and tells everyone who depends on a flow when it ends.
 */
import { assert } from "../assert.ts";
import { FlowMap } from "../flow-map.ts";
import type {
  FlowId,
  Instant,
  Local,
  LossCause,
  Opening,
  Peer,
  Target,
  World,
} from "../machine.ts";
import type { Via } from "../message/via.ts";
import type { Primitives } from "../primitives.ts";
import { Timer, type TimerOwner, type Timers } from "../timers.ts";
import { type FlowMember, FlowRecord } from "./flow-record.ts";
import { FlowTable } from "./flow-table.ts";
import type { ResponseSender } from "./host.ts";
import { KeepAlives } from "./keep-alive.ts";
import { IDLE_FLOW_MS } from "./limits.ts";
import { type MessageUser, Reception } from "./reception.ts";
import { type Alternates, ResponseRoute } from "./response-route.ts";
import { answersGoBack, defaultPort, responseTarget } from "./response-target.ts";
import type { Flow, FlowUser, ListenerUser, MediaUser } from "./user.ts";

export class Transport implements TimerOwner {
  readonly #world: World;
  readonly #timers: Timers;
  readonly #reception: Reception;
  readonly #alternates: Alternates | undefined;
  readonly keepAlives: KeepAlives;
  readonly #flows = new FlowTable();
  readonly #listeners = new FlowMap<ListenerUser>();
  /** Where those listen that do so already. */
  readonly #locals = new FlowMap<Local>();
  #media: Map<FlowId, MediaUser> | undefined;
  readonly #idle: Timer;
  #lastFlow: FlowId = 0;

  constructor(
    world: World,
    timers: Timers,
    primitives: Primitives,
    user: MessageUser,
    alternates: Alternates | undefined,
  ) {
    this.#world = world;
    this.#alternates = alternates;
    this.#timers = timers;
    this.#reception = new Reception(primitives, timers, this, user);
    this.keepAlives = new KeepAlives(timers, primitives, this);
    this.#idle = new Timer("idle", this);
  }

  /** Flows open or being opened, listeners not counted. */
  get size(): number {
    return this.#flows.size;
  }

  /** A number for a flow that the caller binds or opens himself (media). */
  nextFlow(): FlowId {
    this.#lastFlow += 1;
    return this.#lastFlow;
  }

  bind(local: Local, user: ListenerUser): FlowId {
    const flow = this.nextFlow();
    this.#listeners.set(flow, user);
    this.#world.bind(flow, local);
    return flow;
  }

  /** Of a connection that was opened here, too: its own end has no listener. */
  listenerUser(flow: Flow): ListenerUser | undefined {
    return this.#listeners.get(this.find(flow).from);
  }

  /** The port where requests for this side of a flow arrive: of its listener, if it is a connection opened here. */
  listeningPort(flow: Flow): number {
    const record = this.find(flow);
    const local = this.#locals.get(record.from);
    return local?.transport === record.peer.transport ? local.port : record.peer.localPort;
  }

  /** From now on the facts of this flow, and of flows that arrive through it, go to `user`; undefined: to nobody. */
  media(flow: FlowId, user: MediaUser | undefined): void {
    if (user === undefined) this.#media?.delete(flow);
    else {
      this.#media ??= new Map();
      this.#media.set(flow, user);
    }
  }

  /** Tells `reached` at once if a flow is open, else when it opens, or `unreached` if it cannot be had. */
  reach(now: Instant, target: Target, opening: Opening, user: FlowUser): void {
    const known = this.#flows.match(target, opening);
    if (known?.state === "open") {
      known.used(now);
      user.reached(now, known);
    } else if (known?.waiting !== undefined) {
      known.waiting.push(user);
    } else {
      this.#open(now, target, opening, user);
    }
  }

  /** The flow of that number, if it is still there. */
  flow(id: FlowId): FlowRecord | undefined {
    return this.#flows.find(id);
  }

  /** Tells `user` when the flow ends, once for each flow. False: it has ended already. */
  watch(flow: Flow, user: FlowUser): boolean {
    const record = this.find(flow);
    if (record.state === "gone") return false;
    if (watcherOf(record, user) === undefined) record.join(new Watcher(user));
    return true;
  }

  unwatch(flow: Flow, user: FlowUser): void {
    const record = this.find(flow);
    const watcher = watcherOf(record, user);
    if (watcher === undefined) return;
    record.leave(watcher);
    this.#expectIdle(record.usedAt);
  }

  /**
   * A connection over which nothing has come since `since`, though it should have, is given to nobody new, and lost to
   * whoever waits for what may come over it; requests on their way go on listening.
   */
  doubt(now: Instant, flow: Flow, since: Instant): void {
    const record = this.find(flow);
    if (!record.reliable || record.state === "gone" || record.heardAt > since) return;
    record.doubtedAt = now;
    for (const watcher of watchersOf(record)) {
      record.leave(watcher);
      watcher.flowLost(now, "timeout");
    }
  }

  /** Whoever hands a Flow back got it from here. */
  find(flow: Flow): FlowRecord {
    assert(flow instanceof FlowRecord, "a Flow that no transport made");
    return flow;
  }

  send(now: Instant, record: FlowRecord, bytes: Uint8Array): void {
    if (record.state === "gone") return;
    record.used(now);
    this.#world.send(record.id, bytes);
  }

  /**
   * Sends a response by RFC 3261 §18.2.2; `sender` is told if there is no way. An answer that nobody answers for, which
   * any stranger gets, is not worth a connection.
   */
  respond(
    now: Instant,
    via: Via,
    flow: Flow,
    bytes: Uint8Array,
    sender: ResponseSender | undefined,
  ): void {
    const record = this.find(flow);
    if (record.state !== "gone" && answersGoBack(via, record.peer)) {
      this.send(now, record, bytes);
      return;
    }
    const target = responseTarget(via, record.peer);
    const opening: Opening = { from: record.from, connected: false };
    if (target === undefined) sender?.unsent(now, "closed");
    else if (!record.reliable) this.#sendOnce(now, target, opening, bytes);
    else if (sender !== undefined) {
      new ResponseRoute(this, via, opening, bytes, sender, this.#alternates).begin(now, target);
    }
  }

  sendOver(now: Instant, flow: Flow, bytes: Uint8Array): void {
    this.send(now, this.find(flow), bytes);
  }

  /** Ends a flow, a listener or a media flow. Whoever depends on it is told `cause`. */
  close(now: Instant, flow: Flow, cause: LossCause = "closed"): void {
    const record = this.find(flow);
    if (record.state === "gone") return;
    this.#world.close(record.id);
    this.#ended(now, record, cause);
  }

  /** Listens no more; flows that came through the listener go on. */
  unbind(flow: FlowId): void {
    if (this.#forgetListener(flow)) this.#world.close(flow);
  }

  /** Closes everything. Nobody is told, and nothing may be used afterwards. */
  stop(): void {
    for (const [flow] of this.#listeners.entries()) this.#world.close(flow);
    this.#listeners.clear();
    this.#locals.clear();
    for (const record of this.#flows.inOrder()) {
      this.#world.close(record.id);
      this.#forget(record);
    }
    this.#media = undefined;
    this.#timers.silence(this.#idle);
  }

  bound(now: Instant, flow: FlowId, local: Local): void {
    const listener = this.#listeners.get(flow);
    if (listener === undefined) {
      this.#media?.get(flow)?.bound(now, flow, local);
      return;
    }
    this.#locals.set(flow, local);
    listener.listening(now, flow, local);
  }

  opened(now: Instant, flow: FlowId, peer: Peer): void {
    const media = this.#media?.get(flow) ?? this.#media?.get(peer.listener);
    if (media !== undefined) {
      this.#media?.set(flow, media);
      media.opened(now, flow, peer);
      return;
    }
    const record = this.#flows.find(flow);
    if (record === undefined) {
      // One that a peer began. A flow of ours that is unknown was closed before it opened.
      if (flow < 0) {
        this.#flows.add(new FlowRecord(now, flow, peer, peer, peer.listener, false, "open"));
      }
      return;
    }
    record.peer = peer;
    record.state = "open";
    record.heard(now);
    const { waiting } = record;
    record.waiting = undefined;
    for (const user of waiting ?? []) user.reached(now, record);
  }

  received(now: Instant, flow: FlowId, bytes: Uint8Array): void {
    const record = this.#flows.find(flow);
    if (record === undefined) {
      this.#media?.get(flow)?.received(now, flow, bytes);
      return;
    }
    record.heard(now);
    this.#reception.received(now, record, bytes);
  }

  lost(now: Instant, flow: FlowId, cause: LossCause): void {
    const record = this.#flows.find(flow);
    if (record !== undefined) {
      if (cause === "idle" && !record.reliable && record.needed) this.#renew(now, record);
      else this.#ended(now, record, cause);
      return;
    }
    const listener = this.#listeners.get(flow);
    if (listener !== undefined) {
      this.#forgetListener(flow);
      listener.deaf(now, flow, cause);
      return;
    }
    const media = this.#media?.get(flow);
    this.#media?.delete(flow);
    media?.lost(now, flow, cause);
  }

  /** Closes what was opened here and nobody has used for long; looks again while there is anything to look at. */
  rang(now: Instant): void {
    let again = false;
    for (const record of this.#flows.values()) {
      if (record.id < 0 || record.needed) continue;
      if (now - record.usedAt >= IDLE_FLOW_MS) this.close(now, record, "idle");
      else again = true;
    }
    if (again) this.#expectIdle(now);
  }

  /** One datagram, of which nothing stays: whoever writes the Via chooses the port, and could choose them all. */
  #sendOnce(now: Instant, target: Target, opening: Opening, bytes: Uint8Array): void {
    const known = this.#flows.match(target, opening);
    if (known !== undefined) {
      this.send(now, known, bytes);
      return;
    }
    const flow = this.nextFlow();
    this.#world.open(flow, target, opening);
    this.#world.send(flow, bytes);
    this.#world.close(flow);
  }

  #open(now: Instant, target: Target, opening: Opening, user: FlowUser): void {
    const { transport, address } = target;
    const port = target.port || defaultPort(transport);
    const peer: Peer = {
      transport,
      address,
      port,
      localAddress: "",
      localPort: 0,
      listener: opening.from,
    };
    const flow = this.nextFlow();
    const record = new FlowRecord(
      now,
      flow,
      peer,
      target,
      opening.from,
      opening.connected,
      "opening",
    );
    record.waiting = [user];
    this.#flows.add(record);
    this.#expectIdle(now);
    this.#world.open(flow, target, opening);
  }

  /** A world forgets silent peers by itself; this one rings, say. A flow that is opened here is ours to end. */
  #renew(now: Instant, record: FlowRecord): void {
    this.#flows.remove(record);
    record.id = this.nextFlow();
    this.#flows.add(record);
    this.#expectIdle(now);
    this.#world.open(record.id, record.asked, { from: record.from, connected: false });
  }

  #expectIdle(now: Instant): void {
    if (!this.#idle.pending) this.#timers.set(this.#idle, now + IDLE_FLOW_MS);
  }

  #ended(now: Instant, record: FlowRecord, cause: LossCause): void {
    this.#forget(record);
    const { waiting } = record;
    record.waiting = undefined;
    for (const user of waiting ?? []) user.unreached(now, cause);
    for (let member = record.firstMember; member !== undefined; member = record.firstMember) {
      record.leave(member);
      member.flowLost(now, cause);
    }
  }

  /** @returns whether there was one. */
  #forgetListener(flow: FlowId): boolean {
    this.#locals.delete(flow);
    return this.#listeners.delete(flow);
  }

  #forget(record: FlowRecord): void {
    record.state = "gone";
    this.#reception.forget(record);
    record.vigil?.heard();
    record.vigil = undefined;
    this.#flows.remove(record);
  }
}

/** One user's wish to hear of the end of a flow. */
class Watcher implements FlowMember {
  before: FlowMember | undefined;
  after: FlowMember | undefined;
  readonly user: FlowUser;

  constructor(user: FlowUser) {
    this.user = user;
  }

  flowLost(now: Instant, cause: LossCause): void {
    this.user.unreached(now, cause);
  }
}

function watchersOf(record: FlowRecord): Watcher[] {
  const watchers: Watcher[] = [];
  for (let member = record.firstMember; member !== undefined; member = member.after) {
    if (member instanceof Watcher) watchers.push(member);
  }
  return watchers;
}

function watcherOf(record: FlowRecord, user: FlowUser): FlowMember | undefined {
  let member = record.firstMember;
  while (member !== undefined && !(member instanceof Watcher && member.user === user)) {
    member = member.after;
  }
  return member;
}
