/**
 * Holds a play before its next deed; `step` lets one through. What is on the stage goes on living: real time cannot be
 * stopped.
 */
export class Hold {
  #held = false;
  #waiting: () => void = () => undefined;

  get held(): boolean {
    return this.#held;
  }

  pause(): void {
    this.#held = true;
  }

  resume(): void {
    this.#held = false;
    this.#waiting();
  }

  /** One deed; the next one waits again. */
  step(): void {
    this.#held = true;
    this.#waiting();
  }

  /** Waits while held. */
  async turn(): Promise<void> {
    if (!this.#held) return;
    await new Promise<void>((done) => {
      this.#waiting = done;
    });
    this.#waiting = () => undefined;
  }
}
