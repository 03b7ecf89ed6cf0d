/**
 * The headers of one message, in order, under their long lower-case names (RFC 3261 §7.3.1, §7.3.3):
 * `get("via")` finds `Via:` and `v:`. Values are the text after the colon, unfolded and trimmed.
 */
export class Headers {
  readonly #names: string[] = [];
  readonly #values: string[] = [];

  get size(): number {
    return this.#names.length;
  }

  nameAt(index: number): string {
    return this.#names[index] as string;
  }

  valueAt(index: number): string {
    return this.#values[index] as string;
  }

  /** The first header line of that name. */
  get(name: string): string | undefined {
    const index = this.#names.indexOf(name);
    return index < 0 ? undefined : this.#values[index];
  }

  /** Every header line of that name, in order; a line may hold several comma-separated values. */
  all(name: string): string[] {
    const found: string[] = [];
    for (let index = 0; index < this.#names.length; index += 1) {
      if (this.#names[index] === name) found.push(this.#values[index] as string);
    }
    return found;
  }

  has(name: string): boolean {
    return this.#names.includes(name);
  }

  /** Appends a line after all others. */
  add(name: string, value: string): this {
    this.#names.push(name);
    this.#values.push(value);
    return this;
  }

  /** Puts a line before the first of that name, or before all headers. */
  prepend(name: string, value: string): this {
    const index = Math.max(0, this.#names.indexOf(name));
    this.#names.splice(index, 0, name);
    this.#values.splice(index, 0, value);
    return this;
  }

  /** Replaces the first line of that name and removes the others; appends if there is none. */
  set(name: string, value: string): this {
    const index = this.#names.indexOf(name);
    if (index < 0) return this.add(name, value);
    this.#values[index] = value;
    for (let other = this.#names.length - 1; other > index; other -= 1) {
      if (this.#names[other] === name) this.#removeAt(other);
    }
    return this;
  }

  remove(name: string): this {
    for (let index = this.#names.length - 1; index >= 0; index -= 1) {
      if (this.#names[index] === name) this.#removeAt(index);
    }
    return this;
  }

  copy(): Headers {
    const copy = new Headers();
    for (let index = 0; index < this.#names.length; index += 1) {
      copy.add(this.#names[index] as string, this.#values[index] as string);
    }
    return copy;
  }

  #removeAt(index: number): void {
    this.#names.splice(index, 1);
    this.#values.splice(index, 1);
  }
}
