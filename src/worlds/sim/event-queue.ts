/** What is to happen in virtual time, earliest first; equal instants in the order they were put in. */
import { type Instant, NEVER } from "../../core/machine.ts";

type Happening = () => void;

const FIRST_ROOM = 1024;

/** A binary heap in three arrays side by side: most comparisons touch numbers only. */
export class EventQueue {
  readonly #happenings: Happening[] = [];
  #due = new Float64Array(FIRST_ROOM);
  #orders = new Float64Array(FIRST_ROOM);
  #order = 0;

  get next(): Instant {
    return this.#happenings.length === 0 ? NEVER : (this.#due[0] as Instant);
  }

  put(due: Instant, happen: Happening): void {
    this.#order += 1;
    let index = this.#happenings.length;
    this.#happenings.push(happen);
    if (index >= this.#due.length) this.#grow();
    while (index > 0) {
      const parent = (index - 1) >> 1;
      // Put in later, so that of equals the one above comes first.
      if ((this.#due[parent] as Instant) <= due) break;
      this.#move(parent, index);
      index = parent;
    }
    this.#place(index, due, this.#order, happen);
  }

  /** Takes the first event out; undefined if there is none. */
  take(): Happening | undefined {
    const first = this.#happenings[0];
    const last = this.#happenings.pop();
    if (first === undefined || last === undefined) return undefined;
    const { length } = this.#happenings;
    if (length > 0) {
      this.#sink(this.#due[length] as Instant, this.#orders[length] as number, last);
    }
    return first;
  }

  #sink(due: Instant, order: number, happen: Happening): void {
    const { length } = this.#happenings;
    let index = 0;
    for (let child = 1; child < length; child = 2 * index + 1) {
      const right = child + 1;
      const earliest = right < length && this.#isBefore(right, child) ? right : child;
      const other = this.#due[earliest] as Instant;
      if (due < other || (due === other && order < (this.#orders[earliest] as number))) break;
      this.#move(earliest, index);
      index = earliest;
    }
    this.#place(index, due, order, happen);
  }

  #isBefore(one: number, other: number): boolean {
    const due = this.#due[one] as Instant;
    const than = this.#due[other] as Instant;
    if (due !== than) return due < than;
    return (this.#orders[one] as number) < (this.#orders[other] as number);
  }

  #move(from: number, to: number): void {
    this.#place(
      to,
      this.#due[from] as Instant,
      this.#orders[from] as number,
      this.#happenings[from] as Happening,
    );
  }

  #place(index: number, due: Instant, order: number, happen: Happening): void {
    this.#due[index] = due;
    this.#orders[index] = order;
    this.#happenings[index] = happen;
  }

  #grow(): void {
    this.#due = doubled(this.#due);
    this.#orders = doubled(this.#orders);
  }
}

function doubled(numbers: Float64Array): Float64Array<ArrayBuffer> {
  const more = new Float64Array(2 * numbers.length);
  more.set(numbers);
  return more;
}
