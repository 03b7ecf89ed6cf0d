/**
 * The headers of one message, in order, under their long lower-case names (RFC 3261 §7.3.1, §7.3.3):
 * `get("via")` finds `Via:` and `v:`. Values are the text after the colon, unfolded and trimmed. Those of a parsed
 * message stay where they came until they are asked for; a typed view of a line is kept with it until it changes.
 */
import {
  CALL_ID,
  CSEQ,
  FROM,
  type HeaderName,
  MAX_FORWARDS,
  nameNumbered,
  nameOfKey,
  TO,
  unknownName,
  VIA,
} from "./header-names.ts";
import { decimal } from "./lexer.ts";

/** Makes a view of `text[start, end)`; undefined if that is malformed. */
export type ViewReader<View> = (text: string, start: number, end: number) => View | undefined;

const LINE_END = "\r\n";

/**
 * A line that stands in the source as it is printed, in one small integer, which costs no object: where its value
 * begins, how long that is, the number of its name, and whether it is known to hold no CR.
 */
export type Span = number;
const PURE = 1;
const NAME_SHIFT = 1;
const NAME_BITS = 0x7f << NAME_SHIFT;
const LENGTH_SHIFT = 8;
const MAX_LENGTH = 0x1ff;
const START_SHIFT = 17;
/** What can be said so; whatever lies behind or is longer is copied out. */
const LAST_START = 0x1fff;

/** Any other line. Never changed, since copies share it. */
interface Line {
  readonly name: HeaderName;
  readonly value: string;
}

/**
 * The headers of a message, in order, by long lower-case names: `get("via")` finds `Via:` and `v:`.
 */
export class Headers {
  /** What spans point into. */
  readonly #source: string;
  #lines: (Span | Line)[] = [];
  /** The marks of all names there have been. */
  #marks = 0;
  /** What was made of the first line of each name that every message is asked for again and again. */
  #via: unknown;
  #from: unknown;
  #to: unknown;
  #cseq: unknown;

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
    return nameOf(this.#lines[index] as Span | Line).key;
  }

