/**
 * Where a scenario is played: real processes on loopback addresses, or the simulator. Time is the stage's own;
 * a virtual stage moves its clock inside `pass` and answers with promises that are already kept. Whatever is done
 * resolves with the instant at which it took effect, on the clock of the process that it befell: a runner that is
 * late must not be taken for a phone that is.
 */
import type { TraceRecord } from "../trace/record.ts";
import type {
  DnsFault,
  Ends,
  Fate,
  PhoneCommand,
  ServerFault,
  Topology,
  WayFault,
} from "./scenario.ts";

export interface Stage {
  /** Everything seen so far, in the order it came to light. */
  readonly records: readonly TraceRecord[];
  /** Milliseconds since the stage was opened. */
  now(): number;
  /** Adds a record of the runner's own. */
  note(record: TraceRecord): void;
  /**
   * Names every place (`place.named {name, address, port}`), starts the resolver and the servers that are up.
   * @throws StageFault when an address, a port or a program cannot be had.
   */
  open(topology: Topology): Promise<void>;
  startServer(name: string): Promise<number>;
  startPhone(name: string): Promise<number>;
  /** In order: the phone unregisters first. */
  stopPhone(name: string): Promise<number>;
  /** @throws StageFault when it will not. */
  disturbServer(name: string, fault: ServerFault): Promise<number>;
  /** @throws StageFault where nobody can do that to a phone. */
  disturbPhone(name: string, fate: Fate): Promise<number>;
  /** @throws StageFault where the two cannot be told apart, or nothing can stand between them. */
  disturbWay(ends: Ends, fault: WayFault): Promise<number>;
  disturbDns(fault: DnsFault): Promise<number>;
  /** @throws StageFault when it will not. */
  commandPhone(name: string, command: PhoneCommand): Promise<number>;
  /**
   * Lets time pass until `until`, or until something is recorded.
   * Called again and again by whoever looks for something.
   */
  pass(until: number): Promise<void>;
  /** Ends everything and notes `stage.closed {left}`: what could not be ended. Never throws. */
  close(): Promise<void>;
}

/** A stage cannot be had: the lab ends with exit 3 and names what is missing. */
export class StageFault extends Error {
  override readonly name = "StageFault";
}

const MICROSECOND_MS = 0.001;

/** Stages tell the time to a microsecond, and a sum of such times may be a bit more than that. */
export function hasReached(stage: Stage, instant: number): boolean {
  return stage.now() > instant - MICROSECOND_MS;
}
