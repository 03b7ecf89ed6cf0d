/** What every store promises the machines that ask it, and the pages that list it. */
import type { StoreAnswer, StoreRead, StoreWrite } from "../../../core/vocabulary.ts";

export type StoreQuestion = StoreRead | StoreWrite;

export type Answered = (answer: StoreAnswer) => void;

/** Seconds since the epoch, to the fraction. */
export type EpochClock = () => number;

export function machineClock(): number {
  return Date.now() / 1000;
}

export interface StoredEntry {
  readonly key: string;
  readonly value: string;
  readonly version: number;
}

/**
 * Keys and values are latin1 text: one character, one byte. The versions of a key only ever rise, also over a removal,
 * so that a slow writer cannot mistake a new entry for the one it read. A removal is answered `written`, version 0.
 */
export interface Store {
  /** The clock that its entries run out by: seconds since the epoch. */
  readonly epochSeconds: EpochClock;
  /** Answers exactly once, perhaps before it returns; `unavailable` rather than never. */
  ask(question: StoreQuestion, answered: Answered): void;
  /** The answer, where it needs no waiting; undefined: nothing has been done, and `ask` will. */
  atOnce?(question: StoreQuestion): StoreAnswer | undefined;
  /** The entries whose key begins with `prefix`, in no promised order, each as it is when reached. */
  scan(prefix: string): AsyncIterable<StoredEntry>;
  close(): Promise<void>;
}
