/** Messages as events (`--trace`): what ladders and capture files are drawn from. No credential leaves the process. */
import type { Peer, TransportName } from "../core/machine.ts";
import { isStun } from "../core/message/stun.ts";
import type { Capture } from "../worlds/node/driver.ts";
import { base64OfText, textOfBytes } from "./base64.ts";

export interface MessageEvent {
  readonly event: "message.sent" | "message.received";
  readonly transport: TransportName;
  readonly local: string;
  readonly remote: string;
  /** The message as base64, digest responses replaced by asterisks of the same length. */
  readonly data: string;
  readonly [field: string]: string;
}

/** Undefined for audio and keep-alives: they are no messages. */
export function messageEvent(
  direction: "in" | "out",
  peer: Peer,
  bytes: Uint8Array,
  transport: TransportName,
): MessageEvent | undefined {
  if (transport === "rtp" || isStun(bytes)) return undefined;
  const text = textOfBytes(bytes);
  if (text.trim() === "") return undefined;
  return {
    event: direction === "out" ? "message.sent" : "message.received",
    transport,
    local: endpoint(peer.localAddress, peer.localPort),
    remote: endpoint(peer.address, peer.port),
    data: base64OfText(withoutDigests(text)),
  };
}

/** Tells each message as an event, in the order of the events around it. */
export function messageTracer(report: (event: MessageEvent) => void): Capture {
  return (direction, peer, bytes, transport) => {
    const event = messageEvent(direction, peer, bytes, transport);
    if (event !== undefined) report(event);
  };
}

/** The same text, and as long, without what proves knowledge of a password. */
export function withoutDigests(text: string): string {
  if (!text.includes("uthorization")) return text;
  return text.replace(
    /^((?:Proxy-)?Authorization[ \t]*:)((?:[^\r\n]|\r\n[ \t])*)/gim,
    (_line, name: string, value: string) =>
      name +
      value.replace(
        /(\b(?:response|rspauth)\s*=\s*"?)([^",\s]*)/gi,
        (_match, key: string, digest: string) => key + "*".repeat(digest.length),
      ),
  );
}

function endpoint(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
