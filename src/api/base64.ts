/**
 * Bytes as latin1 text and as base64 (RFC 4648 §4), with what the runtime has: Node's Buffer, or the plain functions of
 * a browser, where the same traces are read and written.
 */
import { latin1Bytes, latin1Text } from "../worlds/sim/pure-bytes.ts";

const ON_NODE = typeof Buffer !== "undefined";

export function textOfBytes(bytes: Uint8Array): string {
  if (!ON_NODE) return latin1Text(bytes);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

export function base64OfText(text: string): string {
  return ON_NODE ? Buffer.from(text, "latin1").toString("base64") : btoa(text);
}

/** "" if it is no base64: a trace may come from anywhere. */
export function textOfBase64(data: string): string {
  if (ON_NODE) return Buffer.from(data, "base64").toString("latin1");
  try {
    return atob(data);
  } catch {
    // What is no base64 says nothing.
    return "";
  }
}

export function bytesOfBase64(data: string): Uint8Array {
  return ON_NODE ? Buffer.from(data, "base64") : latin1Bytes(textOfBase64(data));
}
