/**
 * Each key of the makers' files by what the phone sends because of it: the same day is played by a phone without the
 * key and by one with it. A key that is in no row here is one that changes nothing that is sent, and says why.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { KeyTable } from "../../../src/core/provisioning/key-table.ts";
import { POLYCOM_KEYS } from "../../../src/core/provisioning/polycom-keys.ts";
import { YEALINK_KEYS } from "../../../src/core/provisioning/yealink-keys.ts";
import { POLYCOM_BASE, POLYCOM_ROWS } from "./wire/polycom-rows.ts";
import { type Lines, type WireRow, wireOf } from "./wire/stage.ts";
import { YEALINK_BASE, YEALINK_ROWS } from "./wire/yealink-rows.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..", "..");

/** Keys that the simulated phone's messages cannot show: why, and the test that shows what they do. */
const ELSEWHERE: Readonly<Record<string, readonly [why: string, file: string, name: string]>> = {
  ...Object.fromEntries(
    [/timer_t4$/].flatMap((pattern) =>
      YEALINK_KEYS.rows
        .filter(({ key }) => pattern.test(key))
        .map(({ key }) => [
          key,
          [
            "it is how long an ended request still takes repeated answers: nothing is sent then",
            "test/core/transaction/non-invite-client.test.ts",
            "Timer K",
          ] as const,
        ]),
    ),
  ),
  "sip.dns_transport_type": [
    "the resolver's own packets",
    "test/node/resolver.test.ts",
    "policy tcp asks over TCP at once",
  ],
  ...Object.fromEntries(
    [
      "static.network.primary_dns",
      "static.network.secondary_dns",
      "device.dns.serverAddress",
      "device.dns.altSrvAddress",
    ].map((key) => [
      key,
      [
        "which resolver is asked, and then which",
        "test/node/resolver.test.ts",
        "a silent server is left for the next one",
      ],
    ]),
  ),
};

interface Bench {
  readonly table: KeyTable;
  readonly base: Lines;
  readonly rows: readonly WireRow[];
  readonly print: (lines: Lines) => string;
}

const BENCHES: readonly Bench[] = [
  {
    table: YEALINK_KEYS,
    base: YEALINK_BASE,
    rows: YEALINK_ROWS,
    print: (lines) =>
      ["#!version:1.0.0.1", ...Object.entries(lines).map((pair) => pair.join(" = "))].join("\n"),
  },
  {
    table: POLYCOM_KEYS,
    base: POLYCOM_BASE,
    rows: POLYCOM_ROWS,
    print: (lines) => {
      const attributes = Object.entries(lines).map(([key, value]) => `${key}="${value}"`);
      return `<polycomConfig>\n<all ${attributes.join("\n")}/>\n</polycomConfig>`;
    },
  },
];

const played = new Map<string, string>();

/** The same phone has the same day. */
function day(text: string, play: WireRow["play"]): string {
  const known = played.get(play + text);
  if (known !== undefined) return known;
  const wire = wireOf(text, play);
  played.set(play + text, wire);
  return wire;
}

for (const { table, base, rows, print } of BENCHES) {
  describe(`on the wire, ${table.dialect}`, () => {
    for (const row of rows) {
      const { key, value, play } = row;
      const shown = [row.without, row.with].map((mark) => (mark === "" ? "–" : mark)).join(" / ");
      test(`${key} = ${value}, ${play}: ${shown}`, () => {
        const lines = withoutBlanks({ ...base, ...row.beside });
        const without = day(print(lines), play);
        const with_ = day(print({ ...lines, [concrete(key)]: value }), play);
        assert.notEqual(with_, without, "nothing changes");
        if (row.without !== "") shows(row.without, without, with_);
        if (row.with !== "") shows(row.with, with_, without);
      });
    }

    test("each key that does something is in a row, or a test elsewhere shows it", () => {
      const shown = new Set(rows.map(({ key }) => key));
      const open = table.rows.filter(
        ({ key, noEffect }) => noEffect === "" && !shown.has(key) && !(key in ELSEWHERE),
      );
      assert.deepEqual(
        open.map(({ key }) => key),
        [],
      );
      const known = new Set(table.rows.map(({ key }) => key));
      const strange = [...shown].filter((key) => !known.has(key));
      assert.deepEqual(strange, []);
    });

    test("each key that does nothing is on the page, with the reason", () => {
      const page = readFileSync(join(ROOT, "docs", "provisioning.md"), "utf8");
      for (const { key, noEffect } of table.rows) {
        if (noEffect !== "") assert.ok(page.includes(`\`${key}\``) && page.includes(noEffect), key);
      }
    });
  });
}

test("what is shown elsewhere is shown there", () => {
  for (const [key, [, file, name]] of Object.entries(ELSEWHERE)) {
    const path = join(ROOT, file);
    assert.ok(existsSync(path) && readFileSync(path, "utf8").includes(name), `${key}: ${file}`);
  }
});

/** A mark that begins with a time is a line of its own. */
function shows(mark: string, here: string, there: string): void {
  const sought = /^\d/.test(mark) ? `\n${mark}` : mark;
  assert.ok(here.includes(sought), `${mark} is not there`);
  assert.ok(!there.includes(sought), `${mark} is there in any case`);
}

function withoutBlanks(lines: Lines): Lines {
  return Object.fromEntries(Object.entries(lines).filter(([, value]) => value !== ""));
}

function concrete(key: string): string {
  return key.replace(/(?<=^|\.)[XYZ](?=\.|$)/g, "1");
}
