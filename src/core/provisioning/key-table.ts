/** The keys of one dialect as data: a row a key, and the index that finds the row of a key as written. */
import type { Dialect } from "../redundancy/policy-defaults.ts";
import type { ValueForm } from "./value-form.ts";

/**
 * One key. In `key`, `decides` and `slot` the letters X (account), Y (server or proxy) and Z (record) stand for the
 * numbers in the key as written; `*` in a path stands for every account or server.
 */
export interface KeyRow {
  readonly key: string;
  readonly form: ValueForm;
  /** What holts when the key is absent, as the vendor writes it. */
  readonly default: string;
  /** The policy field; "" if none. */
  readonly decides: string;
  /** Further fields beside `decides`, by their last names, that the key decides too. */
  readonly also: readonly string[];
  /** Where the value is kept until the policy is built: `decides`, unless several keys make one field. */
  readonly slot: string;
  /** A key of older firmware: the newer one of the same field wins. */
  readonly old: boolean;
  /** Why the key is accepted and does nothing; "": it is honoured. */
  readonly noEffect: string;
}

export interface KeyTable {
  readonly dialect: Dialect;
  readonly rows: readonly KeyRow[];
  /** The highest number for each letter. */
  readonly limits: Readonly<Record<"X" | "Y" | "Z", number>>;
  /** Keys that begin like this are ours: an unknown one is a slip worth telling. */
  readonly families: readonly RegExp[];
  /** Shapes of keys (a `#` for each number) that are the makers' own and only look like ours: none is a slip. */
  readonly others: ReadonlySet<string>;
  /** Whether keys in other letters, which are read all the same, are told. */
  readonly exactKeys: boolean;
  /** Whether such a slip is an error. */
  readonly strict: boolean;
  /** A value that clears the setting; undefined: there is none but the blank one. */
  readonly clearMark: string | undefined;
}

/** `field` is appended to the group's target; absent: the key has no effect, for the reason in `noEffect`. */
export interface RowOptions {
  readonly slot?: string;
  readonly old?: boolean;
  readonly also?: readonly string[];
  /** A whole path in place of the group's target and the field. */
  readonly decides?: string;
}

export type RowTuple = readonly [
  leaf: string,
  form: ValueForm,
  standard: string,
  fieldOrReason: string,
  options?: RowOptions,
];

/** Rows that share the beginning of their keys and of the policy fields that they decide. */
export function honoured(prefix: string, target: string, rows: readonly RowTuple[]): KeyRow[] {
  return rows.map(([leaf, form, standard, field, options]) => {
    const decides = options?.decides ?? target + field;
    const slot = options?.slot ?? decides;
    const { also = [], old = false } = options ?? {};
    return { key: prefix + leaf, form, default: standard, decides, also, slot, old, noEffect: "" };
  });
}

/** Rows that are accepted and do nothing, each with its reason. */
export function withoutEffect(prefix: string, rows: readonly RowTuple[]): KeyRow[] {
  return rows.map(([leaf, form, standard, reason]) => {
    const key = prefix + leaf;
    return {
      key,
      form,
      default: standard,
      decides: "",
      also: [],
      slot: "",
      old: false,
      noEffect: reason,
    };
  });
}

/** A key as written, understood. */
export interface Match {
  readonly row: KeyRow;
  /** The key in the table's spelling, numbers filled in. */
  readonly key: string;
  readonly decides: string;
  readonly slot: string;
  /** Which number is beyond what the family has; undefined: none. */
  readonly beyond: { readonly number: number; readonly most: number } | undefined;
}

/** So many letters may be wrong in a key that only looks like ours. */
const MOST_SLIPS = 2;
/** A key among ours may lack an ending shorter than this, or have one too many: transport for transport_type. */
const MOST_ENDING = 8;
const ADDRESSES: readonly string[] = ["address", "ip", "host", "addr"];

export class KeyIndex {
  readonly table: KeyTable;
  readonly #rows = new Map<string, KeyRow>();
  readonly #folded = new Map<string, KeyRow>();

  constructor(table: KeyTable) {
    this.table = table;
    for (const row of table.rows) {
      const shape = row.key.replace(/(?<=^|\.)[XYZ](?=\.|$)/g, "#");
      this.#rows.set(shape, row);
      this.#folded.set(shape.toLowerCase(), row);
    }
  }

  find(key: string): Match | undefined {
    const shape = shapeOf(key);
    // Our own dialect is strict: an editor that completes its keys knows their case.
    const folded = this.table.strict ? undefined : this.#folded.get(shape.toLowerCase());
    const row = this.#rows.get(shape) ?? folded;
    if (row === undefined) return undefined;
    const numbers: Record<string, number> = {};
    let beyond: Match["beyond"];
    const parts = key.split(".");
    row.key.split(".").forEach((letter, at) => {
      if (letter !== "X" && letter !== "Y" && letter !== "Z") return;
      const number = Number(parts[at]);
      const most = this.table.limits[letter];
      numbers[letter] = number;
      if (number < 1 || number > most) beyond ??= { number, most };
    });
    return {
      row,
      key: fill(row.key, numbers),
      decides: fill(row.decides, numbers),
      slot: fill(row.slot, numbers),
      beyond,
    };
  }

  /** The key is one of the makers' thousands, and none of these. */
  isOther(key: string): boolean {
    return this.table.others.has(shapeOf(key).toLowerCase());
  }

  /** The key begins as those of this table do: if it is none of them, it is a slip. */
  isOurs(key: string): boolean {
    return this.table.families.some((family) => family.test(key));
  }

