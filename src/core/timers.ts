/**
 * All the timers of a machine in one binary heap that knows where each timer stands, so that
 * moving or silencing one is O(log n). A Timer is an object that its owner keeps for life: a phone
 * at rest costs its objects and no heap of its own.
 */
import { type Instant, NEVER } from "./machine.ts";

/** Told when one of its timers has run out. */
export interface TimerOwner {
  rang(now: Instant, timer: Timer): void;
}

/** An object that its owner keeps for life and sets again and again. */
export class Timer {
  /** The RFC letter or a short noun; shown in ladders. */
  readonly name: string;
  readonly owner: TimerOwner;
  /** Position in the heap, -1 when silent. */
  index = -1;
  /** Order of setting, so that equal instants ring in the order they were set. */
  order = 0;

  constructor(name: string, owner: TimerOwner) {
    this.name = name;
    this.owner = owner;
  }

  get pending(): boolean {
    return this.index >= 0;
  }
}

const FIRST_ROOM = 64;

/** All timers of a machine, soonest first. */
export class Timers {
  readonly #heap: Timer[] = [];
  /** When each timer of the heap is due: beside it, so that finding a place touches no timer but at equal instants. */
  #due = new Float64Array(FIRST_ROOM);
  #order = 0;

  get deadline(): Instant {
    return this.#heap.length === 0 ? NEVER : (this.#due[0] as Instant);
  }

  /** Pending timers: 0 after everything has stopped. */
  get size(): number {
    return this.#heap.length;
  }

  /** When a timer rings; NEVER if it is silent. */
  dueOf(timer: Timer): Instant {
    return timer.index < 0 ? NEVER : (this.#due[timer.index] as Instant);
  }

  set(timer: Timer, due: Instant): void {
    timer.order = ++this.#order;
    if (timer.index < 0) {
      const index = this.#heap.length;
      this.#heap.push(timer);
      if (index >= this.#due.length) this.#grow();
      this.#rise(index, timer, due);
    } else {
      this.#settle(timer.index, timer, due);
    }
  }

  silence(timer: Timer): void {
    const index = timer.index;
    if (index < 0) return;
    const last = this.#heap.pop() as Timer;
    timer.index = -1;
    if (last !== timer) this.#settle(index, last, this.#due[this.#heap.length] as Instant);
  }

  /** Rings every timer that is due at `now`, earliest first; owners may set and silence timers meanwhile. */
  elapsed(now: Instant): void {
    while (this.deadline <= now) {
      const first = this.#heap[0];
      if (first === undefined) return;
      this.silence(first);
      first.owner.rang(now, first);
    }
  }

  #grow(): void {
    const due = new Float64Array(2 * this.#due.length);
    due.set(this.#due);
    this.#due = due;
  }

  /** Puts a timer where it belongs, starting from a place that is free or its own. */
  #settle(index: number, timer: Timer, due: Instant): void {
    if (this.#rise(index, timer, due) === index) this.#sink(index, timer, due);
  }

  #isBefore(due: Instant, timer: Timer, index: number): boolean {
    const other = this.#due[index] as Instant;
    return due < other || (due === other && timer.order < (this.#heap[index] as Timer).order);
  }

  /** @returns where the timer stands now. */
  #rise(start: number, timer: Timer, due: Instant): number {
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#isBefore(due, timer, parent)) break;
      this.#place(index, this.#heap[parent] as Timer, this.#due[parent] as Instant);
      index = parent;
    }
    this.#place(index, timer, due);
    return index;
  }

  #sink(start: number, timer: Timer, due: Instant): void {
    const { length } = this.#heap;
    let index = start;
    for (let child = 2 * index + 1; child < length; child = 2 * index + 1) {
      const right = child + 1;
      const first =
        right < length &&
        this.#isBefore(this.#due[right] as Instant, this.#heap[right] as Timer, child)
          ? right
          : child;
      if (this.#isBefore(due, timer, first)) break;
      this.#place(index, this.#heap[first] as Timer, this.#due[first] as Instant);
      index = first;
    }
    this.#place(index, timer, due);
  }

  #place(index: number, timer: Timer, due: Instant): void {
    this.#heap[index] = timer;
    this.#due[index] = due;
    timer.index = index;
  }
}
