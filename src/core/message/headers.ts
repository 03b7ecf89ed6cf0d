/**
 * The headers of one message, in order, under their long lower-case names (RFC 3261 §7.3.1, §7.3.3):
 * `get("via")` finds `Via:` and `v:`. Values are the text after the colon, unfolded and trimmed. Those of a parsed
 * message stay where they came until they are asked for; a typed view of a line is kept with it until it changes.
 */
import { decimal } from "./lexer.ts";

/** Makes a view of `text[start, end)`; undefined if that is malformed. */
export type ViewReader<View> = (text: string, start: number, end: number) => View | undefined;

export class Headers {
  /** What the spans point into. */
  readonly #source: string;
  readonly #names: string[] = [];
  /** Undefined: still at its span. */
  readonly #values: (string | undefined)[] = [];
  /** Start and end in the source, two by line. */
  readonly #spans: number[] = [];
  /** Views by line; shorter than the names where none was asked for. */
  readonly #views: unknown[] = [];

  /** @param source the message that `addSpan` refers to. */
  constructor(source = "") {
    this.#source = source;
  }

  get size(): number {
    return this.#names.length;
  }

  nameAt(index: number): string {
    return this.#names[index] as string;
  }

  valueAt(index: number): string {
    const known = this.#values[index];
    if (known !== undefined) return known;
    const spans = this.#spans;
    const value = this.#source.slice(spans[2 * index] as number, spans[2 * index + 1] as number);
    this.#values[index] = value;
    return value;
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
    return index < 0 ? undefined : this.valueAt(index);
  }

  /** Every header line of that name, in order; a line may hold several comma-separated values. */
  all(name: string): string[] {
    const found: string[] = [];
    for (let at = this.indexOf(name); at >= 0; at = this.indexOf(name, at + 1)) {
      found.push(this.valueAt(at));
    }
    return found;
  }

  has(name: string): boolean {
    return this.indexOf(name) >= 0;
  }

  /**
   * What `read` makes of the first line of that name, read once: a name has one reader in the whole program.
   * Undefined if there is no such line or `read` says so.
   */
  view<View>(name: string, read: ViewReader<View>): View | undefined {
    const index = this.indexOf(name);
    if (index < 0) return undefined;
    const known = this.#views[index] as View | undefined;
    if (known !== undefined) return known;
    const view = this.readAt(index, read);
    while (this.#views.length < index) this.#views.push(undefined);
    this.#views[index] = view;
    return view;
  }

  /** What `read` makes of one line, not kept. */
  readAt<Result>(index: number, read: ViewReader<Result>): Result | undefined {
    const value = this.#values[index];
    if (value !== undefined) return read(value, 0, value.length);
    const spans = this.#spans;
    return read(this.#source, spans[2 * index] as number, spans[2 * index + 1] as number);
  }

  /** The first line of that name as a number of at most `cap`; undefined if there is none, -1 if it is no number. */
  number(name: string, cap: number): number | undefined {
    const index = this.indexOf(name);
    if (index < 0) return undefined;
    const value = this.#values[index];
    if (value !== undefined) return decimal(value, 0, value.length, cap);
    const spans = this.#spans;
    return decimal(this.#source, spans[2 * index] as number, spans[2 * index + 1] as number, cap);
  }

  /** Appends a line after all others. */
  add(name: string, value: string): this {
    this.#names.push(name);
    this.#values.push(value);
    this.#spans.push(0, 0);
    return this;
  }

  /** Appends a line whose value is `source[start, end)`. */
  addSpan(name: string, start: number, end: number): void {
    this.#names.push(name);
    this.#values.push(undefined);
    this.#spans.push(start, end);
  }

  /** Puts a line before the first of that name, or before all headers. */
  prepend(name: string, value: string): this {
    return this.insertAt(Math.max(0, this.indexOf(name)), name, value);
  }

  /** Puts a line before the one that stands at `index`. */
  insertAt(index: number, name: string, value: string): this {
    this.#names.splice(index, 0, name);
    this.#values.splice(index, 0, value);
    this.#spans.splice(2 * index, 0, 0, 0);
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
    this.#spans.splice(2 * index, 2);
    if (index < this.#views.length) this.#views.splice(index, 1);
    return this;
  }

  /** Views are immutable, so the copy shares them. */
  copy(): Headers {
    const copy = new Headers(this.#source);
    for (let index = 0; index < this.#names.length; index += 1) {
      copy.#names.push(this.#names[index] as string);
      copy.#values.push(this.#values[index]);
      copy.#spans.push(this.#spans[2 * index] as number, this.#spans[2 * index + 1] as number);
    }
    for (const view of this.#views) copy.#views.push(view);
    return copy;
  }
}
