/**
 * A phone of a drill: the real one on real sockets, but servers can be cut off at those sockets, so that they are dead
 * for this phone and for nobody else.
 */
import { farewell } from "../../api/farewell.ts";
import { messageTracer } from "../../api/message-event.ts";
import { SUPPORTED } from "../../api/phone-setup.ts";
import type { Instant, Target } from "../../core/machine.ts";
import { tone } from "../../core/media/tones.ts";
import type { Account } from "../../core/phone/account.ts";
import type { Call } from "../../core/phone/call.ts";
import type { Phone } from "../../core/phone/phone.ts";
import { PhoneMachine } from "../../core/phone/phone-machine.ts";
import type { AccountPolicy, ServerPolicy } from "../../core/redundancy/policy.ts";
import { Driver, type TimedEvent } from "../../worlds/node/driver.ts";
import type { Rule } from "../../worlds/node/faults.ts";
import { nodePrimitives } from "../../worlds/node/primitives.ts";
import type { Resolver } from "../../worlds/node/resolver.ts";
import type { TlsSettings } from "../../worlds/node/tls.ts";
import type { RuleTeller } from "../sim/phone-config.ts";

/** How a server dies for the phone: as if its port were closed, or without a word. */
export type CutFault = "closed" | "silent";

export interface DrillPhoneOptions {
  /** Of its events in the trace. */
  readonly node: string;
  readonly account: AccountPolicy;
  readonly rule: RuleTeller;
  readonly instance: string;
  readonly bind: string;
  /** 0: the system chooses. */
  readonly port: number;
  readonly resolver: Resolver;
  readonly tls: TlsSettings | undefined;
  sink(event: TimedEvent): void;
}

export class DrillPhone {
  /** The local SIP port, known once it has started. */
  port = 0;
  /** Why it cannot listen, if it cannot. */
  failure: string | undefined;
  readonly #machine: PhoneMachine = new PhoneMachine(nodePrimitives());
  readonly #driver: Driver;
  readonly #phone: Phone;
  readonly #watchers = new Set<() => void>();
  /** Seconds for which each server has registered it. */
  readonly grants: Map<number, number> = new Map<number, number>();
  readonly #refusals = new Map<number, number>();
  #incoming = 0;
  #cutOff = false;
  #told: NodeJS.Immediate | undefined;

  constructor(options: DrillPhoneOptions) {
    const { node, account, resolver, tls, sink } = options;
    const driver: Driver = new Driver(this.#machine, {
      node,
      sink: (event) => {
        this.#saw(event);
        sink(event);
      },
      resolve: (question, answered) => resolver.ask(question, answered),
      capture: messageTracer((event) => driver.report(event)),
      ...(tls === undefined ? {} : { tls }),
    });
    this.#driver = driver;
    this.#phone = this.#machine.add({
      accounts: [account],
      bindAddress: options.bind,
      localPort: options.port,
      answer: "auto",
      recordedSamples: 0,
      audioSource: () => tone(),
      userAgent: "Dialtone",
      instance: options.instance,
      supported: SUPPORTED,
      rule: options.rule,
    });
    driver.run(() => this.#phone.start());
  }

  get account(): Account {
    return this.#phone.accounts[0] as Account;
  }

  /** Calls that have come in. */
  get incoming(): number {
    return this.#incoming;
  }

  /** Where each of these servers is; nowhere for a name that leads nowhere. */
  async targetsOf(hops: readonly ServerPolicy[]): Promise<Target[][]> {
    return await new Promise((done) => {
      const resolved: Parameters<Phone["resolve"]>[3] = (_at, each) =>
        done(each.map(({ targets }) => targets.map(({ target }) => target)));
      this.#driver.run((now) => this.#phone.resolve(now, hops, this.account.policy, resolved));
    });
  }

  /** From now on nothing reaches those addresses, and nothing comes from them. */
  cut(addresses: ReadonlySet<string>, fault: CutFault): void {
    const verdict = fault === "closed" ? "refuse" : "drop";
    const rule: Rule = ({ direction, peer }) => {
      if (!addresses.has(peer.address)) return "pass";
      return direction === "in" ? "drop" : verdict;
    };
    this.#cutOff = true;
    this.#driver.report({ event: "drill.cut", fault, addresses: [...addresses].join(" ") });
    this.#driver.rule = rule;
    if (fault === "closed") this.#driver.reset(({ address }) => addresses.has(address));
  }

  /** The network is whole again. */
  restore(): void {
    this.#cutOff = false;
    this.#driver.report({ event: "drill.restored" });
    this.#driver.rule = undefined;
  }

  call(to: string): Call | undefined {
    return this.#driver.run(() => this.#phone.call(to));
  }

  /** Somebody answered, or refused of his own: what a server that does its work leads to. */
  isServed(call: Call): boolean {
    const status = this.#refusals.get(call.id) ?? 0;
    return (
      call.state === "confirmed" || (status >= 400 && status !== 408 && !isServerFailure(status))
    );
  }

  hangUp(call: Call): void {
    this.#driver.run((now: Instant) => call.hangUp(now));
  }

  /** Milliseconds until it is so, looked at after whatever happens to the phone; Infinity if it is not in time. */
  async until(isSo: () => boolean, patienceMs: number, signal?: AbortSignal): Promise<number> {
    const started = performance.now();
    if (isSo()) return 0;
    if (signal?.aborted) return Number.POSITIVE_INFINITY;
    return await new Promise((done) => {
      const end = (tookMs: number): void => {
        this.#watchers.delete(look);
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        done(tookMs);
      };
      const look = (): void => {
        if (isSo()) end(performance.now() - started);
      };
      const abort = (): void => end(Number.POSITIVE_INFINITY);
      const timer = setTimeout(abort, patienceMs);
      this.#watchers.add(look);
      signal?.addEventListener("abort", abort);
    });
  }

  /** Hangs up, unregisters where that can be, and closes its sockets. */
  async stop(): Promise<void> {
    if (this.#cutOff) this.restore();
    await farewell(this.#driver, this.#phone);
    this.#driver.run(() => this.#machine.close());
    clearImmediate(this.#told);
    await this.#driver.stop();
  }

  #saw(event: TimedEvent): void {
    if (event.event === "phone.started") this.port = Number(event.port);
    else if (event.event === "phone.failed") this.failure = String(event.why);
    else if (event.event === "call.started" && event.direction === "incoming") this.#incoming += 1;
    else if (event.event === "registration.accepted") {
      this.grants.set(Number(event.server), Number(event.expires));
    } else if (event.event === "call.ended" && typeof event.status === "number") {
      this.#refusals.set(Number(event.call), event.status);
    }
    // The phone is in the midst of a turn: whoever waits looks when it is over.
    this.#told ??= setImmediate(() => {
      this.#told = undefined;
      for (const watcher of [...this.#watchers]) watcher();
    });
  }
}

function isServerFailure(status: number): boolean {
  return status >= 500 && status < 600;
}
