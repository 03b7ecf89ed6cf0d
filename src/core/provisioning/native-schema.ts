/** The JSON Schema (draft 7) of our own dialect, made from its key table: what editors complete and check. */
import type { KeyRow } from "./key-table.ts";
import { aboutKey } from "./native-about.ts";
import { NATIVE_KEYS } from "./native-keys.ts";
import { describeForm, type ValueForm } from "./value-form.ts";

export type JsonSchema = { readonly [key: string]: unknown };

/** Properties by name; a list stands under its letter. */
interface Branch {
  row?: KeyRow;
  readonly below: Map<string, Branch>;
}

/** The whole schema as a plain object. */
export function nativeSchema(): JsonSchema {
  const root: Branch = { below: new Map() };
  for (const row of NATIVE_KEYS.rows) {
    let branch = root;
    for (const part of row.key.split(".")) {
      let next = branch.below.get(part);
      if (next === undefined) {
        next = { below: new Map() };
        branch.below.set(part, next);
      }
      branch = next;
    }
    branch.row = row;
  }
  const entries: Entries = new Map();
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Dialtone phone",
    description: "A phone in Dialtone's own dialect. Several files overlay one another key by key.",
    ...schemaOf(root, "", entries),
    definitions: { ...definitions(), ...Object.fromEntries(entries) },
  };
}

/** Each form that several keys share, by its name. */
function definitions(): JsonSchema {
  const named = NATIVE_KEYS.rows.flatMap(({ form }) => {
    const name = nameOf(form);
    return name === undefined ? [] : [[name, valueSchema(form)] as const];
  });
  return Object.fromEntries(named);
}

function nameOf(form: ValueForm): string | undefined {
  switch (form.kind) {
    case "duration": {
      const least = form.leastMs === 0 ? "" : `-of-${form.leastMs}-ms`;
      return ["time", ...Object.keys(form.words)].join("-or-") + least;
    }
    case "choice":
      return "true" in form.choices ? "yes-no" : undefined;
    case "text":
    case "secret":
      return "text";
    case "host":
    case "ip":
    case "endpoints":
    case "users":
      return form.kind;
    default:
      return undefined;
  }
}

/** What stands in lists, by the name of the list. */
type Entries = Map<string, JsonSchema>;

function schemaOf({ row, below }: Branch, path: string, entries: Entries): JsonSchema {
  if (row !== undefined) return leafSchema(row);
  const letter = ["X", "Y", "Z"].find((one) => below.has(one)) as "X" | "Y" | "Z" | undefined;
  const about = described(path);
  if (letter !== undefined) {
    const list = path.slice(path.lastIndexOf(".") + 1);
    entries.set(`in-${list}`, schemaOf(below.get(letter)!, `${path}.${letter}`, entries));
    const item = { $ref: `#/definitions/in-${list}` };
    const most = NATIVE_KEYS.limits[letter];
    const byNumber = { "^[1-9][0-9]{0,3}$": item };
    return {
      ...about,
      anyOf: [
        { type: "array", maxItems: most, items: item },
        { type: "object", patternProperties: byNumber, additionalProperties: false },
      ],
    };
  }
  const properties = Object.fromEntries(
    [...below].map(([name, branch]) => [
      name,
      schemaOf(branch, path === "" ? name : `${path}.${name}`, entries),
    ]),
  );
  return { ...about, type: "object", additionalProperties: false, properties };
}

function described(path: string): JsonSchema {
  const about = aboutKey(path);
  return about === undefined ? {} : { description: about };
}

function leafSchema(row: KeyRow): JsonSchema {
  const { form } = row;
  const standard = row.default === "" ? "" : ` Default: ${row.default}.`;
  const may = form.kind === "duration" ? ` May be ${describeForm(form)}.` : "";
  const given = aboutKey(row.key) ?? "";
  const name = nameOf(form);
  // Draft 7 ignores what stands beside a $ref.
  const value =
    name === undefined ? valueSchema(form) : { allOf: [{ $ref: `#/definitions/${name}` }] };
  return { description: `${given}${may}${standard}`, ...value, ...defaultOf(row) };
}

