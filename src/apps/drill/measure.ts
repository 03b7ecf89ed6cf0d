/**
 * One failure of a drill, measured: the same figures as `explain` foretells, taken in the same way
 * (explain/rehearsal.ts), on real sockets.
 */
import type { Account } from "../../core/phone/account.ts";
import type { GroundServer } from "../explain/grounds.ts";
import { isHome } from "../explain/home.ts";
import { Asker } from "./asker.ts";
import type { CutFault, DrillPhone } from "./drill-phone.ts";

/** Somebody dials so long after the failure, and again so long after the first call has ended, milliseconds. */
const DIALLED_MS = 500;
const BETWEEN_MS = 5000;
const TALK_MS = 500;
/** The phone stays as it is for so long, so that whoever measures beside, once a second, sees it too, milliseconds. */
const SEEN_MS = 1500;
/** A first call that reaches the phone so soon after the failure has met none. */
const FIRST_ASK_MS = 250;

/** Milliseconds; Infinity: not within the patience. */
export interface Measured {
  readonly firstCallMs: number;
  readonly nextCallMs: number;
  readonly registeredMs: number;
  /** Undefined: nobody could ask, as no server was left. */
  readonly unreachableMs: number | undefined;
  readonly backMs: number;
}

export interface Scene {
  readonly victims: readonly GroundServer[];
  readonly fault: CutFault;
  /** Whom the phone calls. */
  readonly to: string;
  /** The address-of-record of the phone. */
  readonly aor: string;
  readonly patienceMs: number;
  /** False: the return of the server is not waited for, as it takes longer than the patience anyway. */
  readonly awaitsReturn: boolean;
  readonly signal: AbortSignal;
  /** A phone that is registered as it should be while all is well. */
  subject(): Promise<DrillPhone>;
  /** Who calls it where people do; undefined: no server lives. */
  caller(): DrillPhone | undefined;
}

/** Two lives of the phone: in the first nobody calls out, in the second somebody does. */
export async function measure(scene: Scene): Promise<Measured> {
  const { registeredMs, unreachableMs, backMs } = await idle(scene);
  const { firstCallMs, nextCallMs } = await calling(scene);
  return { firstCallMs, nextCallMs, registeredMs, unreachableMs, backMs };
}

/** Registered at a server that is not cut off. */
export function isRegistered(account: Account, dead: ReadonlySet<string>): boolean {
  return registeredAt(account).some((address) => !dead.has(address));
}

/** Registered at that address. */
export function holds(account: Account, address: string): boolean {
  return registeredAt(account).includes(address);
}

function registeredAt(account: Account): string[] {
  return account.servers.routes.flatMap((route) => {
    const registration = account.registration(route.index);
    const bound = registration?.bound(performance.now()) === true;
    return (bound ? registration.place?.target.address : undefined) ?? [];
  });
}

async function idle(scene: Scene): Promise<Omit<Measured, "firstCallMs" | "nextCallMs">> {
  const { fault, patienceMs, signal, aor } = scene;
  const dead = deadIn(scene);
  const subject = await scene.subject();
  const caller = scene.caller();
  try {
    const started = performance.now();
    subject.cut(dead, fault);
    const asker = caller === undefined ? undefined : new Asker(caller, subject, aor);
    asker?.start();
    const isReached = (): boolean => asker === undefined || Number.isFinite(asker.reachedAt);
    const registered = subject.until(() => isRegistered(subject.account, dead), patienceMs, signal);
    const both = await Promise.all([registered, caller?.until(isReached, patienceMs, signal)]);
    asker?.stop();
    await passed(subject, SEEN_MS, scene);
    const lastedMs = asker === undefined ? undefined : asker.reachedAt - started;
    subject.restore();
    const back = (): boolean => isHome(subject.account);
    const backMs = await subject.until(back, scene.awaitsReturn ? patienceMs : 0, signal);
    return {
      registeredMs: both[0],
      unreachableMs: lastedMs === undefined || lastedMs > FIRST_ASK_MS ? lastedMs : 0,
      backMs,
    };
  } finally {
    await Promise.all([subject.stop(), caller?.stop()]);
  }
}

async function calling(scene: Scene): Promise<Pick<Measured, "firstCallMs" | "nextCallMs">> {
  const subject = await scene.subject();
  try {
    subject.cut(deadIn(scene), scene.fault);
    await passed(subject, DIALLED_MS, scene);
    const firstCallMs = await callTook(subject, scene);
    await passed(subject, BETWEEN_MS, scene);
    const nextCallMs = await callTook(subject, scene);
    return { firstCallMs, nextCallMs };
  } finally {
    await subject.stop();
  }
}

/** From dialling until somebody answers, or refuses: a server that has died does neither. */
async function callTook(subject: DrillPhone, scene: Scene): Promise<number> {
  const call = subject.call(scene.to);
  if (call === undefined) return Number.POSITIVE_INFINITY;
  const settled = (): boolean => call.state === "confirmed" || call.state === "terminated";
  const tookMs = await subject.until(settled, scene.patienceMs, scene.signal);
  const served = subject.isServed(call);
  if (call.state === "confirmed") await passed(subject, TALK_MS, scene);
  if (call.state !== "terminated") subject.hangUp(call);
  return served ? tookMs : Number.POSITIVE_INFINITY;
}

/** So much time passes, unless the drill is broken off. */
async function passed(subject: DrillPhone, ms: number, { signal }: Scene): Promise<void> {
  if (!signal.aborted) await subject.until(() => false, ms, signal);
}

function deadIn({ victims }: Scene): ReadonlySet<string> {
  return new Set(victims.map(({ spec }) => spec.address));
}