  /** The key of the table that an unknown one probably means, numbers filled in; `memo` serves one file set. */
  nearest(key: string, memo: Map<string, string>): string | undefined {
    // A letter of the manuals that nobody made a number of is the first.
    const numbered = key.replace(/(?<=^|\.)[xyz](?=\.|$)/gi, "1");
    const shape = shapeOf(numbered);
    let best = memo.get(shape);
    if (best === undefined) {
      best = this.#nearestShape(shape, this.isOurs(key));
      memo.set(shape, best);
    }
    const numbers = numbered.split(".").filter(isDigits);
    if (best === "") return undefined;
    const same = best.split(".").length === shape.split(".").length;
    if (same && best.split("#").length !== numbers.length + 1) return undefined;
    return best.replace(/#/g, () => numbers.shift() ?? "1");
  }

  #nearestShape(shape: string, ours: boolean): string {
    const segments = shape.split(".").length;
    const folded = shape.toLowerCase();
    const last = shape.slice(shape.lastIndexOf(".") + 1);
    let best = "";
    const lax = Math.floor(last.length / 3) + 1;
    // Phones have thousands of keys, and some are spelled much like ours: account.X.sip_server_mode.
    const limit = ours || this.table.strict ? lax : Math.min(lax, MOST_SLIPS + 1);
    let least = limit;
    for (const candidate of this.#rows.keys()) {
      if (candidate.split(".").length !== segments) continue;
      const spelled = candidate.toLowerCase();
      // Whoever began to write it meant it: failback_time is no failback_mode.
      const begun = ours
        ? isBegun(folded, spelled, MOST_ENDING) || isBegun(spelled, folded, MOST_ENDING)
        : isBegun(folded, spelled, limit);
      const away = begun ? 1 : editDistance(folded, spelled, least);
      if (away >= least) continue;
      least = away;
      best = candidate;
    }
    if (best === "" && ours) best = this.#otherwise(folded);
    return best === "" && (ours || this.table.strict) ? this.#elsewhere(shape, last) : best;
  }

  /** Some keys end in `.enable` and their like do not, and the makers call an address differently. */
  #otherwise(folded: string): string {
    const parent = folded.slice(0, folded.lastIndexOf(".") + 1);
    const last = folded.slice(parent.length);
    const like = ADDRESSES.includes(last) ? ADDRESSES.map((leaf) => parent + leaf) : [];
    for (const candidate of this.#rows.keys()) {
      const spelled = candidate.toLowerCase();
      if (`${spelled}.enable` === folded || spelled === `${folded}.enable`) return candidate;
      if (like.includes(spelled)) return candidate;
    }
    return "";
  }

  /** A key of ours at the wrong depth: the shortest of its name, among those that begin as much like it. */
  #elsewhere(shape: string, last: string): string {
    let best = "";
    for (const candidate of this.#rows.keys()) {
      if (candidate.slice(candidate.lastIndexOf(".") + 1) !== last) continue;
      const gain = commonStart(candidate, shape) - commonStart(best, shape);
      if (best === "" || gain > 0 || (gain === 0 && candidate.length < best.length))
        best = candidate;
    }
    return best;
  }

  /**
   * The row that decides a policy field and its key with the numbers filled in, for remedies; where several do, the
   * one whose key is most like `like`. Undefined if this dialect has none.
   */
  rowFor(path: string, like = ""): { readonly row: KeyRow; readonly key: string } | undefined {
    const wanted = path.split(".");
    let best: { row: KeyRow; key: string; likeness: number } | undefined;
    for (const row of this.table.rows) {
      if (row.old || row.decides === "") continue;
      const numbers = unify(row.decides.split("."), wanted);
      if (numbers === undefined) continue;
      const key = fill(row.key, { X: 1, Y: 1, Z: 1, ...numbers });
      // A key that has its own slot makes the field with others, and its value is another thing.
      const likeness = commonStart(key, like) - (row.slot === row.decides ? 0 : key.length);
      if (best === undefined || likeness > best.likeness) best = { row, key, likeness };
    }
    return best;
  }
}

function isBegun(start: string, whole: string, limit: number): boolean {
  return whole.startsWith(start) && whole.length - start.length < limit;
}

function commonStart(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return at;
}

function unify(
  pattern: readonly string[],
  path: readonly string[],
): Record<string, number> | undefined {
  if (pattern.length !== path.length) return undefined;
  const numbers: Record<string, number> = {};
  for (const [at, part] of pattern.entries()) {
    const given = path[at] ?? "";
    if (/^[XYZ]$/.test(part) && isDigits(given)) numbers[part] = Number(given);
    else if (part !== given && !(part === "*" && isDigits(given))) return undefined;
  }
  return numbers;
}

function shapeOf(key: string): string {
  return key.replace(/(?<=^|\.)\d{1,9}(?=\.|$)/g, "#");
}

function isDigits(part: string): boolean {
  return /^\d{1,9}$/.test(part);
}

function fill(path: string, numbers: Readonly<Record<string, number>>): string {
  return path.replace(/(?<=^|\.)[XYZ](?=\.|$)/g, (letter) => String(numbers[letter] ?? letter));
}

/** How many letters are wrong, too many, missing, or two in each other's place; `enough` once it is that or more. */
function editDistance(a: string, b: string, enough: number): number {
  if (Math.abs(a.length - b.length) >= enough) return enough;
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const other = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? (before[j - 2] ?? enough) + 1 : enough;
      next.push(Math.min(other, swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    if (Math.min(...next, ...row) >= enough) return enough;
    before = row;
    row = next;
  }
  return row[b.length] ?? enough;
}