/** Only what a file could say in so many words. */
function defaultOf({ form, default: standard }: KeyRow): JsonSchema {
  if (form.kind === "number" && /^[\d.]+$/.test(standard)) return { default: Number(standard) };
  const word = form.kind === "choice" && Object.hasOwn(form.choices, standard);
  const time = form.kind === "duration" && /^(\d+( \w+)?|half)$/.test(standard);
  return word || time ? { default: standard } : {};
}

const BYTE = "(25[0-5]|2[0-4]\\d|1?\\d?\\d)";
const IPV4 = `${BYTE}(\\.${BYTE}){3}`;
const IPV6 = "(?!.*::.*::)[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]+";
/** A last label of digits is a broken address. */
const NAME = "(?!(.*\\.)?\\d+\\.?$)\\w([\\w-]*\\w)?(\\.\\w([\\w-]*\\w)?)*\\.?";

function valueSchema(form: ValueForm): JsonSchema {
  switch (form.kind) {
    case "number": {
      const type = form.whole ? "integer" : "number";
      return { type, minimum: form.least, maximum: form.most };
    }
    case "choice": {
      const words = Object.keys(form.choices);
      const truths = words.includes("true") ? [true, false] : [];
      return { enum: [...words, ...truths] };
    }
    case "duration":
      return durationSchema(form.leastMs, Object.keys(form.words));
    case "numbers": {
      const item = { type: "integer", minimum: form.least, maximum: form.most };
      return {
        anyOf: [
          { type: "array", items: item, minItems: 1 },
          item,
          { type: "string", pattern: "^\\d{3}([\\s,]+\\d{3})*$" },
        ],
      };
    }
    case "endpoints": {
      const item = { type: "string", pattern: "^[0-9A-Fa-f:.\\[\\]]+$" };
      const several = {
        type: "string",
        pattern: "^[0-9A-Fa-f:.\\[\\]]+([\\s,]+[0-9A-Fa-f:.\\[\\]]+)*$",
      };
      return { anyOf: [{ type: "array", items: item, minItems: 1 }, several] };
    }
    case "users": {
      const one = "[\\w.~!$&*+=-]+";
      const item = { type: ["string", "integer"], pattern: `^${one}$` };
      const several = { type: "string", pattern: `^${one}([\\s,]+${one})*$` };
      return { anyOf: [{ type: "array", items: item, minItems: 1 }, several, { type: "integer" }] };
    }
    case "host":
      return { type: "string", pattern: `^(\\[${IPV6}\\]|${IPV6}|${IPV4}|${NAME})$` };
    case "ip":
      return { type: "string", pattern: `^(${IPV6}|${IPV4})$` };
    case "pattern":
      return { type: "string", pattern: form.pattern };
    case "text":
    case "secret":
      return { type: ["string", "integer", "number", "boolean"] };
  }
}

/** A bare number is seconds. With a unit the least is checked where its digits show it; the reader is exact. */
function durationSchema(leastMs: number, words: readonly string[]): JsonSchema {
  const some = "\\d{1,12}(\\.\\d{1,6})?";
  const least =
    leastMs >= 1000
      ? "(0*[1-9]\\d{3,11}(\\.\\d{1,6})?)"
      : leastMs > 0
        ? "(0*[1-9]\\d{1,11}(\\.\\d{1,6})?)"
        : some;
  const second = leastMs >= 1000 ? "(0*[1-9]\\d{0,11}(\\.\\d{1,6})?)" : some;
  const literal = words.map((word) => ({
    enum: /^\d+$/.test(word) ? [Number(word), word] : [word],
  }));
  return {
    anyOf: [
      { type: "number", minimum: leastMs / 1000, maximum: 2147483647 },
      { type: "string", pattern: `^(${least} ?ms|${second} ?s?|${some} ?(min|h))$` },
      ...literal,
    ],
  };
}
