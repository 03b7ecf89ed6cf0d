/** Latin1 text and bytes without help from the host. */
import type { Bytes } from "../../core/primitives.ts";

/** Characters put together in one call: far below every engine's limit of arguments. */
const CHUNK = 4096;

export function latin1Text(bytes: Uint8Array): string {
  if (bytes.length <= CHUNK) return String.fromCharCode(...bytes);
  let text = "";
  for (let start = 0; start < bytes.length; start += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(start, start + CHUNK));
  }
  return text;
}

export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes;
}

export const PURE_BYTES: Bytes = { toText: latin1Text, fromText: latin1Bytes };
