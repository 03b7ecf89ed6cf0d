/**
 * One failure of the server that a phone should use, met on real sockets: two phones that know the same provisioning
 * files, one that calls and one that is let be, while somebody asks for the second at a server that lives. What is
 * measured is what `dialtone explain` foretells.
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  ASK_GROWTH,
  ASKED_MS,
  BETWEEN_MS,
  DIALLED_MS,
  type FaultName,
  FIRST_ASK_MS,
  TALK_MS,
} from "../explain/rehearsal.ts";
import type { ServerFault } from "../scenario/scenario.ts";
import { Crew, type CrewCase, FRIEND } from "./crew.ts";

/** Milliseconds; Infinity: not within the time there was; undefined: nobody waited for it. */
export interface Measured {
  readonly firstCall: number | undefined;
  readonly nextCall: number | undefined;
  readonly registered: number | undefined;
  readonly unreachable: number | undefined;
  readonly back: number | undefined;
}

/** How long to wait for each figure, milliseconds; undefined: not at all. */
export type Limits = Measured;

/** Milliseconds since the failure: a process that starts again serves from some instant before it says so. */
export interface Absence {
  readonly leastMs: number;
  readonly worstMs: number;
  /** The phone was seen registered elsewhere before the end of it. */
  readonly moved: boolean;
}

export interface Tried extends Measured {
  readonly away: Absence;
}

export interface TrialCase extends CrewCase {
  readonly fault: FaultName;
  readonly limits: Limits;
  /** Over a connection the failure waits so long for the first keep-alive: who never answered one owes none. */
  readonly settleMs: number;
}

const DEEDS: Readonly<Record<FaultName, ServerFault>> = {
  closed: { kind: "kill" },
  silent: { kind: "freeze" },
  "503": { kind: "answer-503", retryAfterSeconds: undefined },
};

/** @throws StageFault when the phones do not even register while all is well. */
export async function tryOut(one: TrialCase): Promise<Tried> {
  const { stage, victim, fault, limits, settleMs } = one;
  const crew = await Crew.gather(one);
  try {
    await crew.start();
    if (crew.idle.overConnection) await sleep(settleMs);
    const struckAt = performance.now();
    await stage.disturbServer(victim.node, DEEDS[fault]);
    const [registered, unreachable, delays] = await Promise.all([
      untilRegistered(crew, struckAt, limits.registered),
      untilReached(crew, struckAt, limits.unreachable),
      callDelays(crew, limits.firstCall, limits.nextCall),
    ]);
    const leastMs = performance.now() - struckAt;
    // A process that starts again takes its time: it is back when it says so.
    await stage.disturbServer(victim.node, { kind: fault === "503" ? "heal" : "revive" });
    const revivedAt = performance.now();
    const back =
      limits.back === undefined ? undefined : await untilHome(crew, revivedAt, limits.back);
    const moved = registered !== undefined && Number.isFinite(registered);
    const away = { leastMs, worstMs: revivedAt - struckAt, moved };
    return { ...delays, registered, unreachable, back, away };
  } finally {
    await crew.stop();
  }
}

async function untilRegistered(
  { idle, victimAddress }: Crew,
  struckAt: number,
  limit: number | undefined,
): Promise<number | undefined> {
  if (limit === undefined) return undefined;
  return await idle.until(() => idle.registeredBeside(victimAddress), struckAt, limit);
}

/** Nobody's patience is endless, but a phone that is home already needs none. */
async function untilHome({ idle }: Crew, revivedAt: number, limit: number): Promise<number> {
  return await idle.until(() => idle.home, revivedAt, limit);
}

/** Asks more and more rarely, and after each registration; an answer counts from when it was asked for. */
async function untilReached(
  crew: Crew,
  struckAt: number,
  limit: number | undefined,
): Promise<number | undefined> {
  if (limit === undefined) return undefined;
  return await new Promise((done) => {
    let waitMs = FIRST_ASK_MS;
    let first = true;
    const end = (tookMs: number): void => {
      clearTimeout(next);
      clearTimeout(last);
      stop();
      done(tookMs);
    };
    const ask = async (): Promise<void> => {
      const tookMs = first ? 0 : performance.now() - struckAt;
      first = false;
      if (await crew.reached(AbortSignal.timeout(ASKED_MS))) end(tookMs);
    };
    const again = (): void => {
      void ask();
      waitMs *= ASK_GROWTH;
      next = setTimeout(again, waitMs);
    };
    let next = setTimeout(again, waitMs);
    const last = setTimeout(() => end(Number.POSITIVE_INFINITY), limit);
    const stop = crew.idle.listen(({ event }) => {
      if (event === "registration.accepted" && !first) void ask();
    });
  });
}

async function callDelays(
  crew: Crew,
  firstLimit: number | undefined,
  nextLimit: number | undefined,
): Promise<Pick<Measured, "firstCall" | "nextCall">> {
  if (firstLimit === undefined) return { firstCall: undefined, nextCall: undefined };
  await sleep(DIALLED_MS);
  const firstCall = await callDelay(crew, firstLimit);
  if (nextLimit === undefined) return { firstCall, nextCall: undefined };
  await sleep(BETWEEN_MS);
  return { firstCall, nextCall: await callDelay(crew, nextLimit) };
}

/** From dialling to the answer. */
async function callDelay({ caller, account }: Crew, limit: number): Promise<number> {
  const dialledAt = performance.now();
  const call = caller.call(FRIEND, { account });
  const late = setTimeout(() => void call.hangup(), limit);
  const tookMs = await call.answered.then(
    () => performance.now() - dialledAt,
    () => Number.POSITIVE_INFINITY,
  );
  clearTimeout(late);
  if (Number.isFinite(tookMs)) {
    await sleep(TALK_MS);
    void call.hangup();
  }
  await sleep(TALK_MS);
  return tookMs;
}
