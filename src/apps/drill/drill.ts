/** The drill itself: where the servers are, what each failure is foretold to do, and what it does. */

import type { Target } from "../../core/machine.ts";
import type { AccountPolicy } from "../../core/redundancy/policy.ts";
import type { TimedEvent } from "../../worlds/node/driver.ts";
import { EXIT, whyUnbound } from "../exit.ts";
import {
  domainOf,
  type GroundServer,
  type Grounds,
  groundsOf,
  hopsOf,
} from "../explain/grounds.ts";
import {
  type Prediction,
  predictionsFor,
  type Spread,
  type Victim,
  victimsOf,
} from "../explain/predict.ts";
import { askedServer } from "../explain/residents.ts";
import { callerAt, reaches } from "./asker.ts";
import { type CutFault, DrillPhone, type DrillPhoneOptions } from "./drill-phone.ts";
import { holds, isRegistered, type Measured, measure } from "./measure.ts";

export interface DrillSettings extends Omit<DrillPhoneOptions, "node" | "sink"> {
  /** Who calls the phone. */
  readonly caller: AccountPolicy;
  /** Whom it calls; undefined: itself, through its servers. */
  readonly to: string | undefined;
  /** What is cut, each by the number of a server or an address; empty: everything in turn. */
  readonly cuts: readonly string[];
  readonly patienceMs: number;
  /** Outages of calls longer than this are too long, milliseconds. */
  readonly limitMs: number;
  readonly phases: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  sink(event: TimedEvent): void;
  /** Something that the operator should know. */
  warn(why: string): void;
}

/** One failure, foretold and measured. */
export interface Drilled {
  readonly victim: string;
  readonly addresses: readonly string[];
  readonly fault: CutFault;
  readonly measured: Measured;
  readonly figures: readonly Figure[];
  readonly passed: boolean;
}

export interface Figure {
  readonly key: "firstCall" | "nextCall" | "registered" | "unreachable" | "back";
  /** Milliseconds; Infinity: not within the patience. */
  readonly measuredMs: number;
  /** Undefined: nothing was foretold. */
  readonly foretold: Spread | undefined;
  /** As foretold, give and take a second; undefined: that cannot be said. */
  readonly agrees: boolean | undefined;
  /** It is an outage of calls, and longer than the limit. */
  readonly tooLong: boolean;
}

/** Tidying up takes no longer, milliseconds. */
const TIDY_MS = 2000;
/** What real machines and networks take on top of what is foretold, milliseconds. */
const TOLERANCE_MS = 1000;
const OUTAGES: ReadonlySet<Figure["key"]> = new Set(["firstCall", "nextCall", "unreachable"]);
const FAULTS: readonly CutFault[] = ["silent", "closed"];

/** Why there is no drill, and the exit status that says so. */
export class DrillFailure extends Error {
  readonly code: number;

  constructor(code: number, why: string) {
    super(why);
    this.code = code;
  }
}

export class Drill {
  readonly settings: DrillSettings;
  readonly grounds: Grounds;
  readonly victims: readonly Victim[];
  /** What one working server is told all of them know; undefined: there are no two. */
  sharedLocations: boolean | undefined;
  readonly #targets: ReadonlyMap<string, Target>;
  readonly #found: ReadonlyMap<number, readonly string[]>;
  #account: AccountPolicy;
  #port: number;

  private constructor(
    settings: DrillSettings,
    targets: ReadonlyMap<number, readonly Target[]>,
    port: number,
  ) {
    const { account } = settings;
    this.#found = new Map(
      [...targets].map(([hop, all]) => [hop, [...new Set(all.map(({ address }) => address))]]),
    );
    this.#account = account;
    this.settings = settings;
    this.grounds = groundsOf(account, this.#surroundings);
    this.victims = victimsOf(this.grounds).filter(({ servers }) => this.#isMeant(servers));
    this.#targets = new Map(
      [...targets.values()]
        .flat()
        .reverse()
        .map((one) => [one.address, one]),
    );
    this.#port = port;
  }

