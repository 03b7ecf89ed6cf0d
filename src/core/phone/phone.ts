/**
 * A phone: its accounts and the local port that all of them share. The first fact it waits for is that
 * the port is bound; then every account starts, after a random wait if the policy wants one.
 */
import { uniform } from "../identifiers.ts";
import type { FlowId, Instant, Local, LossCause, Opening, Peer, Target } from "../machine.ts";
import type { AudioSink } from "../media/playout.ts";
import type { AudioSource } from "../media/tones.ts";
import type { Request, Response } from "../message/message.ts";
import { fromOf } from "../message/name-addr.ts";
import type { Primitives } from "../primitives.ts";
import type { SharedAskings } from "../redundancy/credentials.ts";
import type { PlaceLists } from "../redundancy/place-lists.ts";
import type { AccountPolicy, RedundancyPolicy, ServerPolicy } from "../redundancy/policy.ts";
import type { AttemptPlace } from "../redundancy/request.ts";
import { type HealthListener, ServerHealth } from "../redundancy/server-health.ts";
import { Timer, type TimerOwner, type Timers } from "../timers.ts";
import type { Flow, ListenerUser, ServerTransaction } from "../transaction/user.ts";
import type { TraceEvent } from "../vocabulary.ts";
import { Account } from "./account.ts";
import { AccountCalls, type CallHome } from "./account-calls.ts";
import type { AccountEnvironment, AccountSender } from "./account-environment.ts";
import { accountNamed, accountOf } from "./account-of.ts";
import type { AnsweringTargets } from "./answering-targets.ts";
import type { Call } from "./call.ts";
import type { CallEnvironment, CallRegister, SentRequest } from "./call-environment.ts";
import { Composer } from "./composer.ts";
import { dialled } from "./dialled.ts";
import { type AskedRequest, LoneRequest, type LoneRequestUser } from "./lone-request.ts";
import type { SharedTerms } from "./outbound.ts";
import { PhoneCalls, type PhoneCallsHost } from "./phone-calls.ts";
import type { AnswerMode, PhoneConfig } from "./phone-config.ts";
import { PhoneHealth } from "./phone-health.ts";
import type { PhoneShared } from "./phone-shared.ts";
import type { Resolved } from "./resolutions.ts";
import { type PhoneSubscriptions, subscriptionsOf } from "./subscriptions.ts";
import { comesFromLeft } from "./unregistered-server.ts";

