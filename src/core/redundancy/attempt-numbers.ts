/**
 * CSeq numbers of the attempts at one logical request. Credentials raise them (R6). Of a hedged INVITE those side by
 * side count alike, so that the callee knows what comes second for what it is and merges it (RFC 3261 §8.2.2.2).
 */
export class AttemptNumbers {
  readonly #hedged: boolean;
  /** With which those began that are asked now. */
  #first: number;
  #last: number;

  constructor(first: number, hedged: boolean) {
    this.#hedged = hedged;
    this.#first = first;
    this.#last = first;
  }

  /** The highest that was used. */
  get last(): number {
    return this.#last;
  }

  /** Of an attempt that sends for the first time. @param beside one that was asked and has not refused. */
  begin(beside: boolean): number {
    if (!this.#hedged || !beside) this.#first = this.#last;
    return this.#first;
  }

  /** Of one that sends again, after `cseq`. */
  again(cseq: number): number {
    const next = (this.#hedged ? cseq : this.#last) + 1;
    this.#last = Math.max(this.#last, next);
    return next;
  }
}
