/**
 * The key tables as docs/provisioning.md shows them. `node dist/test/core/provisioning/key-page.js` writes them
 * into the page; a test compares.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { KeyRow, KeyTable } from "../../../src/core/provisioning/key-table.ts";
import { aboutKey } from "../../../src/core/provisioning/native-about.ts";
import { NATIVE_KEYS } from "../../../src/core/provisioning/native-keys.ts";
import { POLYCOM_KEYS } from "../../../src/core/provisioning/polycom-keys.ts";
import { describeForm, type ValueForm } from "../../../src/core/provisioning/value-form.ts";
import { YEALINK_KEYS } from "../../../src/core/provisioning/yealink-keys.ts";

export const PAGE: URL = new URL("../../../../docs/provisioning.md", import.meta.url);

/** The page with each part between `<!-- keys: DIALECT -->` and `<!-- /keys -->` made from the table. */
export function withTables(page: string): string {
  return [YEALINK_KEYS, POLYCOM_KEYS, NATIVE_KEYS].reduce((text, table) => {
    const part = new RegExp(`(<!-- keys: ${table.dialect} -->\n)[^]*?(<!-- /keys -->)`);
    return text.replace(part, (_, start: string, end: string) => start + markdown(table) + end);
  }, page);
}

function markdown(table: KeyTable): string {
  const works = table.rows.filter(({ noEffect }) => noEffect === "");
  const idle = table.rows.filter(({ noEffect }) => noEffect !== "");
  const own = table.dialect === "native";
  const lines = [
    `| key | ${own ? "what it does | may be" : "may be | unit"} | default | decides |`,
    "|---|---|---|---|---|",
    ...works.map((row) => {
      const key = `\`${row.key}\`${row.old ? " (old)" : ""}`;
      const fields = [row.decides, ...row.also].map((field) => `\`${field}\``).join(", ");
      const form = own ? [aboutKey(row.key), mayBe(row.form)] : [mayBe(row.form), unit(row)];
      return `| ${[key, ...form, row.default || "–", fields].join(" | ")} |`;
    }),
  ];
  if (idle.length > 0) {
    lines.push("", "Accepted, no effect:", "", "| key | may be | why |", "|---|---|---|");
    for (const row of idle) lines.push(`| \`${row.key}\` | ${mayBe(row.form)} | ${row.noEffect} |`);
  }
  return `${lines.join("\n")}\n`;
}

function mayBe(form: ValueForm): string {
  if (form.kind !== "choice") return describeForm(form);
  return Object.entries(form.choices)
    .map(([word, value]) => {
      if (value === undefined) return `${word} inherit`;
      if (value === word || typeof value === "boolean") return word;
      return `${word} ${value}`;
    })
    .join(", ");
}

/** Seconds or milliseconds, by the field and the factor to it. */
function unit({ form, decides, slot }: KeyRow): string {
  if (form.kind !== "number") return "–";
  if (form.times === 1000) return "s";
  if (/(Seconds|\.ttl)$/.test(decides)) return "s";
  return /Ms$/.test(slot) ? "ms" : "–";
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  writeFileSync(PAGE, withTables(readFileSync(PAGE, "utf8")));
}