  /**
   * Registers, asks where the servers are, and unregisters.
   * @throws DrillFailure if nothing can be drilled.
   */
  static async prepare(settings: DrillSettings): Promise<Drill> {
    const subject = await registered(settings, settings.port);
    try {
      const hops = hopsOf(settings.account.redundancy);
      const located = await subject.targetsOf(hops.map(({ policy }) => policy));
      const targets = hops.map(({ number }, at) => [number, located[at] ?? []] as const);
      const known = targets.filter(([, all]) => all.length > 0);
      const drill = new Drill(settings, new Map(known), subject.port);
      const strange = settings.cuts.filter((cut) => !drill.#means(cut));
      if (strange.length > 0) {
        const names = drill.#names().join(", ");
        const lines = strange.map((cut) => `command line: --cut: ${cut} is none of ${names}`);
        throw new DrillFailure(EXIT.wrongInput, lines.join("\n"));
      }
      drill.#account = asGranted(settings.account, subject.grants);
      drill.sharedLocations = await drill.#areLocationsShared(subject);
      return drill;
    } finally {
      await subject.stop();
    }
  }

  /** What `explain` says of each failure, among the servers as they were found. */
  predictions(): readonly Prediction[] {
    const { rule, phases, seed } = this.settings;
    const account = this.#account;
    const grounds = groundsOf(account, this.#surroundings);
    const request = { account, rule, phases, seed };
    return this.victims.flatMap((victim) => predictionsFor(request, grounds, victim, FAULTS));
  }

  /** One after the other; each is told as it is over. Nothing of the phone stays at any server. */
  async *run(predictions: readonly Prediction[]): AsyncGenerator<Drilled, void> {
    try {
      yield* this.#failures(predictions);
    } finally {
      await this.#tidyUp();
    }
  }

  async *#failures(predictions: readonly Prediction[]): AsyncGenerator<Drilled, void> {
    const { signal } = this.settings;
    for (const { victim, servers } of this.victims) {
      for (const fault of FAULTS) {
        const foretold = predictions.find((one) => one.victim === victim && one.fault === fault);
        if (signal.aborted) return;
        const scene = this.#scene(servers, fault, foretold);
        const measured = await measure(scene).catch((error: unknown) => {
          if (!signal.aborted) throw error;
        });
        if (measured === undefined || signal.aborted) return;
        const figures = figuresOf(measured, foretold, this.settings);
        const addresses = servers.map(({ spec }) => spec.address);
        const passed = figures.every(({ tooLong }) => !tooLong);
        yield { victim, addresses, fault, measured, figures, passed };
      }
    }
  }

  /**
   * A phone that was cut off from a server could not unregister there, and forgot it. In one more life it takes that
   * binding over, since its Contact is the same, and removes it.
   */
  async #tidyUp(): Promise<void> {
    const settings = {
      ...this.settings,
      ...{ patienceMs: TIDY_MS, signal: new AbortController().signal },
    };
    try {
      await (await registered(settings, this.#port)).stop();
    } catch (error) {
      if (!(error instanceof DrillFailure)) throw error;
      const why = `nobody could be asked to forget the phone: ${error.message}`;
      this.settings.warn(why);
    }
  }

  get #surroundings(): Parameters<typeof groundsOf>[1] {
    return { targets: 1, ownLocations: this.sharedLocations === false, found: this.#found };
  }

  /** Whether a working server at which the phone is not registered leads calls to it all the same. */
  async #areLocationsShared(subject: DrillPhone): Promise<boolean | undefined> {
    const here = new Set([...this.#targets.keys()].filter((one) => holds(subject.account, one)));
    const other = this.grounds.servers.find(
      ({ spec }) => spec.role === "working" && !here.has(spec.address),
    );
    const caller = other === undefined ? undefined : this.#caller(other);
    if (other === undefined || caller === undefined) return undefined;
    try {
      return await reaches(caller, subject, this.#aorAt(other), this.settings.signal);
    } finally {
      await caller.stop();
    }
  }

  #aorAt({ server }: GroundServer): string {
    const { account } = this.settings;
    const policy = account.redundancy.servers[server - 1];
    if (policy === undefined) throw new Error(`there is no server ${server}`);
    return `sip:${account.user}@${domainOf(account, policy)}`;
  }

  #scene(
    victims: readonly GroundServer[],
    fault: CutFault,
    foretold: Prediction | undefined,
  ): Parameters<typeof measure>[0] {
    const { settings, grounds } = this;
    const { patienceMs, signal } = settings;
    const lives = (one: GroundServer): boolean => !victims.includes(one);
    const living = askedServer(settings.account, grounds.servers, lives);
    const aor = this.#aorAt(living ?? (victims[0] as GroundServer));
    return {
      ...{ victims, fault, aor, patienceMs, signal, to: settings.to ?? aor },
      awaitsReturn: foretold === undefined || foretold.back.median <= patienceMs,
      subject: () => registered(settings, this.#port),
      caller: () => (living === undefined ? undefined : this.#caller(living)),
    };
  }

  #caller({ server, spec }: GroundServer): DrillPhone | undefined {
    const { settings } = this;
    const policy = settings.account.redundancy.servers[server - 1];
    const target = this.#targets.get(spec.address);
    if (policy === undefined || target === undefined) return undefined;
    const account = callerAt(settings.caller, policy, target);
    const instance = `${settings.instance.slice(0, -1)}0`;
    return new DrillPhone({ ...settings, node: "caller", account, instance, port: 0 });
  }

  #isMeant(servers: readonly GroundServer[]): boolean {
    const { cuts } = this.settings;
    return cuts.length === 0 || cuts.some((cut) => isCut(servers, cut));
  }

  #means(cut: string): boolean {
    return this.victims.some(({ servers }) => isCut(servers, cut));
  }

  #names(): string[] {
    const { servers } = this.grounds;
    return [...new Set(servers.flatMap(({ server, spec }) => [String(server), spec.address]))];
  }
}

