/**
 * The JSON Schema of our own dialect as the package has it. `node dist/test/core/provisioning/schema-file.js` writes
 * it; a test compares.
 */
import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { nativeSchema } from "../../../src/core/provisioning/native-schema.ts";

export const SCHEMA_FILE: URL = new URL("../../../../schema/phone.schema.json", import.meta.url);

export function schemaText(): string {
  return `${JSON.stringify(nativeSchema(), null, 2)}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  writeFileSync(SCHEMA_FILE, schemaText());
}
