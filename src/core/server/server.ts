/**
 * A SIP server as one Machine: transaction layer, registrar and proxy over one location store. Nodes that share the
 * store are one system; what a node alone knows is its connections and the requests it is forwarding.
 */
import { token } from "../identifiers.ts";
import { Inquiries, type Ready } from "../inquiry.ts";
import type { LocateContext } from "../locate/locate.ts";
import type { FlowId, Instant, Local, LossCause, Machine, Peer, World } from "../machine.ts";
import type { Request, Response } from "../message/message.ts";
import { parseUri, unescapeUser, userPart } from "../message/uri.ts";
import { Outbox } from "../outbox.ts";
import type { Primitives } from "../primitives.ts";
import { Timer, type TimerOwner, Timers } from "../timers.ts";
import { TransactionLayer } from "../transaction/layer.ts";
import { RFC_TIMER_VALUES } from "../transaction/timer-values.ts";
import type {
  Flow,
  ListenerUser,
  ServerTransaction,
  TransactionUser,
} from "../transaction/user.ts";
import type { Answer } from "../vocabulary.ts";
import { ServerClock } from "./clock.ts";
import { Domains } from "./domains.ts";
import { shownPlace } from "./flow-token.ts";
import { Listeners } from "./listeners.ts";
import type { Messages } from "./message-summary.ts";
import { type Office, openOffice } from "./office.ts";
import { Overload } from "./overload.ts";
import type { Role } from "./own-answers.ts";
import type { Recall, Removal } from "./register-desk.ts";
import type { RegistrarLimits } from "./registration.ts";
import { type Sibling, Siblings, sharedSecret } from "./siblings.ts";
import type { OfferedAlgorithm, Users } from "./users.ts";
import type { BoxAgent } from "./voicemail.ts";
import { alternatesBy, serverLocateContext } from "./whereabouts.ts";

/** What one server is made of. */
export interface ServerConfiguration {
  /** The name of this node: letters, digits, dots, hyphens, underscores. */
  readonly name: string;
  /** Never empty, lower case; the first is the realm. */
  readonly domains: readonly string[];
  /** Never empty. */
  readonly listen: readonly Local[];
  /** The address that peers are told instead of a wildcard. */
  readonly advertise: string | undefined;
  readonly role: Role;
  /** Undefined: everybody is let in without a password. */
  readonly users: Users | undefined;
  /** Of digest challenges, in the order in which they are offered; all there are unless said otherwise. */
  readonly algorithms?: readonly OfferedAlgorithm[];
  readonly acceptForeign: boolean;
  readonly limits: RegistrarLimits;
  /** Service-Route for registered phones (RFC 3608); empty: none. */
  readonly serviceRoute: string;
  /** Refuse a REGISTER with a Path that its phone does not support (RFC 3327 §5.3); taken unless said otherwise. */
  readonly pathNeedsSupport?: boolean;
  /** Who is refused in an overload is asked back within so many seconds (R111); 300 unless said otherwise. */
  readonly retryWithin?: number;
  /** Other nodes use the same store. */
  readonly shared: boolean;
  /** What to add to an Instant to get milliseconds since the epoch. */
  readonly epochOffset: number;
  /** Report `binding.refreshed`, by far most of all events; true unless said otherwise. */
  readonly renewals?: boolean;
  /** Report transitions and timers of transactions. */
  readonly tracing: boolean;
}

const DEFAULT_RETRY_WITHIN = 300;

/** How long `stop` waits for what is in flight, and then for those whom it has cancelled. */
const STOP_PATIENCE_MS = 3_000;
const LEAVE_PATIENCE_MS = 1_000;

/** Between attempts to reach a store that is not there at the start. */
const STORE_RETRY_MS = 1_000;

/** `waiting`: for the store; `binding`: its addresses; `failed`: one of them cannot be had. */
export type ServerState = "waiting" | "binding" | "running" | "stopping" | "stopped" | "failed";

