// Speaks the prompts of voicemail anew: prompts/words.json, name to words, with Debian's flite, as µ-law WAV of 8 kHz.
//   node scripts/prompts.mjs
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PCMU } from "../dist/src/core/media/g711.js";
import { readWav } from "../dist/src/core/media/wav.js";

const folder = fileURLToPath(new URL("../prompts/", import.meta.url));
const words = JSON.parse(readFileSync(join(folder, "words.json"), "utf8"));
const scratch = mkdtempSync(join(tmpdir(), "prompts-"));
try {
  for (const [name, text] of Object.entries(words)) {
    const spoken = join(scratch, `${name}.wav`);
    execFileSync("flite", ["-voice", "slt", "-t", text, "-o", spoken]);
    const audio = readWav(readFileSync(spoken));
    if (audio.kind !== "audio") throw new Error(`${name}: ${audio.why}`);
    writeFileSync(join(folder, `${name}.wav`), muLawFile(withoutSilence(audio.samples)));
  }
} finally {
  rmSync(scratch, { recursive: true });
}

/** What is left when the silence before and after the words is cut off, but for a twentieth of a second. */
function withoutSilence(samples) {
  const loud = (sample) => Math.abs(sample) > 300;
  const first = samples.findIndex(loud);
  const last = samples.findLastIndex(loud);
  return samples.subarray(Math.max(0, first - 400), Math.min(samples.length, last + 400));
}

function muLawFile(samples) {
  const header = Buffer.alloc(46);
  header.write("RIFF", 0, "latin1");
  header.writeUInt32LE(38 + samples.length, 4);
  header.write("WAVEfmt ", 8, "latin1");
  header.writeUInt32LE(18, 16);
  header.writeUInt16LE(7, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(8000, 24);
  header.writeUInt32LE(8000, 28);
  header.writeUInt16LE(1, 32);
  header.writeUInt16LE(8, 34);
  header.write("data", 38, "latin1");
  header.writeUInt32LE(samples.length, 42);
  const bytes = new Uint8Array(samples.length);
  PCMU.encode(samples, bytes, 0);
  return Buffer.concat([header, bytes]);
}
