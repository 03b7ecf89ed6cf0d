/**
 * Whether the machine let the lab's processes run when they had something to do. Times measured while it did not say
 * more about the machine than about phones and servers.
 */
import { stolenMs, waitedMs } from "../processor-time.ts";

/** What was withheld from the lab's processes in one second, milliseconds. */
export interface Withheld {
  /** They were ready to run and had no processor, all together. */
  readonly waited: number;
  /** The hypervisor gave processors to other machines, all together. */
  readonly stolen: number;
  /** This process was called so much later than it had asked for, whatever the reason. */
  readonly late: number;
}

/** A second in which so much was withheld is one in which nobody can be judged by the clock, milliseconds. */
const MOST_MS = 100;
const SECOND_MS = 1000;

/** What a system tells of itself. */
export interface Machine {
  /** Milliseconds that only ever grow. */
  now(): number;
  /** For how long each process of the lab has waited for a processor so far, milliseconds. */
  waited(): ReadonlyMap<number, number>;
  /** For how long others have had its processors so far, milliseconds. */
  stolen(): number;
}

const THIS_MACHINE: Machine = {
  now: () => performance.now(),
  waited: () => waitedMs(process.pid),
  stolen: stolenMs,
};

export class MachineWatch {
  readonly #machine: Machine;
  #waited: ReadonlyMap<number, number> = new Map();
  /** Those that were there a look ago; a program that is only just being started keeps a processor busy itself. */
  #settled: ReadonlySet<number> = new Set();
  #stolen: number;
  #looked: number;
  #worst: Withheld = { waited: 0, stolen: 0, late: 0 };
  readonly #timer: NodeJS.Timeout;

  constructor(machine: Machine = THIS_MACHINE) {
    this.#machine = machine;
    this.#stolen = machine.stolen();
    this.#looked = machine.now();
    this.#timer = setInterval(() => this.#look(), SECOND_MS);
  }

  /** Ends the watch. @returns its worst second; undefined when the machine was there for the lab all the time. */
  end(): Withheld | undefined {
    clearInterval(this.#timer);
    this.#look();
    return amount(this.#worst) < MOST_MS ? undefined : this.#worst;
  }

  #look(): void {
    const machine = this.#machine;
    const [now, waited, stolen] = [machine.now(), machine.waited(), machine.stolen()];
    let waits = 0;
    for (const [pid, ms] of waited) {
      if (this.#settled.has(pid)) waits += ms - (this.#waited.get(pid) ?? ms);
    }
    const late = Math.max(0, now - this.#looked - SECOND_MS);
    const second = { waited: waits, stolen: stolen - this.#stolen, late };
    if (amount(second) > amount(this.#worst)) this.#worst = second;
    this.#settled = new Set(this.#waited.keys());
    this.#waited = waited;
    this.#stolen = stolen;
    this.#looked = now;
  }
}

/** Resolves also with what was withheld meanwhile. */
export async function watched<Result>(
  attempt: () => Promise<Result>,
  watchMachine: () => Pick<MachineWatch, "end"> = () => new MachineWatch(),
): Promise<readonly [Result, Withheld | undefined]> {
  const machine = watchMachine();
  let withheld: Withheld | undefined;
  const result = await attempt().finally(() => {
    withheld = machine.end();
  });
  return [result, withheld];
}

/** Something is tried so many times at most until the machine lets it be judged. */
export const MOST_TRIES = 3;

/**
 * Resolves with the first that is good, or came to be what it is while the machine was there for the lab, or is the
 * last of `MOST_TRIES`.
 * @param spoilt told of each that is tried again.
 */
export async function triedUntilFair<Result>(
  attempt: () => Promise<Result>,
  good: (result: Result) => boolean,
  spoilt: (result: Result, withheld: Withheld) => void,
  watchMachine?: () => Pick<MachineWatch, "end">,
): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    const [result, withheld] = await watched(attempt, watchMachine);
    if (good(result) || withheld === undefined || tries === MOST_TRIES) return result;
    spoilt(result, withheld);
  }
}

/** `waited 0.28 s for a processor …`, for people. */
export function withheldText({ waited, stolen, late }: Withheld): string {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
  if (late > waited + stolen) return `the machine stood still for ${seconds(late)}`;
  const other = stolen === 0 ? "" : `, and others than this machine had ${seconds(stolen)} of them`;
  return `its processes waited ${seconds(waited)} for processors within one second${other}`;
}

/** Who is late has mostly waited: it does not count twice. */
function amount({ waited, stolen, late }: Withheld): number {
  return Math.max(waited + stolen, late);
}
