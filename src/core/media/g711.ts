/** G.711: sixteen-bit samples ⇄ PCMU and PCMA bytes, by tables (ITU-T G.711; RFC 3551 §4.5.14). */

export type CodecName = "PCMU" | "PCMA";

/** The payload types that RFC 3551 §6 gives them for good. */
export const STATIC_PAYLOAD_TYPES: Readonly<Record<CodecName, number>> = { PCMU: 0, PCMA: 8 };

/** One of the two codecs of ITU-T G.711: a byte a sample at 8 kHz. */
export interface G711 {
  readonly name: CodecName;
  /** Encodes all of `samples` into `into`, from `at` on. */
  encode(samples: Int16Array, into: Uint8Array, at: number): void;
  /** Decodes bytes[start, end) into `into`, from `at` on; what does not fit is left out. */
  decode(bytes: Uint8Array, start: number, end: number, into: Int16Array, at: number): void;
}

class TableCodec implements G711 {
  readonly name: CodecName;
  readonly #decoded: Int16Array;
  /** Indexed by the sample without its low bits, which the law cannot tell apart. */
  readonly #encoded: Uint8Array;
  readonly #dropped: number;

  constructor(
    name: CodecName,
    dropped: number,
    encode: (sample: number) => number,
    decode: (byte: number) => number,
  ) {
    this.name = name;
    this.#dropped = dropped;
    this.#decoded = Int16Array.from({ length: 256 }, (_, byte) => decode(byte));
    const size = 0x1_0000 >> dropped;
    this.#encoded = new Uint8Array(size);
    for (let value = -size / 2; value < size / 2; value += 1) {
      this.#encoded[value & (size - 1)] = encode(value);
    }
  }

  encode(samples: Int16Array, into: Uint8Array, at: number): void {
    const encoded = this.#encoded;
    const dropped = this.#dropped;
    const mask = encoded.length - 1;
    for (let index = 0; index < samples.length; index += 1) {
      const value = ((samples[index] as number) >> dropped) & mask;
      into[at + index] = encoded[value] as number;
    }
  }

  decode(bytes: Uint8Array, start: number, end: number, into: Int16Array, at: number): void {
    const length = Math.min(end - start, into.length - at);
    for (let index = 0; index < length; index += 1) {
      into[at + index] = this.#decoded[bytes[start + index] as number] as number;
    }
  }
}

/** µ-law: fourteen-bit magnitudes, biased by 33 so that each segment starts at a power of two; all bits inverted. */
function encodeMuLaw(value: number): number {
  const sign = value < 0 ? 0 : 0x80;
  const biased = Math.min(value < 0 ? -value : value, 8158) + 33;
  const segment = 26 - Math.clz32(biased);
  const code = (segment << 4) | ((biased >> (segment + 1)) & 0x0f);
  return sign | (code ^ 0x7f);
}

function decodeMuLaw(byte: number): number {
  const code = ~byte & 0xff;
  const segment = (code >> 4) & 7;
  const magnitude = ((((code & 0x0f) << 1) + 33) << segment) - 33;
  return (code & 0x80 ? -magnitude : magnitude) << 2;
}

/** A-law: thirteen-bit magnitudes, the two lowest segments equally fine; even bits inverted. */
function encodeALaw(value: number): number {
  const magnitude = value < 0 ? -value - 1 : value;
  const segment = Math.max(0, 27 - Math.clz32(magnitude));
  const code = (segment << 4) | ((magnitude >> Math.max(1, segment)) & 0x0f);
  return (code | (value < 0 ? 0 : 0x80)) ^ 0x55;
}

function decodeALaw(byte: number): number {
  const code = byte ^ 0x55;
  const segment = (code >> 4) & 7;
  const step = ((code & 0x0f) << 1) + 1;
  const magnitude = segment === 0 ? step : (step + 32) << (segment - 1);
  return (code & 0x80 ? magnitude : -magnitude) << 3;
}

/** µ-law, payload type 0. */
export const PCMU: G711 = new TableCodec("PCMU", 2, encodeMuLaw, decodeMuLaw);
/** A-law, payload type 8. */
export const PCMA: G711 = new TableCodec("PCMA", 3, encodeALaw, decodeALaw);

/** The codec of that name. */
export function codecNamed(name: CodecName): G711 {
  return name === "PCMU" ? PCMU : PCMA;
}

/** The codec that a static payload type means, whatever was agreed; undefined if it is not G.711. */
export function codecOfPayloadType(payloadType: number): G711 | undefined {
  if (payloadType === STATIC_PAYLOAD_TYPES.PCMU) return PCMU;
  return payloadType === STATIC_PAYLOAD_TYPES.PCMA ? PCMA : undefined;
}
