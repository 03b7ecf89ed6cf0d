/**
 * The headers of one message, in order, under their long lower-case names (RFC 3261 §7.3.1, §7.3.3):
 * `get("via")` finds `Via:` and `v:`. Values are the text after the colon, unfolded and trimmed. A typed view of a
 * line is made when first asked for and kept with it until the line changes.
 */
export class Headers {
  readonly #names: string[] = [];
  readonly #values: string[] = [];
  /** Parsed views by line; shorter than the names where none was asked for. */
  readonly #views: unknown[] = [];

  get size(): number {
    return this.#names.length;
  }

  nameAt(index: number): string {
    return this.#names[index] as string;
  }

  valueAt(index: number): string {
    return this.#values[index] as string;
  }

  /** Where the first line of that name stands, at or after `from`; -1 if there is none. */
  indexOf(name: string, from = 0): number {
    const names = this.#names;
    for (let index = from; index < names.length; index += 1) {
      if (names[index] === name) return index;
    }
    return -1;
  }

  /** The first header line of that name. */
  get(name: string): string | undefined {
    const index = this.indexOf(name);
    return index < 0 ? undefined : this.#values[index];
  }

  /** Every header line of that name, in order; a line may hold several comma-separated values. */
  all(name: string): string[] {
    const found: string[] = [];
    for (let at = this.indexOf(name); at >= 0; at = this.indexOf(name, at + 1)) {
      found.push(this.#values[at] as string);
    }
    return found;
  }

  has(name: string): boolean {
    return this.indexOf(name) >= 0;
  }

  /**
   * What `parse` makes of the first line of that name, parsed once: a name has one parser in the whole program.
   * Undefined if there is no such line or `parse` says so.
   */
  view<View>(name: string, parse: (value: string) => View | undefined): View | undefined {
    const index = this.indexOf(name);
    if (index < 0) return undefined;
    const known = this.#views[index] as View | undefined;
    if (known !== undefined) return known;
    const view = parse(this.#values[index] as string);
    while (this.#views.length < index) this.#views.push(undefined);
    this.#views[index] = view;
    return view;
  }

  /** Appends a line after all others. */
  add(name: string, value: string): this {
    this.#names.push(name);
    this.#values.push(value);
    return this;
  }

  /** Puts a line before the first of that name, or before all headers. */
  prepend(name: string, value: string): this {
    return this.insertAt(Math.max(0, this.indexOf(name)), name, value);
  }

  /** Puts a line before the one that stands at `index`. */
  insertAt(index: number, name: string, value: string): this {
    this.#names.splice(index, 0, name);
    this.#values.splice(index, 0, value);
    if (index < this.#views.length) this.#views.splice(index, 0, undefined);
    return this;
  }

  /** Replaces the value of one line, and its view where the caller has it at hand. */
  setAt(index: number, value: string, view?: unknown): this {
    this.#values[index] = value;
    if (index < this.#views.length) this.#views[index] = view;
    return this;
  }

  /** Replaces the first line of that name and removes the others; appends if there is none. */
  set(name: string, value: string): this {
    const index = this.indexOf(name);
    if (index < 0) return this.add(name, value);
    this.setAt(index, value);
    for (let other = this.#names.length - 1; other > index; other -= 1) {
      if (this.#names[other] === name) this.removeAt(other);
    }
    return this;
  }

  remove(name: string): this {
    for (let index = this.#names.length - 1; index >= 0; index -= 1) {
      if (this.#names[index] === name) this.removeAt(index);
    }
    return this;
  }

  removeAt(index: number): this {
    this.#names.splice(index, 1);
    this.#values.splice(index, 1);
    if (index < this.#views.length) this.#views.splice(index, 1);
    return this;
  }

  /** Views are immutable, so the copy shares them. */
  copy(): Headers {
    const copy = new Headers();
    for (let index = 0; index < this.#names.length; index += 1) {
      copy.#names.push(this.#names[index] as string);
      copy.#values.push(this.#values[index] as string);
    }
    for (const view of this.#views) copy.#views.push(view);
    return copy;
  }
}
