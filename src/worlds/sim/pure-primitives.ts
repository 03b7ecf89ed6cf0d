/** What the core needs of its host, all of it pure and from a seed. */

import { md5 } from "../../core/message/hash-md5.ts";
import { sha256 } from "../../core/message/hash-sha256.ts";
import type { Hash, Primitives } from "../../core/primitives.ts";
import { Prng } from "./prng.ts";
import { PURE_BYTES } from "./pure-bytes.ts";

/** MD5 and SHA-256 without Node. */
export const PURE_HASH: Hash = { md5, sha256 };

/** @param stream separates the chance of one machine from that of every other of the same seed. */
export function purePrimitives(seed: number, stream: number): Primitives {
  return { entropy: new Prng(seed, stream), hash: PURE_HASH, bytes: PURE_BYTES };
}
