/**
 * The JSON Schema of scenario files as the package has it. `node dist/test/apps/scenario-schema-file.js` writes it; a
 * test compares.
 */
import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { scenarioSchema } from "../../src/apps/scenario/schema.ts";

export const SCHEMA_FILE: URL = new URL("../../../schema/scenario.schema.json", import.meta.url);

export function schemaText(): string {
  return `${JSON.stringify(scenarioSchema(), null, 2)}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  writeFileSync(SCHEMA_FILE, schemaText());
}
