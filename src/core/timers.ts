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
  due: Instant = NEVER;
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

/** All timers of a machine, soonest first. */
export class Timers {
  readonly #heap: Timer[] = [];
  #order = 0;

  get deadline(): Instant {
    return this.#heap[0]?.due ?? NEVER;
  }

  /** Pending timers: 0 after everything has stopped. */
  get size(): number {
    return this.#heap.length;
  }

  set(timer: Timer, due: Instant): void {
    timer.due = due;
    timer.order = ++this.#order;
    if (timer.index < 0) {
      timer.index = this.#heap.length;
      this.#heap.push(timer);
      this.#rise(timer.index);
    } else {
      this.#sink(this.#rise(timer.index));
    }
  }

  silence(timer: Timer): void {
    const index = timer.index;
    if (index < 0) return;
    const last = this.#heap.pop() as Timer;
    timer.index = -1;
    timer.due = NEVER;
    if (last === timer) return;
    this.#heap[index] = last;
    last.index = index;
    this.#sink(this.#rise(index));
  }

  /** Rings every timer that is due at `now`, earliest first; owners may set and silence timers meanwhile. */
  elapsed(now: Instant): void {
    for (
      let first = this.#heap[0];
      first !== undefined && first.due <= now;
      first = this.#heap[0]
    ) {
      this.silence(first);
      first.owner.rang(now, first);
    }
  }

  #before(a: Timer, b: Timer): boolean {
    return a.due < b.due || (a.due === b.due && a.order < b.order);
  }

  #rise(start: number): number {
    const heap = this.#heap;
    const timer = heap[start] as Timer;
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Timer;
      if (!this.#before(timer, above)) break;
      heap[index] = above;
      above.index = index;
      index = parent;
    }
    heap[index] = timer;
    timer.index = index;
    return index;
  }

  #sink(start: number): void {
    const heap = this.#heap;
    const timer = heap[start] as Timer;
    let index = start;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#before(heap[child + 1] as Timer, heap[child] as Timer)) {
        child += 1;
      }
      const below = heap[child] as Timer;
      if (!this.#before(below, timer)) break;
      heap[index] = below;
      below.index = index;
      index = child;
    }
    heap[index] = timer;
    timer.index = index;
  }
}
