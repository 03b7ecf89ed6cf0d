/** A phone as a program sees it: options or provisioning files in, calls and typed events out. */
import { EventEmitter } from "node:events";
import type { Instant } from "../core/machine.ts";
import { bindAddressFor } from "../core/phone/bind-address.ts";
import type { Call as CoreCall } from "../core/phone/call.ts";
import { dialled } from "../core/phone/dialled.ts";
import type { Phone as CorePhone } from "../core/phone/phone.ts";
import type { PhoneConfig } from "../core/phone/phone-config.ts";
import { PhoneMachine } from "../core/phone/phone-machine.ts";
import type { Fault, PhoneConfiguration } from "../core/provisioning/configuration.ts";
import { Driver } from "../worlds/node/driver.ts";
import { nodePrimitives } from "../worlds/node/primitives.ts";
import { Resolver } from "../worlds/node/resolver.ts";
import { Call } from "./call.ts";
import { AddressError, RequestError, StateError } from "./errors.ts";
import { type AnyEvent, isPhoneEvent, type PhoneEventFields } from "./event-fields.ts";
import { farewell } from "./farewell.ts";
import { Hearing } from "./hearing.ts";
import { messageTracer } from "./message-event.ts";
import { shown } from "./option-values.ts";
import type { PhoneEvent, PhoneEvents, Registered } from "./phone-events.ts";
import { readFiles } from "./phone-files.ts";
import {
  bytesOf,
  configurationOf,
  type PhoneOptions,
  type PhoneSettings,
} from "./phone-options.ts";
import { instanceOf, resolverOptions, SUPPORTED } from "./phone-setup.ts";
import { Postbox } from "./postbox.ts";
import {
  checkMethod,
  headerList,
  type RequestHandler,
  RequestHandlers,
  type RequestOptions,
  type SipResponse,
  sipResponse,
} from "./requests.ts";
import { ruleTeller } from "./rule-teller.ts";
import { Voice } from "./voice.ts";
import { eventsOf, firstOf, type WaitOptions } from "./waiting.ts";

/** How to call. */
export interface CallOptions {
  /** The index of the account, from 1. Default the first. */
  readonly account?: number;
  /** Hangs up when aborted; `answered`, if that is still waited for, rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** What the phone says and hears in one call. */
interface CallAudio {
  readonly voice: Voice;
  readonly hearing: Hearing;
}

/**
 * A phone: one account or several, each with its servers. It registers, calls, is called, and outlives its servers.
 */
export class Phone extends EventEmitter<PhoneEvents> {
  /** Warnings about provisioning files; empty for options. */
  readonly warnings: readonly Fault[];
  readonly #settings: PhoneSettings;
  readonly #machine: PhoneMachine;
  readonly #core: CorePhone;
  readonly #driver: Driver;
  readonly #resolver: Resolver;
  readonly #postbox = new Postbox();
  readonly #handlers: RequestHandlers;
  readonly #audio = new Map<number, CallAudio>();
  readonly #calls = new Map<number, Call>();
  readonly #registered = new Map<string, Registered>();
  readonly #requests = new Set<(error: RequestError) => void>();
  #state: "made" | "starting" | "running" | "stopping" | "stopped" = "made";
  #address: { readonly address: string; readonly port: number } | undefined;
  #stopped: Promise<void> | undefined;

  /** @throws ConfigurationError with every fault of the options at once. */
  constructor(options: PhoneOptions) {
    super();
    const configuration = configurationOf(options, loaded.get(options));
    const named = options.dns === undefined ? undefined : [options.dns].flat();
    const { options: asking } = resolverOptions(configuration, named);
    this.#settings = options;
    this.warnings = configuration.faults.filter(({ severity }) => severity === "warning");
    const primitives = nodePrimitives();
    this.#machine = new PhoneMachine(primitives);
    this.#handlers = new RequestHandlers(
      primitives.entropy,
      (deliver) => this.#postbox.put(deliver),
      (deed) => void this.#act((_core, now) => deed(now)),
    );
    this.#core = this.#machine.add(this.#config(configuration));
    this.#resolver = new Resolver(asking);
    this.#driver = this.#newDriver(configuration);
  }

  /**
   * A phone as its provisioning files describe it.
   * @param files paths or `http(s)` addresses of Yealink, Matrix, Polycom, Spectralink or own files; later ones overlay
   *   earlier ones.
   * @throws ConfigurationError with every fault of files and settings at once.
   */
  static async fromFiles(
    files: string | readonly string[],
    settings: PhoneSettings = {},
  ): Promise<Phone> {
    const paths = [files].flat();
    for (const path of paths) {
      if (typeof path !== "string") throw new TypeError(`${shown(path)} is no path of a file`);
    }
    const configuration = await readFiles(paths);
    const options: PhoneOptions = { ...settings, accounts: [] };
    loaded.set(options, configuration);
    return new Phone(options);
  }

  /** Where it listens; undefined before it does. */
  get address(): { readonly address: string; readonly port: number } | undefined {
    return this.#address;
  }