/** A server as a Machine; `start` it. */
export class SipServer implements Machine, TransactionUser, ListenerUser, TimerOwner {
  readonly configuration: ServerConfiguration;
  /** Where the boxes are that users name by a number of ours (RFC 4458), at each address; in the working role. */
  boxAgents: readonly BoxAgent[] = [];
  readonly #primitives: Primitives;
  readonly #outbox = new Outbox();
  readonly #timers = new Timers();
  readonly #inquiries: Inquiries;
  readonly #clock: ServerClock;
  readonly #layer: TransactionLayer;
  readonly #locate: LocateContext;
  readonly #domains: Domains;
  readonly #listeners: Listeners;
  readonly #boot: string;
  readonly #overload: Overload;
  /** What it wants to listen at. */
  readonly #asked = new Map<FlowId, Local>();
  readonly #patience: Timer = new Timer("patience", this);
  #siblings: Siblings | undefined;
  #office: Office | undefined;
  #state: ServerState = "waiting";
  #leaving = false;
  /** Of all nodes of the store. */
  #secret = "";
  #unbound = 0;
  #lastHere = "";
  /** Seconds of Retry-After while everything is refused on purpose. */
  #outage: number | undefined;

  /** @param ready a store that needs not be waited for. */
  constructor(configuration: ServerConfiguration, primitives: Primitives, ready?: Ready) {
    this.configuration = configuration;
    this.#primitives = primitives;
    this.#inquiries = new Inquiries(this.#outbox, ready);
    this.#clock = new ServerClock(configuration.epochOffset);
    this.#domains = new Domains(configuration.domains);
    this.#listeners = new Listeners(configuration.advertise);
    this.#boot = token(primitives.entropy, 1);
    this.#overload = new Overload({
      entropy: primitives.entropy,
      retryWithin: configuration.retryWithin ?? DEFAULT_RETRY_WITHIN,
      epochOffset: configuration.epochOffset,
      report: (event) => this.#outbox.report(event),
    });
    this.#locate = serverLocateContext(configuration.listen, this.#inquiries, primitives.entropy);
    this.#layer = new TransactionLayer({
      world: this.#outbox,
      timers: this.#timers,
      primitives,
      user: this,
      tracing: configuration.tracing,
      alternates: alternatesBy(this.#inquiries, this.#locate),
    });
  }

  get state(): ServerState {
    return this.#state;
  }

  start(now: Instant): void {
    this.#clock.now = now;
    if (this.configuration.users === undefined) {
      this.#outbox.report({ event: "server.opened", why: "--open: no password is asked for" });
    }
    const make = (): string => token(this.#primitives.entropy, 8);
    this.#inquiries.start(now, sharedSecret(make), (at, secret) => {
      if (this.#state !== "waiting") return;
      if (secret === undefined) this.#waitForStore(at);
      else this.#bind(secret);
    });
  }

  /** Takes nothing new, ends what is in flight, then reports `server.stopped`. */
  stop(now: Instant): void {
    this.#clock.now = now;
    if (this.#state === "stopping" || this.#state === "stopped") return;
    this.#state = "stopping";
    this.#timers.set(this.#patience, now + STOP_PATIENCE_MS);
    this.#siblings?.stop(now);
    this.#office?.events?.stop(now);
    this.#endIfIdle();
  }

  /** Removes all bindings of a user, and has his phones do what `recall` says, if they subscribe to it (RFC 3680). */
  removeBindings(
    now: Instant,
    user: string,
    told: (outcome: Removal) => void,
    recall: Recall = { event: "deactivated" },
  ): void {
    this.#clock.now = now;
    const desk = this.#office?.desk;
    if (desk === undefined) told("unavailable");
    else
      this.#inquiries.start(now, desk.recall(userPart(user), recall), (_at, outcome) =>
        told(outcome),
      );
  }

  /** So many messages wait for a user from now on (RFC 3842). @param kept told false if that cannot be remembered. */
  setMessages(now: Instant, user: string, messages: Messages, kept: (kept: boolean) => void): void {
    this.#clock.now = now;
    const events = this.#office?.events;
    if (events === undefined) kept(false);
    else events.messagesChanged(now, unescapeUser(userPart(user)), messages, kept);
  }

  /** From now on every request is answered 503, with Retry-After if it is above 0 seconds; undefined ends that. */
  refuseAll(retryAfterSeconds: number | undefined): void {
    this.#outage = retryAfterSeconds;
  }

  /** What arrives waits `waitMs` until it is looked at. Whoever can measure it tells it ten times a second. */
  waited(now: Instant, waitMs: number): void {
    this.#overload.waited(now, waitMs);
  }

  // Machine

  get deadline(): Instant {
    return this.#timers.deadline;
  }

  bound(now: Instant, flow: FlowId, local: Local): void {
    this.#clock.now = now;
    this.#layer.bound(now, flow, local);
  }

  opened(now: Instant, flow: FlowId, peer: Peer): void {
    this.#clock.now = now;
    this.#layer.opened(now, flow, peer);
  }

  received(now: Instant, flow: FlowId, bytes: Uint8Array): void {
    this.#clock.now = now;
    this.#layer.received(now, flow, bytes);
    if (this.#state === "stopping") this.#endIfIdle();
  }

  lost(now: Instant, flow: FlowId, cause: LossCause): void {
    this.#clock.now = now;
    this.#layer.lost(now, flow, cause);
    if (this.#state === "stopping") this.#endIfIdle();
  }

  answered(now: Instant, asked: number, answer: Answer): void {
    this.#clock.now = now;
    this.#inquiries.answered(now, asked, answer);
    if (this.#state === "stopping") this.#endIfIdle();
  }

  elapsed(now: Instant): void {
    this.#clock.now = now;
    this.#timers.elapsed(now);
    if (this.#state === "stopping") this.#endIfIdle();
  }

  deliver(world: World): void {
    this.#outbox.deliver(world);
  }

  // Listening

  listening(now: Instant, flow: FlowId, local: Local): void {
    const { transport, address, port } = this.#listeners.add(flow, local);
    this.#domains.listening(transport, address, port);
    this.#unbound -= 1;
    if (this.#unbound === 0 && this.#state === "binding") this.#run(now);
  }

  deaf(_now: Instant, flow: FlowId, cause: LossCause): void {
    const wanted = this.#asked.get(flow);
    this.#listeners.remove(flow);
    const { transport = "udp", address = "", port = 0 } = wanted ?? {};
    this.#outbox.report({ event: "server.failed", transport, address, port, why: cause });
    if (this.#state === "binding") this.#end("failed");
  }

  rang(now: Instant): void {
    if (this.#state === "waiting") this.start(now);
    else if (this.#state === "stopping") this.#leave(now);
  }

  // Requests

  claims(now: Instant, request: Request, flow: Flow): boolean {
    const office = this.#office;
    if (office === undefined) return true;
    const { desk, proxy } = office;
    if (this.#outage !== undefined) {
      const retry = this.#outage > 0 ? `Retry-After: ${this.#outage}\r\n` : "";
      desk.refuse(now, request, flow, 503, retry, "refused on purpose");
      return true;
    }
    if (this.#overload.active) {
      const retryAfter = this.#overload.refusal(now, request, flow);
      if (retryAfter !== undefined) {
        desk.answer(now, request, flow, 503, `Retry-After: ${retryAfter}\r\n`);
        return true;
      }
    }
    if (request.method !== "REGISTER" || !this.#isHere(request.uri)) {
      return proxy.turnsAway(now, request, flow);
    }
    if (this.#state === "running") desk.requested(now, request, flow);
    else desk.refuse(now, request, flow, 503, "", "shutting down");
    return true;
  }

  requested(now: Instant, transaction: ServerTransaction, flow: Flow): void {
    this.#office?.proxy.requested(now, transaction, flow);
  }

  cancelled(now: Instant, transaction: ServerTransaction, cancel: Request): void {
    this.#office?.proxy.cancelled(now, transaction, cancel);
  }

  acknowledged(now: Instant, ack: Request, flow: Flow): void {
    this.#office?.proxy.acknowledged(now, ack, flow);
  }

  undelivered(now: Instant, transaction: ServerTransaction): void {
    this.#office?.proxy.undelivered(now, transaction);
  }

  /** A response without a transaction is dropped (RFC 6026 §8.9). */
  strayed(_now: Instant, _response: Response, _flow: Flow): void {}

  #waitForStore(now: Instant): void {
    this.#outbox.report({ event: "server.waiting", why: "the store is unavailable" });
    this.#timers.set(this.#patience, now + STORE_RETRY_MS);
  }

  #bind(secret: string): void {
    this.#secret = secret;
    this.#state = "binding";
    const { configuration } = this;
    this.#office = openOffice({
      configuration,
      primitives: this.#primitives,
      layer: this.#layer,
      timers: this.#timers,
      inquiries: this.#inquiries,
      clock: this.#clock,
      domains: this.#domains,
      listeners: this.#listeners,
      boot: this.#boot,
      secret,
      locate: this.#locate,
      resending: { ...RFC_TIMER_VALUES, interval: 0, resends: 0 },
      siblings: () => this.#siblings,
      boxAgents: () => this.boxAgents,
      stopping: () => this.#state !== "running",
      report: (event) => this.#outbox.report(event),
    });
    this.#unbound = configuration.listen.length;
    for (const local of configuration.listen) this.#asked.set(this.#layer.bind(local, this), local);
  }

  #run(now: Instant): void {
    this.#state = "running";
    const { name, domains, role, shared } = this.configuration;
    const { addresses } = this.#listeners;
    if (shared) {
      const self = { name, boot: this.#boot, addresses };
      const others = (nodes: readonly Sibling[]): void =>
        this.#domains.siblings(nodes.flatMap((node) => node.addresses));
      const parts = [this.#inquiries, this.#timers, this.#clock] as const;
      const given = (at: Instant): void => this.#office?.events?.signOfLife(at);
      this.#siblings = new Siblings(self, this.#secret, ...parts, others, given);
      this.#siblings.start(now);
    }
    const listen = addresses.map(shownPlace).join(" ");
    this.#outbox.report({ event: "server.started", name, role, listen, domain: domains.join(" ") });
  }

  /** Phones of one server register at few URIs: that of the last REGISTER is nearly always that of the next. */
  #isHere(uri: string): boolean {
    if (uri === this.#lastHere) return true;
    const parsed = parseUri(uri);
    if (parsed === undefined) return false;
    const domains = this.#domains;
    const here = domains.serves(parsed.host) || domains.isSelf(parsed) || domains.isSibling(parsed);
    if (here) this.#lastHere = uri;
    return here;
  }

  /** Whom `stop` has waited for in vain. */
  #leave(now: Instant): void {
    const proxy = this.#office?.proxy;
    if (this.#leaving) {
      proxy?.abandon(now);
      this.#end("stopped");
      return;
    }
    this.#leaving = true;
    this.#timers.set(this.#patience, now + LEAVE_PATIENCE_MS);
    proxy?.leave(now);
  }

  #endIfIdle(): void {
    if (this.#inquiries.size === 0 && (this.#office?.proxy.size ?? 0) === 0) this.#end("stopped");
  }

  #end(state: "stopped" | "failed"): void {
    if (this.#state === "stopped" || this.#state === "failed") return;
    this.#state = state;
    this.#timers.silence(this.#patience);
    this.#office?.desk.stop();
    this.#inquiries.abandon();
    this.#layer.stop();
    if (state === "stopped") this.#outbox.report({ event: "server.stopped" });
  }
}
