/** HEP 3, as Homer's agents send it (github.com/sipcapture/HEP): chunks of vendor, type, length. */
import { viewOf } from "./packets.ts";

export interface HepMessage {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly transport: "udp" | "tcp" | "tls" | "sctp";
  readonly source: string;
  readonly destination: string;
  readonly payload: Uint8Array;
}

const CHUNK = {
  protocol: 2,
  source4: 3,
  destination4: 4,
  source6: 5,
  destination6: 6,
  sourcePort: 7,
  destinationPort: 8,
  seconds: 9,
  microseconds: 10,
  kind: 11,
  payload: 15,
} as const;
const SIP = 1;
const TRANSPORTS: Readonly<Record<number, HepMessage["transport"]>> = {
  6: "tcp",
  17: "udp",
  132: "sctp",
};

export function isHep(bytes: Uint8Array): boolean {
  return bytes.length >= 6 && String.fromCharCode(...bytes.subarray(0, 4)) === "HEP3";
}

/** Packets one after the other, as a socket that was written to a file. */
export function hepMessages(bytes: Uint8Array): HepMessage[] {
  const messages: HepMessage[] = [];
  for (let at = 0; isHep(bytes.subarray(at)); ) {
    const length = viewOf(bytes).getUint16(at + 4);
    if (length < 6 || at + length > bytes.length) break;
    const message = messageOf(bytes.subarray(at + 6, at + length));
    if (message !== undefined) messages.push(message);
    at += length;
  }
  return messages;
}

function messageOf(body: Uint8Array): HepMessage | undefined {
  const chunks = new Map<number, Uint8Array>();
  for (let at = 0; at + 6 <= body.length; ) {
    const view = viewOf(body);
    const length = view.getUint16(at + 4);
    if (length < 6 || at + length > body.length) break;
    if (view.getUint16(at) === 0)
      chunks.set(view.getUint16(at + 2), body.subarray(at + 6, at + length));
    at += length;
  }
  const number = (type: number): number =>
    [...(chunks.get(type) ?? [])].reduce((value, byte) => value * 256 + byte, 0);
  const payload = chunks.get(CHUNK.payload);
  const kind = chunks.has(CHUNK.kind) ? number(CHUNK.kind) : SIP;
  const source = addressOf(chunks.get(CHUNK.source4), chunks.get(CHUNK.source6));
  const destination = addressOf(chunks.get(CHUNK.destination4), chunks.get(CHUNK.destination6));
  if (payload === undefined || kind !== SIP || source === "" || destination === "")
    return undefined;
  return {
    at: number(CHUNK.seconds) * 1000 + number(CHUNK.microseconds) / 1000,
    transport: TRANSPORTS[number(CHUNK.protocol)] ?? "udp",
    source: `${source}:${number(CHUNK.sourcePort)}`,
    destination: `${destination}:${number(CHUNK.destinationPort)}`,
    payload,
  };
}

function addressOf(four: Uint8Array | undefined, six: Uint8Array | undefined): string {
  if (four?.length === 4) return [...four].join(".");
  if (six?.length !== 16) return "";
  const groups = Array.from({ length: 8 }, (_, index) =>
    viewOf(six)
      .getUint16(index * 2)
      .toString(16),
  );
  return `[${groups.join(":")}]`;
}