/** A phone as its machine has it: every method is told the time. */
export class Phone
  implements AccountEnvironment, CallHome, HealthListener, ListenerUser, PhoneCallsHost, TimerOwner
{
  readonly config: PhoneConfig;
  readonly accounts: readonly Account[];
  readonly health: ServerHealth = new ServerHealth(this);
  /** There while a target is suspected. */
  #watched: PhoneHealth | undefined;
  readonly #shared: PhoneShared;
  /** Made with the first call, as all that a phone at rest has no need of. */
  #madeCalls: PhoneCalls | undefined;
  #environments: Map<Account, CallEnvironment> | undefined;
  #surges: Map<Timer, Account> | undefined;
  readonly #subscriptions: PhoneSubscriptions | undefined;
  /** Bound flows, 0 until asked for. */
  #datagrams: FlowId = 0;
  #connections: FlowId = 0;
  /** The real port, 0 until bound. */
  port = 0;
  state: "binding" | "running" | "stopping" | "stopped" = "binding";

  constructor(config: PhoneConfig, shared: PhoneShared) {
    this.config = config;
    this.#shared = shared;
    this.accounts = config.accounts
      .filter((account) => account.enabled)
      .map((account) => new Account(account, this));
    this.#subscriptions = subscriptionsOf(this.accounts);
  }

  get primitives(): Primitives {
    return this.#shared.primitives;
  }

  get timers(): Timers {
    return this.#shared.timers;
  }

  get places(): PlaceLists {
    return this.#shared.places;
  }

  get askings(): SharedAskings {
    return this.#shared.askings;
  }

  get terms(): SharedTerms {
    return this.#shared.terms;
  }

  get sender(): AccountSender {
    return this.#shared.sender;
  }

  get idle(): boolean {
    return this.#madeCalls?.idle ?? true;
  }

  /** Asks for the phone's port; everything else follows from `listening`. */
  start(): void {
    this.#datagrams = this.#bind("udp", this.config.localPort);
  }

  /** Removes the bindings, best-effort; `stopped` follows when nothing is on its way any more. */
  stop(now: Instant): void {
    if (this.state === "stopping" || this.state === "stopped") return;
    this.state = "stopping";
    this.#silenceSurges();
    this.#watched?.stop();
    for (const account of this.accounts) account.windUp();
    this.#madeCalls?.hangUpAll(now);
    this.#subscriptions?.stop(now);
    for (const account of this.accounts) account.stop(now);
  }

  /** Closes the port: nothing is sent or heard any more. */
  close(): void {
    this.state = "stopped";
    this.#silenceSurges();
    this.#watched?.stop();
    this.#madeCalls?.dropAll();
    this.#subscriptions?.close();
    for (const account of this.accounts) account.close();
    for (const flow of [this.#datagrams, this.#connections]) this.#shared.sender.unbind(flow);
  }

  listening(now: Instant, flow: FlowId, local: Local): void {
    if (flow !== this.#datagrams || this.state !== "binding") return;
    this.port = local.port;
    this.state = "running";
    if (this.#usesConnections()) this.#connections = this.#bind("tcp", local.port);
    this.report({ event: "phone.started", address: local.address, port: local.port });
    for (const account of this.accounts) this.#startLater(now, account);
  }

  /** A port is gone, or could not be had; without one for TCP, calls still come over the phone's own connections. */
  deaf(_now: Instant, flow: FlowId, cause: LossCause): void {
    const fatal = flow === this.#datagrams;
    this.report({ event: fatal ? "phone.failed" : "phone.unreachable-by-tcp", why: cause });
  }

  /** Nothing of this phone is on its way any more. */
  get atRest(): boolean {
    if ((this.#madeCalls?.size ?? 0) > 0 || this.#subscriptions?.atRest === false) return false;
    return this.accounts.every((account) => account.atRest);
  }

  // Health.

  suspected(now: Instant, target: Target, why: string): void {
    this.#watched ??= new PhoneHealth(this);
    this.#watched.suspected(now, target, why);
  }

  restored(now: Instant, target: Target): void {
    this.#watched?.restored(now, target);
    if (this.#watched?.idle === true) this.#watched = undefined;
  }

  passedOver(now: Instant, target: Target): void {
    this.#watched?.passedOver(now, target);
  }

  get answering(): AnsweringTargets {
    return this.#shared.answering;
  }

  // Calls.

  /** @param to a URI, or a user at whatever domain the server in use has; undefined if it is neither. */
  call(to: string, accountIndex?: number): Call | undefined {
    const account = this.#accountNamed(accountIndex);
    const uri = dialled(to);
    if (account === undefined || uri === undefined || this.state !== "running") return undefined;
    return this.#calls.place(this.#environmentOf(account), uri);
  }

  answer(now: Instant): void {
    this.#madeCalls?.current?.answer(now);
  }

  hangup(now: Instant): void {
    this.#madeCalls?.current?.hangUp(now);
  }

  hold(now: Instant): void {
    this.#madeCalls?.current?.hold(now);
  }

  resume(now: Instant): void {
    this.#madeCalls?.current?.resume(now);
  }

  /** Hands the peer of the current call over to `to`, or that of the one before it to the current one's. */
  transfer(now: Instant, to?: string): boolean {
    return this.#madeCalls?.transfer(now, to) ?? false;
  }

  sendKeys(keys: string): void {
    this.#madeCalls?.current?.press(keys);
  }

  /** A call by its number, as long as something is left of it. */
  callNumbered(id: number): Call | undefined {
    return this.#madeCalls?.callNumbered(id);
  }

  /** Sends a request that stands alone down the list of servers; undefined: not now, or no such account. */
  send(now: Instant, asked: AskedRequest, told: LoneRequestUser): SentRequest | undefined {
    const account = this.#accountNamed(asked.account);
    if (account === undefined || this.state !== "running") return undefined;
    return account.send(now, new LoneRequest(account, asked, told), 1);
  }

  /** What was heard in the current call, or else in the last one: 8 kHz. */
  get recording(): Int16Array {
    return this.#calls.recording;
  }

  /** Whether it wants nothing from whoever brings this request. */
  declines(now: Instant, request: Request, flow: Flow): boolean {
    return comesFromLeft(now, this.accounts, request, flow);
  }

  requested(now: Instant, transaction: ServerTransaction, flow: Flow): void {
    if (this.#subscriptions?.requested(now, transaction) === true) return;
    if (this.config.takes?.(now, transaction) === true) return;
    this.#calls.requested(now, transaction, flow);
  }

  /** Refusals of a forgotten INVITE need nothing: whoever sent them gives up by himself (Timer H). */
  strayed(now: Instant, response: Response, flow: Flow): void {
    if (response.status < 200 || response.status >= 300 || this.state !== "running") return;
    if (this.#madeCalls?.strayed(now, response, flow) === true) return;
    const own = fromOf(response.headers)?.uri ?? "";
    const account = accountNamed(this.accounts, own, own, flow.peer);
    if (account === undefined) return;
    this.#calls.strays.heard(now, this.#environmentOf(account), response, flow);
  }

  cancelled(now: Instant, transaction: ServerTransaction): boolean {
    return this.#madeCalls?.cancelled(now, transaction) ?? false;
  }

  acknowledged(now: Instant, ack: Request): void {
    this.#madeCalls?.acknowledged(now, ack);
  }

  get register(): CallRegister {
    return this.#calls;
  }

  get mediaAddress(): string {
    return this.config.bindAddress;
  }

  get recordedSamples(): number {
    return this.config.recordedSamples;
  }

  get entropy(): Primitives["entropy"] {
    return this.primitives.entropy;
  }

  get userAgent(): string {
    return this.config.userAgent;
  }

  get instance(): string {
    return this.config.instance;
  }

  get answerMode(): AnswerMode {
    return this.config.answer;
  }

  get takesCalls(): boolean {
    return this.state === "running";
  }

  audioSource(call: number): AudioSource {
    return this.config.audioSource(call);
  }

  audioSink(call: number): AudioSink | undefined {
    return this.config.audioSink?.(call);
  }

  environmentFor(request: Request, from: Peer): CallEnvironment | undefined {
    const account = accountOf(this.accounts, request, from);
    return account === undefined ? undefined : this.#environmentOf(account);
  }

  becameIdle(now: Instant): void {
    for (const account of this.accounts) account.becameIdle(now);
  }

  talks(now: Instant, talking: boolean): void {
    this.#subscriptions?.talks(now, talking);
  }

  rang(now: Instant, timer: Timer): void {
    const account = this.#surges?.get(timer);
    this.#surges?.delete(timer);
    if (this.#surges?.size === 0) this.#surges = undefined;
    account?.start(now);
  }

  composerFor(account: AccountPolicy): Composer {
    return new Composer(account, this);
  }

  /** A connection is made from the address that the phone listens on: its Contact says that address. */
  opening(target: Target): Opening {
    const shared = target.transport === "udp";
    return { from: shared ? this.#datagrams : this.#connections, connected: shared };
  }

  resolve(
    now: Instant,
    hops: readonly ServerPolicy[],
    policy: RedundancyPolicy,
    resolved: Resolved,
  ): void {
    this.#shared.resolutions.resolve(now, hops, policy, this.config, resolved);
  }

  rule(account: number, path: string, value: unknown): string {
    return this.config.rule(account, path, value);
  }

  registered(now: Instant, account: number, _server: number, _place: AttemptPlace): void {
    this.#subscriptions?.follow(now, account);
  }

  moved(now: Instant, account: number): void {
    this.#subscriptions?.follow(now, account);
  }

  report(event: TraceEvent): void {
    this.#shared.world.report(event);
  }

  #accountNamed(index: number | undefined): Account | undefined {
    if (index === undefined) return this.accounts[0];
    return this.accounts.find((account) => account.config.index === index);
  }

  #environmentOf(account: Account): CallEnvironment {
    this.#environments ??= new Map();
    let environment = this.#environments.get(account);
    if (environment === undefined) {
      environment = new AccountCalls(account, this.#shared, this);
      this.#environments.set(account, environment);
    }
    return environment;
  }

  #bind(transport: "udp" | "tcp", port: number): FlowId {
    const { bindAddress: address } = this.config;
    return this.#shared.sender.bind({ transport, address, port }, this);
  }

  get #calls(): PhoneCalls {
    this.#madeCalls ??= new PhoneCalls(this);
    return this.#madeCalls;
  }

  #silenceSurges(): void {
    for (const timer of this.#surges?.keys() ?? []) this.timers.silence(timer);
    this.#surges = undefined;
  }

  #startLater(now: Instant, account: Account): void {
    const surge = account.policy.startSurgeMs;
    if (surge === 0) {
      account.start(now);
      return;
    }
    const wait = uniform(this.primitives.entropy, 0, surge);
    const timer = new Timer("surge", this);
    this.#surges ??= new Map();
    this.#surges.set(timer, account);
    this.timers.set(timer, now + wait);
  }

  #usesConnections(): boolean {
    return this.accounts.some((account) =>
      [...account.policy.servers, ...account.policy.proxies].some(
        (server) => server.transport !== "udp",
      ),
    );
  }

  /** Datagrams and TCP arrive at the phone's one port; other transports only on their own connection. */
  listeningPort(peer: Peer): number {
    return peer.transport === "tcp" ? this.port : peer.localPort;
  }
}
