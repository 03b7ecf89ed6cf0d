/**
 * The headers of one message, in order, under their long lower-case names (RFC 3261 §7.3.1, §7.3.3):
 * `get("via")` finds `Via:` and `v:`. Values are the text after the colon, unfolded and trimmed. Those of a parsed
 * message stay where they came until they are asked for; a typed view of a line is kept with it until it changes.
 */
import { type HeaderName, nameOfKey, unknownName } from "./header-names.ts";
import { decimal } from "./lexer.ts";

/** Makes a view of `text[start, end)`; undefined if that is malformed. */
export type ViewReader<View> = (text: string, start: number, end: number) => View | undefined;

const LINE_END = "\r\n";
/** A span is one small integer, which costs no object: where it begins, and in so many low bits how long it is. */
const LENGTH_BITS = 14;
const LENGTH_MASK = (1 << LENGTH_BITS) - 1;
/** What can be said so; whatever lies behind or is longer is copied out. */
const LAST_SPAN_END = 0xffff;

/**
 * The headers of a message, in order, by long lower-case names: `get("via")` finds `Via:` and `v:`.
 */
export class Headers {
  /** What the spans of lines point into. */
  readonly #source: string;
  /** One name and value a line. A line as an object of its own would cost more than it takes to read it. */
  readonly #names: HeaderName[] = [];
  /** A value; or where it stands in the source, in one number. */
  readonly #values: (string | number)[] = [];
  /** The marks of all names there have been. */
  #marks = 0;
  /** What was made of the first line of a name, at the name's slot. */
  readonly #views: unknown[] = [undefined, undefined, undefined, undefined];

  /** @param source the message that `addSpan` refers to. */
  constructor(source = "") {
    this.#source = source;
  }

  get size(): number {
    return this.#names.length;
  }

  /** The whole message as it came, whatever has become of it since; "" for one made here. */
  get source(): string {
    return this.#source;
  }

