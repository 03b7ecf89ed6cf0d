/** One value of the store, changed by compare-and-set: whoever else is at it, no change is lost. */
import type { Inquiry } from "../inquiry.ts";
import type { StoreAnswer } from "../vocabulary.ts";
import { FOR_EVER } from "./clock.ts";

/** Attempts at one value: more than the nodes that can be racing for it. */
const WRITE_ATTEMPTS = 8;

/**
 * Writes a value that is kept for ever.
 * @param edit what is to stand there instead of what does; called anew in each attempt.
 * @returns false if the store is not there, or all attempts were lost to others.
 */
export function* replace(
  key: string,
  edit: (before: string | undefined) => string,
): Inquiry<boolean> {
  for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt += 1) {
    const read = (yield { kind: "store.read", key }) as StoreAnswer;
    if (read.kind !== "stored") return false;
    const written = (yield {
      kind: "store.write",
      key,
      value: edit(read.value),
      ifVersion: read.version,
      expiresAt: FOR_EVER,
    }) as StoreAnswer;
    if (written.kind === "written") return true;
    if (written.kind === "unavailable") return false;
  }
  return false;
}
