/**
 * What a machine tells, for the program around it: handed over after the turn of the machine, in order, so that every
 * listener may act on the machine again.
 */
export class Postbox {
  #waiting: (() => void)[] = [];

  /** A listener that throws ends like any uncaught exception; what waits behind it is delivered all the same. */
  put(deliver: () => void): void {
    this.#waiting.push(deliver);
    if (this.#waiting.length === 1) process.nextTick(this.#empty);
  }

  readonly #empty = (): void => {
    const [...waiting] = this.#waiting;
    let delivered = 0;
    try {
      for (const deliver of waiting) {
        delivered += 1;
        deliver();
      }
    } finally {
      this.#waiting = this.#waiting.slice(delivered);
      if (this.#waiting.length > 0) process.nextTick(this.#empty);
    }
  };
}