  nameAt(index: number): string {
    return (this.#names[index] as HeaderName).key;
  }

  valueAt(index: number): string {
    const value = this.#values[index] as string | number;
    return typeof value === "string" ? value : this.#source.slice(beginOf(value), endOf(value));
  }

  /**
   * Every line but those of `but`, as they are printed, in canonical spelling. Lines that came so are copied together,
   * with what stands between them; no value can end a line, since a CR or LF in one becomes a space.
   */
  print(but: HeaderName): string {
    const source = this.#source;
    let text = "";
    let from = 0;
    let to = 0;
    for (let index = 0; index < this.size; index += 1) {
      const name = this.#names[index] as HeaderName;
      if (name === but) continue;
      const begin = this.#beginAt(index);
      const end = begin < 0 ? 0 : endOf(this.#values[index] as number);
      const whole = begin >= 0 && source.indexOf("\r", begin) === end;
      if (whole && begin === to + LINE_END.length) {
        to = end;
        continue;
      }
      if (from < to) text += source.slice(from, to) + LINE_END;
      from = whole ? begin : 0;
      to = whole ? end : 0;
      if (!whole) text += name.prefix + onOneLine(this.valueAt(index)) + LINE_END;
    }
    return from < to ? text + source.slice(from, to) + LINE_END : text;
  }

  /** Where the line begins in the source, where it stands spelled as it is printed; -1: it does not. */
  #beginAt(index: number): number {
    const value = this.#values[index] as string | number;
    return typeof value === "string"
      ? -1
      : beginOf(value) - (this.#names[index] as HeaderName).prefix.length;
  }

  /** `indexOf` for a name that is at hand: compared by identity, which no unknown name can slow down. */
  find(name: HeaderName, from = 0): number {
    if ((this.#marks & name.mark) === 0) return -1;
    const names = this.#names;
    for (let index = from; index < names.length; index += 1) {
      if (names[index] === name) return index;
    }
    return -1;
  }

  /**
   * Where the first line of that name stands, at or after `from`; -1 if there is none. Here as below, a HeaderName at
   * hand is found sooner than its text.
   */
  indexOf(name: string | HeaderName, from = 0): number {
    const known = typeof name === "string" ? nameOfKey(name) : name;
    if (known !== undefined) return this.find(known, from);
    for (let index = from; index < this.size; index += 1) {
      if (this.nameAt(index) === name) return index;
    }
    return -1;
  }

  /** The first header line of that name. */
  get(name: string | HeaderName): string | undefined {
    const index = this.indexOf(name);
    return index < 0 ? undefined : this.valueAt(index);
  }

  /** Every header line of that name, in order; a line may hold several comma-separated values. */
  all(name: string | HeaderName): string[] {
    const found: string[] = [];
    for (let at = this.indexOf(name); at >= 0; at = this.indexOf(name, at + 1)) {
      found.push(this.valueAt(at));
    }
    return found;
  }

  has(name: string | HeaderName): boolean {
    return this.indexOf(name) >= 0;
  }

  /**
   * Two lines as they came, names and the line end between them included, if the second follows the first: a
   * copy of many pieces would cost several times as much. Undefined if they do not, or are not in the source as
   * they are now.
   */
  pair(first: HeaderName, second: HeaderName): string | undefined {
    const index = this.find(first);
    if (index < 0 || this.#names[index + 1] !== second) return undefined;
    const start = this.#beginAt(index);
    const next = this.#beginAt(index + 1);
    if (start < 0 || next < 0) return undefined;
    if (next !== endOf(this.#values[index] as number) + LINE_END.length) return undefined;
    return this.#source.slice(start, endOf(this.#values[index + 1] as number));
  }

  /**
   * What `read` makes of the first line of that name, read once: a name with a slot has one reader in the whole
   * program. Undefined if there is no such line or `read` says so.
   */
  view<View>(name: HeaderName, read: ViewReader<View>): View | undefined {
    const kept = this.#views[name.slot];
    if (kept !== undefined) return kept as View;
    const index = this.find(name);
    if (index < 0) return undefined;
    const made = this.readAt(index, read);
    this.#views[name.slot] = made;
    return made;
  }

  /** What `read` makes of one line, not kept. */
  readAt<Result>(index: number, read: ViewReader<Result>): Result | undefined {
    const value = this.#values[index] as string | number;
    return typeof value === "string"
      ? read(value, 0, value.length)
      : read(this.#source, beginOf(value), endOf(value));
  }

  /** The first line of that name as a number of at most `cap`; undefined if there is none, -1 if it is no number. */
  number(name: HeaderName, cap: number): number | undefined {
    const index = this.find(name);
    return index < 0 ? undefined : this.numberAt(index, cap);
  }

  /** One line as a number of at most `cap`; -1 if it is none. */
  numberAt(index: number, cap: number): number {
    const value = this.#values[index] as string | number;
    return typeof value === "string"
      ? decimal(value, 0, value.length, cap)
      : decimal(this.#source, beginOf(value), endOf(value), cap);
  }

  /** Appends a line after all others. */
  add(name: string, value: string): this {
    const known = named(name);
    this.#names.push(known);
    this.#marks |= known.mark;
    this.#values.push(value);
    return this;
  }

  /** Appends a line that stands in the source just as it is printed, its value at `[start, end)`. */
  addSpan(name: HeaderName, start: number, end: number): void {
    const length = end - start;
    const fits = end <= LAST_SPAN_END && length <= LENGTH_MASK;
    this.#names.push(name);
    this.#marks |= name.mark;
    this.#values.push(fits ? (start << LENGTH_BITS) | length : this.#source.slice(start, end));
  }

  /** The same with what was read of it: the first line of its name. */
  addViewed(name: HeaderName, start: number, end: number, view: unknown): void {
    this.addSpan(name, start, end);
    this.#views[name.slot] = view;
  }

  /** Puts a line before the first of that name, or before all headers. */
  prepend(name: string, value: string): this {
    return this.insertAt(Math.max(0, this.indexOf(name)), name, value);
  }

  /** Puts a line before the one that stands at `index`. */
  insertAt(index: number, name: string, value: string): this {
    const known = named(name);
    this.#names.splice(index, 0, known);
    this.#marks |= known.mark;
    this.#values.splice(index, 0, value);
    this.#forgetView(known);
    return this;
  }

  /** Replaces the value of one line; of the first of its name also the view, where the caller has it at hand. */
  setAt(index: number, value: string, view?: unknown): this {
    const name = this.#names[index] as HeaderName;
    this.#values[index] = value;
    if (view === undefined) this.#forgetView(name);
    else this.#views[name.slot] = view;
    return this;
  }

  /** Replaces the first line of that name and removes the others; appends if there is none. */
  set(name: string, value: string): this {
    const index = this.indexOf(name);
    if (index < 0) return this.add(name, value);
    this.setAt(index, value);
    for (let other = this.size - 1; other > index; other -= 1) {
      if (this.nameAt(other) === name) this.removeAt(other);
    }
    return this;
  }

  remove(name: string): this {
    for (let index = this.size - 1; index >= 0; index -= 1) {
      if (this.nameAt(index) === name) this.removeAt(index);
    }
    return this;
  }

  removeAt(index: number): this {
    this.#forgetView(this.#names[index] as HeaderName);
    this.#names.splice(index, 1);
    this.#values.splice(index, 1);
    return this;
  }

  /** Views are immutable, so the copy shares them. */
  copy(): Headers {
    const copy = new Headers(this.#source);
    for (let index = 0; index < this.size; index += 1) {
      copy.#names.push(this.#names[index] as HeaderName);
      copy.#values.push(this.#values[index] as string | number);
    }
    copy.#marks = this.#marks;
    for (let slot = 0; slot < this.#views.length; slot += 1) copy.#views[slot] = this.#views[slot];
    return copy;
  }

  #forgetView({ slot }: HeaderName): void {
    if (slot >= 0) this.#views[slot] = undefined;
  }
}

function beginOf(span: number): number {
  return span >> LENGTH_BITS;
}

function endOf(span: number): number {
  return (span >> LENGTH_BITS) + (span & LENGTH_MASK);
}

/** A CR or LF in it becomes a space. */
export function onOneLine(value: string): string {
  if (value.indexOf("\r") < 0 && value.indexOf("\n") < 0) return value;
  return value.replaceAll("\r", " ").replaceAll("\n", " ");
}

function named(key: string): HeaderName {
  return nameOfKey(key) ?? unknownName(key);
}
