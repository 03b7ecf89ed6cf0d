/**
 * The headers of one message, in order, under their long lower-case names (RFC 3261 §7.3.1, §7.3.3):
 * `get("via")` finds `Via:` and `v:`. Values are the text after the colon, unfolded and trimmed. Those of a parsed
 * message stay where they came until they are asked for; a typed view of a line is kept with it until it changes.
 */
import { type HeaderName, nameOfKey, opens, unknownName } from "./header-names.ts";
import { COLON, decimal, LF } from "./lexer.ts";

/** Makes a view of `text[start, end)`; undefined if that is malformed. */
export type ViewReader<View> = (text: string, start: number, end: number) => View | undefined;

const LINE_END = "\r\n";

/** One header line. Without a value it still stands at `source[start, end)`. */
interface Line {
  readonly name: HeaderName;
  value: string | undefined;
  readonly start: number;
  /** 0: it does not stand in the source, or not any more. */
  end: number;
  view: unknown;
}

/**
 * The headers of a message, in order, by long lower-case names: `get("via")` finds `Via:` and `v:`.
 */
export class Headers {
  /** What the spans of lines point into. */
  readonly #source: string;
  readonly #lines: Line[] = [];

  /** @param source the message that `addSpan` refers to. */
  constructor(source = "") {
    this.#source = source;
  }

  get size(): number {
    return this.#lines.length;
  }

  /** The whole message as it came, whatever has become of it since; "" for one made here. */
  get source(): string {
    return this.#source;
  }

  nameAt(index: number): string {
    return (this.#lines[index] as Line).name.key;
  }

  valueAt(index: number): string {
    const line = this.#lines[index] as Line;
    if (line.value === undefined) line.value = this.#source.slice(line.start, line.end);
    return line.value;
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
    for (const line of this.#lines) {
      const { name, start, end } = line;
      if (name === but) continue;
      const came = this.#cameAsPrinted(line);
      const begin = start - name.prefix.length;
      if (came && begin === to + LINE_END.length) {
        to = end;
        continue;
      }
      if (from < to) text += source.slice(from, to) + LINE_END;
      from = came ? begin : 0;
      to = came ? end : 0;
      if (!came) text += name.prefix + onOneLine(line.value ?? source.slice(start, end)) + LINE_END;
    }
    return from < to ? text + source.slice(from, to) + LINE_END : text;
  }

  /** Whether it still stands in the source, alone on its line, spelled as it would be printed. */
  #cameAsPrinted({ name, start, end }: Line): boolean {
    const source = this.#source;
    const begin = start - name.prefix.length;
    if (end === 0 || source.charCodeAt(begin - 1) !== LF) return false;
    return source.indexOf("\r", start) === end && opens(source, begin, name);
  }

  /** `indexOf` for a name that is at hand: compared by identity, which no unknown name can slow down. */
  find(name: HeaderName, from = 0): number {
    const lines = this.#lines;
    for (let index = from; index < lines.length; index += 1) {
      if ((lines[index] as Line).name === name) return index;
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
    for (let index = from; index < this.#lines.length; index += 1) {
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
    const one = this.#lines[index];
    const other = this.#lines[index + 1];
    if (one === undefined || other === undefined || other.name !== second) return undefined;
    const start = one.start - first.prefix.length;
    const apart = other.start - second.prefix.length - one.end;
    if (one.end === 0 || other.end === 0 || apart !== 2) return undefined;
    const source = this.#source;
    // In the usual spelling the name begins the line, and the colon stands where it then must.
    if (source.charCodeAt(start - 1) !== LF || source.charCodeAt(one.start - 2) !== COLON) {
      return undefined;
    }
    return source.slice(start, other.end);
  }

  /**
   * What `read` makes of the first line of that name, read once: a name has one reader in the whole program.
   * Undefined if there is no such line or `read` says so.
   */
  view<View>(name: HeaderName, read: ViewReader<View>): View | undefined {
    const index = this.find(name);
    if (index < 0) return undefined;
    const line = this.#lines[index] as Line;
    if (line.view === undefined) line.view = this.readAt(index, read);
    return line.view as View | undefined;
  }

  /** What `read` makes of one line, not kept. */
  readAt<Result>(index: number, read: ViewReader<Result>): Result | undefined {
    const { value, start, end } = this.#lines[index] as Line;
    return value === undefined ? read(this.#source, start, end) : read(value, 0, value.length);
  }

  /** The first line of that name as a number of at most `cap`; undefined if there is none, -1 if it is no number. */
  number(name: HeaderName, cap: number): number | undefined {
    const index = this.find(name);
    return index < 0 ? undefined : this.numberAt(index, cap);
  }

  /** One line as a number of at most `cap`; -1 if it is none. */
  numberAt(index: number, cap: number): number {
    const { value, start, end } = this.#lines[index] as Line;
    return value === undefined
      ? decimal(this.#source, start, end, cap)
      : decimal(value, 0, value.length, cap);
  }

  /** Appends a line after all others. */
  add(name: string, value: string): this {
    this.#lines.push(lineOf(name, value));
    return this;
  }

  /** Appends a line whose value is `source[start, end)`. */
  addSpan(name: HeaderName, start: number, end: number): void {
    this.#lines.push({ name, value: undefined, start, end, view: undefined });
  }

  /** Puts a line before the first of that name, or before all headers. */
  prepend(name: string, value: string): this {
    return this.insertAt(Math.max(0, this.indexOf(name)), name, value);
  }

  /** Puts a line before the one that stands at `index`. */
  insertAt(index: number, name: string, value: string): this {
    this.#lines.splice(index, 0, lineOf(name, value));
    return this;
  }

  /** Replaces the value of one line, and its view where the caller has it at hand. */
  setAt(index: number, value: string, view?: unknown): this {
    const line = this.#lines[index] as Line;
    line.value = value;
    line.end = 0;
    line.view = view;
    return this;
  }

  /** Replaces the first line of that name and removes the others; appends if there is none. */
  set(name: string, value: string): this {
    const index = this.indexOf(name);
    if (index < 0) return this.add(name, value);
    this.setAt(index, value);
    for (let other = this.#lines.length - 1; other > index; other -= 1) {
      if (this.nameAt(other) === name) this.removeAt(other);
    }
    return this;
  }

  remove(name: string): this {
    for (let index = this.#lines.length - 1; index >= 0; index -= 1) {
      if (this.nameAt(index) === name) this.removeAt(index);
    }
    return this;
  }

  removeAt(index: number): this {
    this.#lines.splice(index, 1);
    return this;
  }

  /** Views are immutable, so the copy shares them. */
  copy(): Headers {
    const copy = new Headers(this.#source);
    for (const { name, value, start, end, view } of this.#lines) {
      copy.#lines.push({ name, value, start, end, view });
    }
    return copy;
  }
}

/** A CR or LF in it becomes a space. */
export function onOneLine(value: string): string {
  if (value.indexOf("\r") < 0 && value.indexOf("\n") < 0) return value;
  return value.replaceAll("\r", " ").replaceAll("\n", " ");
}

function lineOf(key: string, value: string): Line {
  const name = nameOfKey(key) ?? unknownName(key);
  return { name, value, start: 0, end: 0, view: undefined };
}
