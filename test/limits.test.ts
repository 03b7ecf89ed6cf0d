/** docs/limits.md tells every limit with its value, and none that does not exist. */
import { deepEqual } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as voicemail from "../src/api/voicemail/limits.ts";
import * as dashboard from "../src/apps/dashboard/limits.ts";
import * as guests from "../src/apps/lab/guests/limits.ts";
import * as pages from "../src/apps/pages/limits.ts";
import * as dialog from "../src/core/dialog/limits.ts";
import * as locate from "../src/core/locate/limits.ts";
import * as message from "../src/core/message/limits.ts";
import * as phone from "../src/core/phone/limits.ts";
import * as redundancy from "../src/core/redundancy/limits.ts";
import * as server from "../src/core/server/limits.ts";
import * as transaction from "../src/core/transaction/limits.ts";
import { LIMITS } from "../src/worlds/node/limits.ts";
import * as resolver from "../src/worlds/node/resolver-limits.ts";

const PAGE = readFileSync(join(import.meta.dirname, "..", "..", "docs", "limits.md"), "utf8");

/** The rows of the table below the heading that names the file. */
function told(file: string): [string, number][] {
  const section = PAGE.split(/^## /m).find((text) => text.includes(`\`${file}\``)) ?? "";
  const rows = section.matchAll(/^\| (\w+) \| (\d+) \|/gm);
  return [...rows].map(([, name = "", value]) => [name, Number(value)]);
}

for (const [file, limits] of [
  ["api/voicemail/limits.ts", voicemail],
  ["apps/pages/limits.ts", pages],
  ["apps/dashboard/limits.ts", dashboard],
  ["apps/lab/guests/limits.ts", guests],
  ["core/message/limits.ts", message],
  ["core/transaction/limits.ts", transaction],
  ["core/locate/limits.ts", locate],
  ["core/server/limits.ts", server],
  ["core/dialog/limits.ts", dialog],
  ["core/redundancy/limits.ts", redundancy],
  ["core/phone/limits.ts", phone],
  ["worlds/node/resolver-limits.ts", resolver],
  ["worlds/node/limits.ts", LIMITS],
] as const) {
  test(`docs/limits.md tells the limits of ${file}, all of them and as they are`, () => {
    const real = Object.entries(limits).sort();
    deepEqual(told(file).sort(), real);
  });
}
