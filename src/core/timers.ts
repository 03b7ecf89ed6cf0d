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
  /** Its number while it is pending, -1 when silent. */
  slot = -1;

  constructor(name: string, owner: TimerOwner) {
    this.name = name;
    this.owner = owner;
  }

  get pending(): boolean {
    return this.slot >= 0;
  }
}

const FIRST_ROOM = 64;

/** All timers of a machine, soonest first. In the heap numbers move: no timer is touched but the one in hand. */
export class Timers {
  /** The heap: slots, soonest first, and beside each when it is due. Behind its end stand the slots that are free. */
  #heap = numbered(new Int32Array(FIRST_ROOM), 0);
  #due = new Float64Array(FIRST_ROOM);
  #size = 0;
  /** By slot: whose it is, where it stands in the heap, and when it was set, so that equals ring in that order. */
  readonly #timers: (Timer | undefined)[] = [];
  #positions = new Int32Array(FIRST_ROOM);
  #orders = new Float64Array(FIRST_ROOM);
  #order = 0;

  get deadline(): Instant {
    return this.#size === 0 ? NEVER : (this.#due[0] as Instant);
  }

  /** Pending timers: 0 after everything has stopped. */
  get size(): number {
    return this.#size;
  }

  /** When a timer rings; NEVER if it is silent. */
  dueOf({ slot }: Timer): Instant {
    return slot < 0 ? NEVER : (this.#due[this.#positions[slot] as number] as Instant);
  }

  set(timer: Timer, due: Instant): void {
    this.#order += 1;
    const { slot } = timer;
    if (slot < 0) {
      this.#add(timer, due);
      return;
    }
    this.#orders[slot] = this.#order;
    this.#settle(this.#positions[slot] as number, slot, due);
  }

  silence(timer: Timer): void {
    const { slot } = timer;
    if (slot < 0) return;
    timer.slot = -1;
    this.#timers[slot] = undefined;
    this.#size -= 1;
    const last = this.#heap[this.#size] as number;
    this.#heap[this.#size] = slot;
    if (last === slot) return;
    this.#settle(this.#positions[slot] as number, last, this.#due[this.#size] as Instant);
  }

  /** Rings every timer that is due at `now`, earliest first; owners may set and silence timers meanwhile. */
  elapsed(now: Instant): void {
    while (this.deadline <= now) {
      const first = this.#timers[this.#heap[0] as number];
      if (first === undefined) return;
      this.silence(first);
      first.owner.rang(now, first);
    }
  }

  #add(timer: Timer, due: Instant): void {
    if (this.#size === this.#heap.length) this.#grow();
    const index = this.#size;
    this.#size += 1;
    const slot = this.#heap[index] as number;
    timer.slot = slot;
    if (slot === this.#timers.length) this.#timers.push(timer);
    else this.#timers[slot] = timer;
    this.#orders[slot] = this.#order;
    this.#rise(index, slot, due);
  }

  /** By a quarter: a fleet has millions. */
  #grow(): void {
    const room = this.#heap.length;
    const more = room + (room >> 2);
    const [heap, due] = [new Int32Array(more), new Float64Array(more)];
    const [positions, orders] = [new Int32Array(more), new Float64Array(more)];
    heap.set(this.#heap);
    due.set(this.#due);
    positions.set(this.#positions);
    orders.set(this.#orders);
    this.#heap = numbered(heap, room);
    this.#due = due;
    this.#positions = positions;
    this.#orders = orders;
  }

  /** Puts a slot where it belongs, starting from a place that is free or its own. */
  #settle(index: number, slot: number, due: Instant): void {
    if (this.#rise(index, slot, due) === index) this.#sink(index, slot, due);
  }

  #isBefore(due: Instant, slot: number, index: number): boolean {
    const other = this.#due[index] as Instant;
    if (due !== other) return due < other;
    return (this.#orders[slot] as number) < (this.#orders[this.#heap[index] as number] as number);
  }

  /** @returns where the slot stands now. */
  #rise(start: number, slot: number, due: Instant): number {
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#isBefore(due, slot, parent)) break;
      this.#place(index, this.#heap[parent] as number, this.#due[parent] as Instant);
      index = parent;
    }
    this.#place(index, slot, due);
    return index;
  }

  #sink(start: number, slot: number, due: Instant): void {
    const length = this.#size;
    let index = start;
    for (let child = 2 * index + 1; child < length; child = 2 * index + 1) {
      const right = child + 1;
      const first = right < length && this.#isFirst(right, child) ? right : child;
      if (this.#isBefore(due, slot, first)) break;
      this.#place(index, this.#heap[first] as number, this.#due[first] as Instant);
      index = first;
    }
    this.#place(index, slot, due);
  }

  #isFirst(one: number, other: number): boolean {
    return this.#isBefore(this.#due[one] as Instant, this.#heap[one] as number, other);
  }

  #place(index: number, slot: number, due: Instant): void {
    this.#heap[index] = slot;
    this.#due[index] = due;
    this.#positions[slot] = index;
  }
}

/** From an index on each place holds its own number. */
function numbered(slots: Int32Array<ArrayBuffer>, from: number): Int32Array<ArrayBuffer> {
  for (let index = from; index < slots.length; index += 1) slots[index] = index;
  return slots;
}
