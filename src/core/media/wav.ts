/** WAV files: read as mono 8 kHz samples, whatever common form they have; written as 16-bit mono 8 kHz. */
import { type G711, PCMA, PCMU } from "./g711.ts";
import { SAMPLE_RATE } from "./tones.ts";

/** What a WAV file says. */
export interface Audio {
  readonly kind: "audio";
  /** Mono, 8 kHz. */
  readonly samples: Int16Array;
}

/** No WAV file that can be read, and why. */
export interface BadWav {
  readonly kind: "bad-wav";
  readonly why: string;
}

/** WAVE_FORMAT_PCM, _ALAW, _MULAW and _EXTENSIBLE. */
const PCM = 1;
const A_LAW = 6;
const MU_LAW = 7;
const EXTENSIBLE = 0xfffe;
const HEADER_BYTES = 44;

interface Format {
  readonly tag: number;
  readonly channels: number;
  readonly rate: number;
  readonly bits: number;
}

/** Reads 8 or 16 bit PCM or G.711, mono or stereo, 4 to 192 kHz, as 8 kHz mono. */
export function readWav(bytes: Uint8Array): Audio | BadWav {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || !hasName(bytes, 0, "RIFF") || !hasName(bytes, 8, "WAVE")) {
    return bad("not a RIFF WAVE file");
  }
  let format: Format | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at + 4, true);
    const start = at + 8;
    if (hasName(bytes, at, "fmt ") && length >= 16 && start + length <= bytes.length) {
      format = readFormat(view, start, length);
    } else if (hasName(bytes, at, "data")) {
      if (format === undefined) return bad("no format before the data");
      // A recorder that was killed leaves a length of 0 or 2^32 - 1: what is there is taken.
      const end = length === 0 ? bytes.length : Math.min(bytes.length, start + length);
      return readSamples(bytes.subarray(start, end), format);
    }
    at = start + length + (length & 1);
  }
  return bad("no data");
}

/** @returns a whole file: 44 bytes of header, then `samples` as they are. */
export function writeWav(samples: Int16Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + 2 * samples.length);
  const view = new DataView(bytes.buffer);
  putName(bytes, 0, "RIFF");
  view.setUint32(4, bytes.length - 8, true);
  putName(bytes, 8, "WAVE");
  putName(bytes, 12, "fmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, PCM, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, SAMPLE_RATE, true);
  view.setUint32(28, 2 * SAMPLE_RATE, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  putName(bytes, 36, "data");
  view.setUint32(40, 2 * samples.length, true);
  for (let index = 0; index < samples.length; index += 1) {
    view.setInt16(HEADER_BYTES + 2 * index, samples[index] as number, true);
  }
  return bytes;
}

function readFormat(view: DataView, start: number, length: number): Format {
  const tag = view.getUint16(start, true);
  return {
    // An extensible format names the real one in the first bytes of its GUID.
    tag: tag === EXTENSIBLE && length >= 26 ? view.getUint16(start + 24, true) : tag,
    channels: view.getUint16(start + 2, true),
    rate: view.getUint32(start + 4, true),
    bits: view.getUint16(start + 14, true),
  };
}

function readSamples(data: Uint8Array, format: Format): Audio | BadWav {
  if (format.channels < 1 || format.channels > 2) return bad(`${format.channels} channels`);
  if (format.rate < 4000 || format.rate > 192_000) return bad(`${format.rate} samples a second`);
  const decoded = decode(data, format);
  if (decoded === undefined) return bad(`format ${format.tag} with ${format.bits} bits a sample`);
  const mono = format.channels === 2 ? mix(decoded) : decoded;
  return {
    kind: "audio",
    samples: format.rate === SAMPLE_RATE ? mono : resample(mono, format.rate),
  };
}

function decode(data: Uint8Array, { tag, bits }: Format): Int16Array | undefined {
  if (tag === PCM && bits === 16) {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    return Int16Array.from({ length: data.length >> 1 }, (_, at) => view.getInt16(2 * at, true));
  }
  if (tag === PCM && bits === 8) return Int16Array.from(data, (byte) => (byte - 128) << 8);
  if (tag === A_LAW && bits === 8) return expand(PCMA, data);
  if (tag === MU_LAW && bits === 8) return expand(PCMU, data);
  return undefined;
}

function expand(codec: G711, data: Uint8Array): Int16Array {
  const samples = new Int16Array(data.length);
  codec.decode(data, 0, data.length, samples, 0);
  return samples;
}

function mix(pairs: Int16Array): Int16Array {
  return Int16Array.from(
    { length: pairs.length >> 1 },
    (_, at) => ((pairs[2 * at] as number) + (pairs[2 * at + 1] as number)) >> 1,
  );
}

/** Lobes of the interpolating sinc on each side. */
const LOBES = 8;

/** A windowed sinc whose cut-off is the lower of both Nyquist rates, so that nothing folds into the voice band. */
function resample(samples: Int16Array, rate: number): Int16Array {
  const step = rate / SAMPLE_RATE;
  const stretch = Math.max(1, step);
  const reach = Math.ceil(LOBES * stretch);
  return Int16Array.from({ length: Math.floor(samples.length / step) }, (_, index) => {
    const centre = index * step;
    const middle = Math.floor(centre);
    let sum = 0;
    let weights = 0;
    for (let at = middle - reach; at <= middle + reach; at += 1) {
      const weight = windowedSinc((at - centre) / stretch);
      weights += weight;
      sum += weight * (samples[at] ?? 0);
    }
    return clip(Math.round(sum / weights));
  });
}

/** Hann window over ±LOBES. */
function windowedSinc(x: number): number {
  if (x === 0) return 1;
  if (Math.abs(x) >= LOBES) return 0;
  const angle = Math.PI * x;
  return (Math.sin(angle) / angle) * (0.5 + 0.5 * Math.cos(angle / LOBES));
}

function clip(sample: number): number {
  return Math.max(-32768, Math.min(32767, sample));
}

function hasName(bytes: Uint8Array, at: number, name: string): boolean {
  for (let index = 0; index < 4; index += 1) {
    if (bytes[at + index] !== name.charCodeAt(index)) return false;
  }
  return true;
}

function putName(bytes: Uint8Array, at: number, name: string): void {
  for (let index = 0; index < 4; index += 1) bytes[at + index] = name.charCodeAt(index);
}

function bad(why: string): BadWav {
  return { kind: "bad-wav", why };
}
