/**
 * A million damaged messages from fixed seeds: none raises an exception, and what is accepted can be printed
 * and read again. `scripts/fuzz.mjs` has the long run.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { Prng } from "../support/prng.ts";
import { damaged } from "./damage.ts";
import { tryMessage } from "./message-trial.ts";

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const MESSAGES_PER_SEED = 100_000;

for (const seed of SEEDS) {
  test(`${MESSAGES_PER_SEED} damaged messages of seed ${seed} raise no exception`, () => {
    const prng = new Prng(seed);
    let accepted = 0;
    for (let count = 0; count < MESSAGES_PER_SEED; count += 1) {
      const text = damaged(prng);
      try {
        if (tryMessage(text, count)) accepted += 1;
      } catch (error) {
        throw new Error(`message ${count}: ${JSON.stringify(text)}`, { cause: error });
      }
    }
    assert.ok(accepted > MESSAGES_PER_SEED / 20, `only ${accepted} were accepted`);
  });
}