/** Whether a number or an address means these servers, and no other. */
function isCut(servers: readonly GroundServer[], cut: string): boolean {
  if (/^\d+$/.test(cut)) return servers.every(({ server }) => server === Number(cut));
  return servers.length === 1 && servers[0]?.spec.address === cut;
}

/** The account with the lifetimes that its servers really grant. */
function asGranted(account: AccountPolicy, grants: ReadonlyMap<number, number>): AccountPolicy {
  const servers = account.redundancy.servers.map((server, at) => {
    const granted = grants.get(at + 1);
    return granted === undefined ? server : { ...server, expiresSeconds: granted };
  });
  return { ...account, redundancy: { ...account.redundancy, servers } };
}

/** @throws DrillFailure if it does not come to a registration. */
async function registered(settings: DrillSettings, port: number): Promise<DrillPhone> {
  const { patienceMs, signal } = settings;
  const subject = new DrillPhone({ ...settings, port, node: "phone" });
  const none = new Set<string>();
  const isOver = (): boolean =>
    subject.failure !== undefined || isRegistered(subject.account, none);
  await subject.until(isOver, patienceMs, signal);
  if (isRegistered(subject.account, none)) return subject;
  await subject.stop();
  if (subject.failure !== undefined) {
    throw new DrillFailure(
      EXIT.missing,
      `udp:${settings.bind}:${port}: ${whyUnbound(subject.failure)}; name another with --bind`,
    );
  }
  const why = signal.aborted ? "it was broken off" : `not within ${patienceMs / 1000} s`;
  throw new DrillFailure(
    EXIT.failed,
    `the phone is registered nowhere (${why}), so there is nothing to lose`,
  );
}

function figuresOf(
  measured: Measured,
  foretold: Prediction | undefined,
  { patienceMs, limitMs }: DrillSettings,
): Figure[] {
  const all: [Figure["key"], number | undefined, Spread | undefined][] = [
    ["firstCall", measured.firstCallMs, foretold?.firstCall],
    ["nextCall", measured.nextCallMs, foretold?.nextCall],
    ["registered", measured.registeredMs, foretold?.registered],
    ["unreachable", measured.unreachableMs, foretold?.unreachable],
    ["back", measured.backMs, foretold?.back],
  ];
  return all.flatMap(([key, measuredMs, spread]) => {
    if (measuredMs === undefined) return [];
    const tooLong = OUTAGES.has(key) && measuredMs > limitMs;
    return {
      key,
      measuredMs,
      foretold: spread,
      agrees: agree(measuredMs, spread, patienceMs),
      tooLong,
    };
  });
}

/** What has not come within the patience may still come in the time foretold. */
function agree(
  measuredMs: number,
  spread: Spread | undefined,
  patienceMs: number,
): boolean | undefined {
  if (spread === undefined) return undefined;
  if (Number.isFinite(measuredMs)) return measuredMs <= spread.worst + TOLERANCE_MS;
  return spread.worst + TOLERANCE_MS > patienceMs ? undefined : false;
}
