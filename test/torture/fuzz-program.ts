/**
 * The long run (`node scripts/fuzz.mjs`): slices of damaged messages, each from a seed of its own, through the parser and
 * the printer, through the framing of streams in random cuts, and trials of whole machines. The heap is measured
 * after each slice: what grows leaks.
 */
import assert from "node:assert/strict";
import { StreamFramer } from "../../src/core/message/framing.ts";
import { PURE_BYTES } from "../../src/worlds/sim/pure-bytes.ts";
import { Prng } from "../support/prng.ts";
import { damaged } from "./damage.ts";
import { tryMessage } from "./message-trial.ts";
import { type SubjectName, tryMachine } from "./subjects.ts";

const SUBJECTS: readonly SubjectName[] = ["guarded server", "open server", "phone"];
/** Happenings of each trial of a machine, one trial of each machine a slice. */
const STEPS = 2_000;
/** Slices until code is compiled and tables have their size. */
const WARM_SLICES = 5;
/** Above the heap after those. */
const MOST_GROWTH_BYTES = 4 << 20;
const PROGRESS_EVERY = 10;

/** Cuts a stream anywhere; a framer that has faulted is followed by a new one, as a connection would be. */
function tryStream(prng: Prng, text: string): number {
  let framed = 0;
  let over = false;
  const framer = new StreamFramer(PURE_BYTES, {
    framed: () => {
      framed += 1;
    },
    pinged: () => undefined,
    ponged: () => undefined,
    faulted: () => {
      over = true;
    },
  });
  for (let at = 0; at < text.length && !over; ) {
    const cut = 1 + prng.below(400);
    framer.feed(PURE_BYTES.fromText(text.slice(at, at + cut)));
    assert.ok(framer.pending <= 65_535 + 32_768);
    at += cut;
  }
  return framed;
}

interface Tally {
  messages: number;
  accepted: number;
  framed: number;
  heard: number;
  said: number;
}

function runSlice(seed: number, messages: number, tally: Tally): void {
  const prng = new Prng(seed);
  let stream = "";
  for (let count = 0; count < messages; count += 1) {
    const text = damaged(prng);
    try {
      if (tryMessage(text, count)) tally.accepted += 1;
      stream += text;
      if (count % 20 === 19) {
        tally.framed += tryStream(prng, stream);
        stream = "";
      }
    } catch (error) {
      throw new Error(`seed ${seed}, message ${count}: ${JSON.stringify(text)}`, { cause: error });
    }
  }
  tally.messages += messages;
  for (const name of SUBJECTS) {
    try {
      const [heard, said] = tryMachine(name, seed, STEPS);
      tally.heard += heard;
      tally.said += said;
    } catch (error) {
      throw new Error(`seed ${seed}, ${name}`, { cause: error });
    }
  }
}

function heapBytes(): number {
  assert.ok(globalThis.gc !== undefined, "run with --expose-gc");
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

function run(slices: number, messages: number, firstSeed: number): void {
  const tally: Tally = { messages: 0, accepted: 0, framed: 0, heard: 0, said: 0 };
  let warm = Number.POSITIVE_INFINITY;
  for (let slice = 1; slice <= slices; slice += 1) {
    runSlice(firstSeed + slice - 1, messages, tally);
    const heap = heapBytes();
    if (slice <= WARM_SLICES) warm = heap;
    const growth = heap - warm;
    assert.ok(growth < MOST_GROWTH_BYTES, `slice ${slice}: the heap has grown by ${growth} bytes`);
    if (slice % PROGRESS_EVERY !== 0 && slice !== slices) continue;
    const { heard, said, accepted, framed } = tally;
    const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
    process.stdout.write(
      `slice ${slice}/${slices}: ${tally.messages} messages, ${accepted} read, ${framed} framed; ` +
        `machines heard ${megabytes(heard)}, said ${megabytes(said)}; ` +
        `heap ${megabytes(heap)}, ${(growth / 1e6).toFixed(2)} MB above the start\n`,
    );
  }
}

const [slices = "100", messages = "100000", firstSeed = "1001"] = process.argv.slice(2);
run(Number(slices), Number(messages), Number(firstSeed));
