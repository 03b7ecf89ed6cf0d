/** Reads YAML key by key, remembering where each stands, so that every fault names its file, line, key and remedy. */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { Fault } from "../../core/provisioning/configuration.ts";

/** Where faults are gathered while one file is read. */
class Page {
  readonly faults: Fault[] = [];
  readonly file: string;
  readonly #lines: LineCounter;
  readonly #document: Document;

  constructor(file: string, lines: LineCounter, document: Document) {
    this.file = file;
    this.#lines = lines;
    this.#document = document;
  }

  /** What an alias (`*name`) stands for. */
  resolved(node: unknown): unknown {
    return isAlias(node) ? node.resolve(this.#document) : node;
  }

  lineOf(offset: number): number {
    return this.#lines.linePos(offset).line;
  }

  add(line: number, path: string, wrong: string, remedy: string): void {
    const key = path === "" ? "scenario" : path;
    this.faults.push({ file: this.file, line, key, severity: "error", wrong, remedy });
  }
}

/** One value and where it stands. */
export class Item {
  readonly key: string;
  readonly line: number;
  readonly #page: Page;
  readonly #node: unknown;

  constructor(page: Page, node: unknown, key: string, line: number) {
    this.#page = page;
    this.#node = page.resolved(node);
    this.key = key;
    this.line = line;
  }

  get isTable(): boolean {
    return isMap(this.#node);
  }

  get isList(): boolean {
    return isSeq(this.#node);
  }

  /** The line of the file that a line of a block of text (`|`) stands in; of any other text, where it begins. */
  lineWithin(line: number): number {
    const node = this.#node;
    if (!isScalar(node) || node.type !== "BLOCK_LITERAL") return this.line;
    return (lineOf(this.#page, node) ?? this.line) + line;
  }

  /** A fault at a line of this text. */
  wrongWithin(line: number, key: string, what: string, remedy: string): void {
    this.#page.add(this.lineWithin(line), `${this.key}: ${key}`, what, remedy);
  }

  wrong(what: string, remedy: string): undefined {
    this.#page.add(this.line, this.key, what, remedy);
    return undefined;
  }

  /** A path that is meant from the folder of this file. */
  beside(path: string): string {
    const folder = this.#page.file.slice(0, this.#page.file.lastIndexOf("/") + 1);
    return path.startsWith("/") ? path : folder + path;
  }

  /** A scalar as text; numbers and truth values as they are written. */
  text(): string | undefined {
    if (isScalar(this.#node) && this.#node.value !== null) return String(this.#node.value);
    return this.wrong("is not a single value", "write one word, number or text");
  }

  number(least: number, most: number): number | undefined {
    const value = isScalar(this.#node) ? this.#node.value : undefined;
    if (typeof value === "number" && value >= least && value <= most) return value;
    return this.wrong(`is not a number from ${least} to ${most}`, "write such a number");
  }

  flag(): boolean | undefined {
    const value = isScalar(this.#node) ? this.#node.value : undefined;
    if (typeof value === "boolean") return value;
    return this.wrong("is neither true nor false", "write true or false");
  }

  oneOf<Word extends string>(words: readonly Word[]): Word | undefined {
    const text = this.text();
    if (text === undefined) return undefined;
    const word = words.find((candidate) => candidate === text);
    return word ?? this.wrong(`is ${text}`, `write one of ${words.join(", ")}`);
  }

  table(): Table | undefined {
    if (isMap(this.#node)) return new Table(this.#page, this, this.#node.items);
    return this.wrong("is not a table", "write keys and values below it");
  }

  list(): readonly Item[] {
    if (!isSeq(this.#node)) {
      this.wrong("is not a list", "write its entries with a leading -");
      return [];
    }
    return this.#node.items.map((node, index) => {
      const line = lineOf(this.#page, node) ?? this.line;
      return new Item(this.#page, node, `${this.key}[${index + 1}]`, line);
    });
  }
}

function lineOf(page: Page, node: unknown): number | undefined {
  const range = (node as { readonly range?: readonly number[] | null } | null)?.range;
  return range?.[0] === undefined ? undefined : page.lineOf(range[0]);
}

/** A table whose keys are taken one by one; `close` complains of those that nobody took. */
export class Table {
  readonly #item: Item;
  readonly #entries = new Map<string, Item>();

  constructor(page: Page, item: Item, pairs: readonly { key: unknown; value: unknown }[]) {
    this.#item = item;
    for (const { key, value } of pairs) {
      const name = isScalar(key) ? String(key.value) : String(key);
      const path = item.key === "" ? name : `${item.key}.${name}`;
      this.#entries.set(name, new Item(page, value, path, lineOf(page, key) ?? item.line));
    }
  }

  get line(): number {
    return this.#item.line;
  }

  get item(): Item {
    return this.#item;
  }

  take(key: string): Item | undefined {
    const item = this.#entries.get(key);
    this.#entries.delete(key);
    return item;
  }

  /** @returns undefined, with a fault, when the key is not there. */
  need(key: string): Item | undefined {
    return this.take(key) ?? this.#item.wrong(`lacks ${key}`, `add ${key}: …`);
  }

  takeAll(): readonly (readonly [string, Item])[] {
    const all = [...this.#entries];
    this.#entries.clear();
    return all;
  }

  close(known: readonly string[]): void {
    for (const [, item] of this.takeAll()) {
      item.wrong("is not known here", `use ${known.join(", ")}, or take it away`);
    }
  }
}

export interface YamlPage {
  readonly root: Table | undefined;
  /** Grows while the tables are read. */
  readonly faults: readonly Fault[];
}

/** Parses one document; syntax errors are faults too. */
export function readYaml(file: string, text: string): YamlPage {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const page = new Page(file, lines, document);
  for (const error of document.errors) {
    const line = page.lineOf(error.pos[0]);
    page.add(line, "", error.message.split("\n")[0] ?? "is no YAML", "mend the YAML");
  }
  if (page.faults.length > 0) return { root: undefined, faults: page.faults };
  return { root: new Item(page, document.contents, "", 1).table(), faults: page.faults };
}
