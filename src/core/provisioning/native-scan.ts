/** Our own YAML, flattened: `accounts: [{user: …}]` is `accounts.1.user`. Every scalar keeps its text and its line. */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { Fault, Origin, SourceFile } from "./configuration.ts";
import { error, looksSecret } from "./fault.ts";
import type { Assignment } from "./settings.ts";

/** What anchors may grow to, and how deep a file may nest. */
const MAX_ASSIGNMENTS = 20_000;
const MAX_ALIASES = 1000;
const MAX_DEPTH = 12;

/** Every scalar of the file as an assignment; what is not YAML is an error. */
export function scanNative(file: SourceFile, faults: Fault[]): Assignment[] {
  const lines = new LineCounter();
  const origin = (offset: number, key: string): Origin => {
    const last = Math.max(1, lines.lineStarts.length);
    const line = Math.min(last, Math.max(1, lines.linePos(offset).line));
    return { file: file.name, line, key };
  };
  try {
    // Failsafe: every scalar stays the text that was written, so that 007 and yes are not made into values.
    const options = { lineCounter: lines, prettyErrors: false, schema: "failsafe" } as const;
    const document = parseDocument(file.text, options);
    // The library's messages quote the file, which may hold a password: only its codes are told.
    for (const { code, pos } of document.errors) {
      const wrong = `the file is not YAML: ${code.toLowerCase().replaceAll("_", " ")}`;
      const remedy = "mind indentation, quotes and colons";
      faults.push(error(origin(pos[0], "(yaml)"), "not-read", wrong, remedy));
    }
    if (document.errors.length > 0) return [];
    return new Flattening(document, origin, faults).run();
  } catch (cause) {
    // The library recurses as deep as the file nests; nothing else of it is known to throw.
    const what = cause instanceof RangeError ? "it nests too deep" : "it cannot be understood";
    const remedy = "write it as docs/provisioning.md shows";
    faults.push(error({ file: file.name, line: 1, key: "(yaml)" }, "not-read", what, remedy));
    return [];
  }
}

class Flattening {
  readonly #document: Document;
  readonly #origin: (offset: number, key: string) => Origin;
  readonly #faults: Fault[];
  readonly #assignments: Assignment[] = [];
  #aliases = 0;

  constructor(
    document: Document,
    origin: (offset: number, key: string) => Origin,
    faults: Fault[],
  ) {
    this.#document = document;
    this.#origin = origin;
    this.#faults = faults;
  }

  run(): Assignment[] {
    const { contents } = this.#document;
    if (isMap(contents)) this.#node(contents, "", 0, 0);
    else
      this.#wrong(
        0,
        "(yaml)",
        "there are no keys in the file",
        "write accounts: and below it a list",
      );
    if (this.#assignments.length >= MAX_ASSIGNMENTS) {
      this.#wrong(0, "(yaml)", `there are more than ${MAX_ASSIGNMENTS} values`, "write fewer");
    }
    return this.#assignments;
  }

  /** `at` is where the key of the node stands: that is the line an operator looks for. */
  #node(node: unknown, key: string, at: number, depth: number): void {
    if (this.#assignments.length >= MAX_ASSIGNMENTS) return;
    if (depth > MAX_DEPTH) {
      this.#wrong(at, key, "it nests too deep", "write it flatter");
    } else if (isAlias(node) && ++this.#aliases > MAX_ALIASES) {
      if (this.#aliases === MAX_ALIASES + 1) {
        this.#wrong(at, key, `there are more than ${MAX_ALIASES} aliases`, "write fewer");
      }
    } else if (isAlias(node)) {
      this.#node(node.resolve(this.#document), key, at, depth + 1);
    } else if (isMap(node)) {
      for (const pair of node.items) this.#pair(pair.key, pair.value, key, at, depth);
    } else if (isSeq(node) && !node.items.every((item) => isScalar(item))) {
      node.items.forEach((item, index) => {
        this.#node(item, `${key}.${index + 1}`, startOf(item, at), depth + 1);
      });
    } else if (!isSeq(node) || node.items.length > 0) {
      // An empty list is as good as none: what must be listed is missed where it is wanted.
      if (isSeq(node)) this.#put(node.items.map(textOf).join(", "), key, at, { listed: true });
      else this.#put(textOf(node), key, at);
    }
  }

  #pair(name: unknown, value: unknown, key: string, at: number, depth: number): void {
    const start = startOf(name, at);
    const own = textOf(name).trim();
    if (own === "" || own.length > 100) {
      this.#wrong(start, key || "(yaml)", "a key is not a short word", "write a word and a colon");
    } else {
      this.#node(value, key === "" ? own : `${key}.${own}`, start, depth + 1);
    }
  }

  #put(value: string, key: string, at: number, how: { readonly listed?: true } = {}): void {
    // A secret in quotes is meant to the last space.
    const text = looksSecret(key) ? value : value.trim();
    this.#assignments.push({ ...this.#origin(at, key), value: text, ...how });
  }

  #wrong(at: number, key: string, wrong: string, remedy: string): void {
    this.#faults.push(error(this.#origin(at, key), "not-read", wrong, remedy));
  }
}

/** An absent value is blank, as `key:` with nothing behind it, or YAML's words for nothing. */
function textOf(node: unknown): string {
  if (!isScalar(node) || node.value === null || node.value === undefined) return "";
  const text = String(node.value);
  return node.type === "PLAIN" && /^(~|null|Null|NULL)$/.test(text) ? "" : text;
}

function startOf(node: unknown, otherwise: number): number {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node)
    ? (node.range?.[0] ?? otherwise)
    : otherwise;
}