  valueAt(index: number): string {
    const line = this.#lines[index] as Span | Line;
    return typeof line === "number" ? this.#source.slice(startOf(line), endOf(line)) : line.value;
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
      const name = nameOf(line);
      if (name === but) continue;
      if (typeof line === "number" && isPure(source, line)) {
        const begin = startOf(line) - name.prefix.length;
        if (begin !== to) {
          if (from < to) text += source.slice(from, to);
          from = begin;
        }
        to = endOf(line) + LINE_END.length;
        continue;
      }
      if (from < to) text += source.slice(from, to);
      from = 0;
      to = 0;
      const value =
        typeof line === "number" ? source.slice(startOf(line), endOf(line)) : line.value;
      text += name.prefix + onOneLine(value) + LINE_END;
    }
    return from < to ? text + source.slice(from, to) : text;
  }

  /** `indexOf` for a name that is at hand: compared by identity, which no unknown name can slow down. */
  find(name: HeaderName, from = 0): number {
    if ((this.#marks & name.mark) === 0) return -1;
    const lines = this.#lines;
    const bits = name.number << NAME_SHIFT;
    for (let index = from; index < lines.length; index += 1) {
      const line = lines[index] as Span | Line;
      if (typeof line === "number" ? (line & NAME_BITS) === bits : line.name === name) return index;
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
    const line = this.#lines[index];
    const next = this.#lines[index + 1];
    if (typeof line !== "number" || typeof next !== "number" || nameOf(next) !== second)
      return undefined;
    if (startOf(next) - second.prefix.length !== endOf(line) + LINE_END.length) return undefined;
    return this.#source.slice(startOf(line) - first.prefix.length, endOf(next));
  }

  /**
   * What `read` makes of the first line of that name, read once: a name with a slot has one reader in the whole
   * program. Undefined if there is no such line or `read` says so.
   */
  view<View>(name: HeaderName, read: ViewReader<View>): View | undefined {
    const kept = this.#viewOf(name);
    if (kept !== undefined) return kept as View;
    const index = this.find(name);
    if (index < 0) return undefined;
    const made = this.readAt(index, read);
    this.#keepView(name, made);
    return made;
  }

  /** What `read` makes of one line, not kept. */
  readAt<Result>(index: number, read: ViewReader<Result>): Result | undefined {
    const line = this.#lines[index] as Span | Line;
    return typeof line === "number"
      ? read(this.#source, startOf(line), endOf(line))
      : read(line.value, 0, line.value.length);
  }

  /** The first line of that name as a number of at most `cap`; undefined if there is none, -1 if it is no number. */
  number(name: HeaderName, cap: number): number | undefined {
    const index = this.find(name);
    return index < 0 ? undefined : this.numberAt(index, cap);
  }

  /** One line as a number of at most `cap`; -1 if it is none. */
  numberAt(index: number, cap: number): number {
    const line = this.#lines[index] as Span | Line;
    return typeof line === "number"
      ? decimal(this.#source, startOf(line), endOf(line), cap)
      : decimal(line.value, 0, line.value.length, cap);
  }

  /** Appends a line after all others. */
  add(key: string, value: string): this {
    this.#add(named(key), value);
    return this;
  }

  #add(name: HeaderName, value: string): void {
    this.#lines.push({ name, value });
    this.#marks |= name.mark;
  }

  /**
   * Appends a line that stands in the source just as it is printed, its value at `[start, end)`, CR and LF behind it.
   * @param number of a known name.
   */
  addSpan(number: number, start: number, end: number): void {
    if (start > LAST_START || end - start > MAX_LENGTH) {
      this.#add(nameNumbered(number), this.#source.slice(start, end));
      return;
    }
    const lines = this.#lines;
    lines[lines.length] = spanOf(number << NAME_SHIFT, start, end - start);
    this.#marks |= 1 << number;
  }

  /** Appends the first Via, with what was read of it. */
  addVia(via: Span, view: unknown): void {
    this.#lines.push(via);
    this.#marks |= VIA.mark;
    this.#via = view;
  }

  addMaxForwards(hops: Span): void {
    this.#lines.push(hops);
    this.#marks |= MAX_FORWARDS.mark;
  }

  /** Appends the first From and To, with what was read of them. */
  addParties(from: Span, fromView: unknown, to: Span, toView: unknown): void {
    this.#lines.push(from, to);
    this.#marks |= FROM.mark | TO.mark;
    this.#from = fromView;
    this.#to = toView;
  }

  /** Appends the first Call-ID and CSeq, with what was read of this. */
  addCall(callId: Span, cseq: Span, view: unknown): void {
    this.#lines.push(callId, cseq);
    this.#marks |= CALL_ID.mark | CSEQ.mark;
    this.#cseq = view;
  }

  /** Puts a line before the first of that name, or before all headers. */
  prepend(name: string, value: string): this {
    return this.insertAt(Math.max(0, this.indexOf(name)), name, value);
  }

  /** Puts a line before the one that stands at `index`. */
  insertAt(index: number, key: string, value: string): this {
    const name = named(key);
    this.#lines.splice(index, 0, { name, value });
    this.#marks |= name.mark;
    this.#keepView(name, undefined);
    return this;
  }

  /** Replaces the value of one line; of the first of its name also the view, where the caller has it at hand. */
  setAt(index: number, value: string, view?: unknown): this {
    const name = nameOf(this.#lines[index] as Span | Line);
    this.#lines[index] = { name, value };
    this.#keepView(name, view);
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
    for (let at = this.indexOf(name); at >= 0; at = this.indexOf(name, at)) this.removeAt(at);
    return this;
  }

  removeAt(index: number): this {
    this.#keepView(nameOf(this.#lines[index] as Span | Line), undefined);
    this.#lines.splice(index, 1);
    return this;
  }

  /** Views are immutable, so the copy shares them. */
  copy(): Headers {
    const copy = new Headers(this.#source);
    copy.#lines = this.#lines.slice();
    copy.#marks = this.#marks;
    copy.#via = this.#via;
    copy.#from = this.#from;
    copy.#to = this.#to;
    copy.#cseq = this.#cseq;
    return copy;
  }

  #viewOf(name: HeaderName): unknown {
    if (name === VIA) return this.#via;
    if (name === CSEQ) return this.#cseq;
    if (name === FROM) return this.#from;
    return name === TO ? this.#to : undefined;
  }

  /** @param view undefined: it is read anew when it is asked for. */
  #keepView(name: HeaderName, view: unknown): void {
    if (name === VIA) this.#via = view;
    else if (name === FROM) this.#from = view;
    else if (name === TO) this.#to = view;
    else if (name === CSEQ) this.#cseq = view;
  }
}

/** Whether every line of the source between these can be said so. */
export function holdsSpans(start: number, end: number): boolean {
  return end <= LAST_START && end - start <= MAX_LENGTH;
}

/** @param bits name, and whether it is pure. Small, so that the compiler puts it in wherever it is called. */
function spanOf(bits: number, start: number, length: number): Span {
  return (start << START_SHIFT) | (length << LENGTH_SHIFT) | bits;
}

/** Of a value that holds no CR. */
export function pureSpan({ number }: HeaderName, start: number, end: number): Span {
  return spanOf((number << NAME_SHIFT) | PURE, start, end - start);
}

function nameOf(line: Span | Line): HeaderName {
  return typeof line === "number" ? nameNumbered((line & NAME_BITS) >> NAME_SHIFT) : line.name;
}

function startOf(span: Span): number {
  return span >> START_SHIFT;
}

function endOf(span: Span): number {
  return (span >> START_SHIFT) + ((span >> LENGTH_SHIFT) & MAX_LENGTH);
}

/** Whether its value holds no CR, and so its line is printed as it came. */
function isPure(source: string, span: Span): boolean {
  return (span & PURE) !== 0 || source.indexOf("\r", startOf(span)) === endOf(span);
}

/** A CR or LF in it becomes a space. */
export function onOneLine(value: string): string {
  if (value.indexOf("\r") < 0 && value.indexOf("\n") < 0) return value;
  return value.replaceAll("\r", " ").replaceAll("\n", " ");
}

function named(key: string): HeaderName {
  return nameOfKey(key) ?? unknownName(key);
}
