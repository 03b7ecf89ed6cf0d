/** Reading the sample files, and what tests compare of the outcome. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { PhoneConfiguration } from "../../../src/core/provisioning/configuration.ts";
import { formatFault } from "../../../src/core/provisioning/fault.ts";
import { readConfiguration } from "../../../src/core/provisioning/read.ts";
import type { AccountPolicy, ServerPolicy } from "../../../src/core/redundancy/policy.ts";

/** The sample of that name under examples/provisioning. */
export function sample(name: string): PhoneConfiguration {
  const url = new URL(`../../../../examples/provisioning/${name}`, import.meta.url);
  return readConfiguration([{ name, text: readFileSync(url, "utf8") }]);
}

/** One file with this text. */
export function reading(text: string, name = "phone.cfg"): PhoneConfiguration {
  return readConfiguration([{ name, text }]);
}

export function account(configuration: PhoneConfiguration, index = 1): AccountPolicy {
  const found = configuration.accounts.find((candidate) => candidate.index === index);
  assert.ok(found, `account ${index}`);
  return found;
}

export function server(configuration: PhoneConfiguration, number: number): ServerPolicy {
  const found = account(configuration).redundancy.servers[number - 1];
  assert.ok(found, `server ${number}`);
  return found;
}

/** `severity line: key: wrong` of each fault. */
export function faults(configuration: PhoneConfiguration): string[] {
  return configuration.faults.map((fault) => `${fault.severity} ${formatFault(fault)}`);
}

/** Asserts that `actual` has these fields with these values. */
export function has<T extends object>(actual: T, expected: Partial<T>): void {
  const picked = Object.fromEntries(
    Object.keys(expected).map((field) => [field, actual[field as keyof T]]),
  );
  assert.deepEqual(picked, expected);
}
