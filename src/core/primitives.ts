/**
 * What the core needs of its host and cannot compute or must not choose itself. The node world
 * gives fast or truly random ones; the simulator and the page give pure, seeded ones.
 */

/** Randomness. */
export interface Entropy {
  /** A uniformly distributed integer, 0..2^32 - 1. */
  uint32(): number;
}

/** Message digests over latin1 text, as lower-case hexadecimal (RFC 7616). */
export interface Hash {
  md5(text: string): string;
  sha256(text: string): string;
}

/**
 * Between bytes and text in which each character is one byte (latin1). SIP is kept so inside the core: offsets
 * are byte offsets and nothing a peer sent is lost. UTF-8 is decoded where text is shown to people.
 */
export interface Bytes {
  toText(bytes: Uint8Array): string;
  fromText(text: string): Uint8Array;
}

/** What the world lends a machine: chance, digests, bytes and text. */
export interface Primitives {
  readonly entropy: Entropy;
  readonly hash: Hash;
  readonly bytes: Bytes;
}
