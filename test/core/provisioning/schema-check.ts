/** As much of JSON Schema draft 7 as the schema of our own dialect uses. */
import assert from "node:assert/strict";

export interface Schema {
  readonly $ref?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly definitions?: Readonly<Record<string, Schema>>;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly type?: string | readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
}

const KNOWN = new Set(
  (
    "$schema title description default definitions $ref allOf anyOf enum type minimum maximum pattern properties " +
    "required patternProperties additionalProperties items minItems maxItems"
  ).split(" "),
);

/** The places where the value is not as the schema says, as paths; empty: it is valid. */
export function offences(root: Schema, value: unknown, schema: Schema = root, at = ""): string[] {
  for (const word of Object.keys(schema)) assert.ok(KNOWN.has(word), `${word} is not checked`);
  const { $ref, allOf = [], anyOf = [] } = schema;
  if ($ref !== undefined) return offences(root, value, definition(root, $ref), at);
  const found = [
    ...allOf.flatMap((each) => offences(root, value, each, at)),
    ...(plainly(schema, value) ? [] : [at]),
    ...inside(root, value, schema, at),
  ];
  const fits =
    anyOf.length === 0 || anyOf.some((one) => offences(root, value, one, at).length === 0);
  return fits ? found : [...found, at];
}

/** What `#/definitions/NAME` names. */
export function definition(root: Schema, reference: string): Schema {
  const found = root.definitions?.[reference.replace("#/definitions/", "")];
  assert.ok(found, reference);
  return found;
}

function plainly(schema: Schema, value: unknown): boolean {
  const { type, minimum, maximum, pattern, minItems, maxItems } = schema;
  const types = type === undefined ? [] : [type].flat();
  if (types.length > 0 && !types.some((one) => isOf(one, value))) return false;
  if (schema.enum !== undefined && !schema.enum.includes(value)) return false;
  const { required = [] } = schema;
  if (isOf("object", value) && !required.every((key) => key in (value as object))) return false;
  if (typeof value === "number") return value >= (minimum ?? value) && value <= (maximum ?? value);
  if (typeof value === "string") return new RegExp(pattern ?? "", "u").test(value);
  const size = Array.isArray(value) ? value.length : undefined;
  return size === undefined || (size >= (minItems ?? 0) && size <= (maxItems ?? size));
}

function isOf(type: string, value: unknown): boolean {
  switch (type) {
    case "integer":
      return Number.isInteger(value);
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    default:
      return typeof value === type;
  }
}

function inside(root: Schema, value: unknown, schema: Schema, at: string): string[] {
  const { items, properties, patternProperties = {}, additionalProperties } = schema;
  if (Array.isArray(value)) {
    if (items === undefined) return [];
    return value.flatMap((item, index) => offences(root, item, items, `${at}.${index + 1}`));
  }
  if (!isOf("object", value)) return [];
  return Object.entries(value as object).flatMap(([name, inner]) => {
    const path = at === "" ? name : `${at}.${name}`;
    const fitting = Object.entries(patternProperties).find(([pattern]) =>
      new RegExp(pattern, "u").test(name),
    );
    const chosen = properties?.[name] ?? fitting?.[1];
    if (chosen !== undefined) return offences(root, inner, chosen, path);
    return additionalProperties === false ? [path] : [];
  });
}