  /** Calls that are not over. */
  get calls(): readonly Call[] {
    return [...this.#calls.values()];
  }

  /** Registrations that stand. */
  get registrations(): readonly Registered[] {
    return [...this.#registered.values()];
  }

  /**
   * Listens, and begins to register; resolves when it listens.
   * @throws AddressError if the local port cannot be had.
   * @throws StateError if it was started or stopped before.
   */
  async start(options: WaitOptions = {}): Promise<this> {
    options.signal?.throwIfAborted();
    if (this.#state !== "made") throw new StateError("a phone can be started once");
    this.#state = "starting";
    const started = this.#first(["phone.started", "phone.failed"], options);
    this.#driver.run(() => this.#core.start());
    try {
      const event = await started;
      if (event.event === "phone.failed") throw this.#deafness(String(event.why));
    } catch (error) {
      await this.stop();
      throw error;
    }
    return this;
  }

  /**
   * Resolves when it is registered at a server, at once if it is. Until then it goes on trying: give a `signal`, such as
   * `AbortSignal.timeout(10_000)`.
   * @throws StateError if it is stopped; what the signal says if that is aborted.
   */
  async registered(options: WaitOptions = {}): Promise<Registered> {
    options.signal?.throwIfAborted();
    for (const registration of this.#registered.values()) return registration;
    return await this.#first(["registration.accepted"], options);
  }

  /**
   * Calls somebody; `answered` and `ended` of the call tell how it fares.
   * @param to a SIP, SIPS or tel URI, `user@domain`, or a user at the domain of the server in use.
   * @throws TypeError if `to` cannot be dialled; StateError if the phone does not run or there is no such account.
   */
  call(to: string, options: CallOptions = {}): Call {
    const { account, signal } = options;
    signal?.throwIfAborted();
    if (typeof to !== "string" || dialled(to) === undefined) {
      throw new TypeError(`${shown(to)} cannot be dialled`);
    }
    const begun = this.#act((core) => core.call(to, account));
    if (begun === undefined) throw new StateError("the phone does not run, or has no such account");
    const user = this.#core.accounts.find(
      (one) => one.config.index === (account ?? one.config.index),
    );
    const call = this.#newCall(begun.id, "outgoing", begun.peer, user?.config.user ?? "");
    if (signal !== undefined) {
      const abort = (): void => call.abandon(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      void call.ended.then(() => signal.removeEventListener("abort", abort));
    }
    return call;
  }

  /**
   * Sends a request that begins no dialog, with credentials where they are asked for, to the working server and then to
   * the others until one answers; resolves with the final response, whatever its status.
   * @throws RequestError if no server answers; TypeError if the request cannot be made; StateError if the phone does
   *   not run or there is no such account; what the signal says if that is aborted.
   */
  async request(options: RequestOptions): Promise<SipResponse> {
    const { method, to, body = "", account, signal } = options;
    signal?.throwIfAborted();
    checkMethod(method);
    const callee = typeof to === "string" ? dialled(to) : undefined;
    if (to !== undefined && callee === undefined) throw new TypeError(`${shown(to)} is no URI`);
    if (typeof body !== "string") throw new TypeError(`body cannot be ${shown(body)}: give text`);
    const headers = headerList(options.headers);
    const asked = { method, to: callee, headers, body: bytesOf(body), account };
    return await new Promise<SipResponse>((resolve, reject) => {
      const abort = (): void => {
        settle(() => reject(signal?.reason));
        this.#act((_core, now) => sent?.cancel(now));
      };
      const settle = (end: () => void): void => {
        signal?.removeEventListener("abort", abort);
        this.#requests.delete(reject);
        end();
      };
      signal?.addEventListener("abort", abort);
      this.#requests.add(reject);
      const sent = this.#act((core, now) =>
        core.send(now, asked, {
          final: (_at, response) => settle(() => resolve(sipResponse(response))),
          failed: (_at, { why }) => settle(() => reject(new RequestError(method, why))),
        }),
      );
      if (sent === undefined) {
        settle(() => reject(new StateError("the phone does not run, or has no such account")));
      }
    });
  }

  /**
   * Answers the requests of a method that come outside any dialog; undefined: the phone answers them itself again.
   * @throws TypeError if the method belongs to calls and registrations.
   */
  handle(method: string, handler: RequestHandler | undefined): this {
    this.#handlers.set(method, handler);
    return this;
  }

  /**
   * Every event from now on, for `for await`; it ends when the phone has stopped.
   * @throws AbortError out of the loop when the signal is aborted.
   */
  events(options: WaitOptions = {}): AsyncGenerator<PhoneEvent, void> {
    return eventsOf(this as EventEmitter, options) as AsyncGenerator<PhoneEvent, void>;
  }

  /** Hangs up, unregisters, and closes everything; resolves within 5 s, whatever the servers do. */
  async stop(): Promise<void> {
    this.#stopped ??= this.#end();
    await this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #end(): Promise<void> {
    const ran = this.#state !== "made";
    if (ran) {
      this.#state = "stopping";
      await farewell(this.#driver, this.#core);
      this.#driver.run(() => this.#machine.close());
    }
    this.#state = "stopped";
    await this.#driver.stop();
    this.#resolver.close();
    for (const reject of this.#requests) reject(new RequestError("the request", "stopped"));
    this.#requests.clear();
    this.#postbox.put(() => this.emit("close"));
  }

  #act<Result>(deed: (core: CorePhone, now: Instant) => Result): Result | undefined {
    if (this.#state !== "running" && this.#state !== "starting") return undefined;
    return this.#driver.run((now) => deed(this.#core, now));
  }

  #config(configuration: PhoneConfiguration): PhoneConfig {
    const { bind, answer, userAgent, instance } = { ...configuration.station, ...this.#settings };
    return {
      accounts: configuration.accounts,
      bindAddress: bind ?? bindAddressFor(configuration.accounts),
      localPort: this.#settings.port ?? configuration.localPort,
      answer: answer ?? "ring",
      recordedSamples: 0,
      audioSource: (call) => this.#audioOf(call).voice,
      audioSink: (call) => this.#audioOf(call).hearing,
      userAgent: userAgent ?? "Dialtone",
      instance: instance ?? instanceOf(configuration),
      supported: SUPPORTED,
      rule: ruleTeller(configuration),
      takes: (_now, transaction) => this.#handlers.takes(transaction),
    };
  }

  #newDriver({ accounts }: PhoneConfiguration): Driver {
    const { tls, trace } = this.#settings;
    const driver: Driver = new Driver(this.#machine, {
      node: accounts[0]?.user ?? "phone",
      sink: (event) => this.#postbox.put(() => this.#tell(event)),
      resolve: (question, answered) => this.#resolver.ask(question, answered),
      ...(tls === undefined ? {} : { tls }),
      ...(trace === true ? { capture: messageTracer((event) => driver.report(event)) } : {}),
    });
    return driver;
  }

  #audioOf(call: number): CallAudio {
    let audio = this.#audio.get(call);
    if (audio === undefined) {
      audio = { voice: new Voice(), hearing: new Hearing(this.#postbox) };
      this.#audio.set(call, audio);
    }
    return audio;
  }

  #newCall(id: number, direction: "outgoing" | "incoming", peer: string, account: string): Call {
    const act = <Result>(deed: (call: CoreCall, now: Instant) => Result): Result | undefined =>
      this.#act((core, now) => {
        const call = core.callNumbered(id);
        return call === undefined ? undefined : deed(call, now);
      });
    const call = new Call({ id, direction, peer, account, act, ...this.#audioOf(id) });
    this.#calls.set(id, call);
    return call;
  }

  /** After each turn: what happened, to everybody whom it concerns. */
  #tell(event: AnyEvent): void {
    if (isPhoneEvent(event, "phone.started")) {
      this.#address = { address: event.address, port: event.port };
      if (this.#state === "starting") this.#state = "running";
    } else if (isPhoneEvent(event, "registration.accepted")) {
      this.#registered.set(`${event.account} ${event.server}`, event);
    } else if (isPhoneEvent(event, ...UNREGISTERED)) {
      this.#registered.delete(`${event.account} ${event.server}`);
    }
    // The name is one of PhoneEvents, or one that only listeners of `event` can know.
    (this as EventEmitter).emit(event.event, event);
    this.emit("event", event);
    if (event.event.startsWith("call.")) this.#tellCall(event);
  }

  #tellCall(event: AnyEvent): void {
    const { call: id, peer, account, direction } = event;
    if (typeof id !== "number") return;
    if (event.event === "call.started") {
      const known = this.#calls.has(id);
      if (direction === "incoming") this.#called(id, String(peer), String(account));
      // Placed at the wish of another call's peer.
      else if (!known) this.#newCall(id, "outgoing", String(peer), String(account));
      return;
    }
    this.#calls.get(id)?.tell(event);
    if (event.event !== "call.ended") return;
    this.#calls.delete(id);
    this.#audio.delete(id);
  }

  #called(id: number, peer: string, account: string): void {
    const call = this.#newCall(id, "incoming", peer, account);
    if (!this.emit("call", call) && this.#core.config.answer !== "auto") call.refuse(486);
  }

  async #first<Name extends keyof PhoneEventFields>(
    names: readonly Name[],
    options: WaitOptions,
  ): Promise<AnyEvent & PhoneEvent<Name>> {
    if (this.#stopped !== undefined) throw new StateError("the phone was stopped");
    return await firstOf(this as EventEmitter, (event) => isPhoneEvent(event, ...names), options);
  }

  #deafness(why: string): AddressError {
    const { bindAddress, localPort } = this.#core.config;
    const host = bindAddress.includes(":") ? `[${bindAddress}]` : bindAddress;
    return new AddressError(`udp:${host}:${localPort}`, why);
  }
}

/** What says that a registration no longer stands. */
const UNREGISTERED = [
  "registration.failed",
  "registration.removed",
  "registration.interrupted",
] as const;

/** Configurations read from files, on their way into the constructor. */
const loaded = new WeakMap<PhoneOptions, PhoneConfiguration>();
