/** What is to happen in virtual time, earliest first; equal instants in the order they were put in. */
import { type Instant, NEVER } from "../../core/machine.ts";

interface Entry {
  readonly due: Instant;
  readonly order: number;
  readonly happen: () => void;
}

export class EventQueue {
  readonly #heap: Entry[] = [];
  #order = 0;

  get next(): Instant {
    return this.#heap[0]?.due ?? NEVER;
  }

  put(due: Instant, happen: () => void): void {
    this.#order += 1;
    const entry: Entry = { due, order: this.#order, happen };
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Entry;
      if (before(above, entry)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  /** Takes the first event out; undefined if there is none. */
  take(): (() => void) | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return undefined;
    if (heap.length > 0) this.#sink(last);
    return first.happen;
  }

  #sink(entry: Entry): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Entry, heap[child] as Entry))
        child += 1;
      const below = heap[child] as Entry;
      if (!before(below, entry)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = entry;
  }
}

function before(one: Entry, other: Entry): boolean {
  return one.due < other.due || (one.due === other.due && one.order < other.order);
}
