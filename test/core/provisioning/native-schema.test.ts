/** The JSON Schema of our own dialect: what the reader knows and nothing else, as strict as a schema can be. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";
import type { KeyRow } from "../../../src/core/provisioning/key-table.ts";
import { ABOUT, aboutKey } from "../../../src/core/provisioning/native-about.ts";
import { NATIVE_KEYS } from "../../../src/core/provisioning/native-keys.ts";
import { nativeSchema } from "../../../src/core/provisioning/native-schema.ts";
import { illegalTexts, legalTexts } from "./key-texts.ts";
import { faults, reading } from "./samples.ts";
import { definition, offences, type Schema } from "./schema-check.ts";
import { SCHEMA_FILE, schemaText } from "./schema-file.ts";

const SCHEMA: Schema = nativeSchema();
const LETTERS: Readonly<Record<string, string>> = {
  accounts: "X",
  servers: "Y",
  proxies: "Y",
  naptr: "Z",
  srv: "Z",
  a: "Z",
};

test("the schema in the package is the one that the key table gives", () => {
  const text = readFileSync(SCHEMA_FILE, "utf8");
  assert.equal(text, schemaText(), "run node dist/test/core/provisioning/schema-file.js");
});

test("every key that the reader knows is in the schema with a description, and the other way round", () => {
  const found = new Map<string, Schema>();
  const walk = (schema: Schema, path: string): void => {
    const entry = schema.anyOf?.[0]?.items?.$ref;
    const letter = LETTERS[path.slice(path.lastIndexOf(".") + 1)];
    if (entry !== undefined && letter !== undefined) {
      walk(definition(SCHEMA, entry), `${path}.${letter}`);
    } else if (schema.properties === undefined) {
      found.set(path, schema);
    } else {
      for (const [name, inner] of Object.entries(schema.properties)) {
        walk(inner, path === "" ? name : `${path}.${name}`);
      }
    }
  };
  walk(SCHEMA, "");
  assert.deepEqual([...found.keys()].sort(), NATIVE_KEYS.rows.map(({ key }) => key).sort());
  for (const [key, schema] of found) {
    assert.ok(aboutKey(key), `${key} has no description`);
    assert.ok(schema.description?.startsWith(aboutKey(key)!), key);
  }
});

test("nothing is described that is no key", () => {
  const keys = NATIVE_KEYS.rows.map(({ key }) => key.replaceAll(/\.[XYZ](?=\.)/g, ""));
  const idle = Object.keys(ABOUT).filter(
    (name) => !keys.some((key) => `.${key}.`.includes(`.${name}.`)),
  );
  assert.deepEqual(idle, []);
});

/** A file with this key, as an editor sees it. */
function document(row: KeyRow, text: string): unknown {
  const path = row.key.split(".");
  return path.reduceRight<unknown>(
    (inner, part) => (/^[XYZ]$/.test(part) ? [inner] : { [part]: inner }),
    parse(text),
  );
}

test("what the reader takes is valid, and a default is a value that may be written", () => {
  for (const row of NATIVE_KEYS.rows) {
    for (const text of legalTexts(row.form)) {
      assert.deepEqual(offences(SCHEMA, document(row, text)), [], `${row.key}: ${text}`);
    }
    const leaf = leafOf(row);
    if (leaf.default === undefined) continue;
    assert.deepEqual(offences(SCHEMA, leaf.default, leaf), [], row.key);
    assert.equal(String(leaf.default), row.default, row.key);
  }
});

function leafOf(row: KeyRow): Schema {
  return row.key.split(".").reduce<Schema>((schema, part) => {
    if (!/^[XYZ]$/.test(part)) return schema.properties![part]!;
    return definition(SCHEMA, schema.anyOf![0]!.items!.$ref!);
  }, SCHEMA);
}

/** 1000 to YAML, and a port that no pattern can count. */
const ONLY_THE_READER = ["1e3", "192.0.2.53:0"];

test("what the reader refuses is invalid: ranges, words, shapes and unknown keys", () => {
  for (const row of NATIVE_KEYS.rows) {
    for (const text of illegalTexts(row.form)) {
      if (ONLY_THE_READER.includes(text)) continue;
      const value = text.includes("\n") ? JSON.stringify(text) : text;
      assert.notDeepEqual(offences(SCHEMA, document(row, value)), [], `${row.key}: ${text}`);
    }
  }
  for (const text of [
    "acounts: []",
    "accounts: [{ user: a, servres: [] }]",
    "accounts: [{ user: a, Servers: [] }]",
    "every-account: { expires: 60 }",
    "accounts: [{ proxies: [{ address: a.example, register: no }] }]",
    "probe-interval: 2 s",
    "accounts: { first: { user: a } }",
  ]) {
    assert.notDeepEqual(offences(SCHEMA, parse(text)), [], text);
    assert.ok(
      reading(text).faults.some(({ severity }) => severity === "error"),
      text,
    );
  }
});

test("times below the least are invalid in milliseconds and in seconds", () => {
  for (const [key, wrong, right] of [
    ["probe-interval", ["999 ms", "0 s", "0.5", "0"], ["1000 ms", "1", "1 s", "0.5 min", "2 h"]],
    ["t1", ["9 ms", "0 ms"], ["10 ms", "0.5 s", "0.5"]],
    ["keep-alive", ["1 ms", "0 s"], ["0", "30 s"]],
  ] as const) {
    const check = (text: string): number =>
      offences(SCHEMA, parse(`every-account: { ${key}: ${text} }`)).length;
    for (const text of wrong) assert.ok(check(text) > 0, `${key}: ${text}`);
    for (const text of right) assert.equal(check(text), 0, `${key}: ${text}`);
  }
});

test("a list may be a map by number, for numbers with gaps", () => {
  const text =
    "accounts: { 1: { user: a, servers: { 1: { address: b.example } } }, 3: { user: c, servers: [{ address: d.example }] } }";
  assert.deepEqual(offences(SCHEMA, parse(text)), []);
  const phone = reading(text);
  assert.deepEqual(faults(phone), []);
  assert.deepEqual(
    phone.accounts.map(({ index, user }) => `${index} ${user}`),
    ["1 a", "3 c"],
  );
});
