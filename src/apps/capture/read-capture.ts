/** SIP out of a capture that somebody else made: pcap, pcapng, or HEP, in a capture or by itself. */
import { base64OfText } from "../../api/base64.ts";
import { withoutDigests } from "../../api/message-event.ts";
import type { TraceRecord } from "../trace/record.ts";
import { framesOf } from "./files.ts";
import { hepMessages, isHep } from "./hep.ts";
import { type CapturedMessage, fromHep, MessageReader } from "./messages.ts";

export interface CaptureReading {
  /** `message.captured`, times in milliseconds from the first of them. */
  readonly records: readonly TraceRecord[];
  /** Wall clock at instant 0, milliseconds since 1970. */
  readonly epochMs: number;
  /** Packets that hold no SIP, or none that can be read: sound, names, encrypted connections. */
  readonly others: number;
}

/** Undefined: the file is no capture. No bytes make it throw. */
export function readCapture(bytes: Uint8Array): CaptureReading | undefined {
  if (isHep(bytes)) return readingOf(hepMessages(bytes).flatMap(fromHep), 0);
  const frames = framesOf(bytes);
  if (frames === undefined) return undefined;
  const messages = new MessageReader();
  const found = frames.flatMap((frame) => messages.read(frame));
  return readingOf(found, messages.others);
}

function readingOf(found: readonly CapturedMessage[], others: number): CaptureReading {
  const sorted = [...found].sort((a, b) => a.at - b.at);
  const epochMs = sorted[0]?.at ?? 0;
  const records = sorted.map(({ at, transport, source, destination, text }): TraceRecord => {
    const data = base64OfText(withoutDigests(text));
    const ends = { transport, source, destination, data };
    // To the microsecond: what is finer is lost in milliseconds since 1970.
    const since = Math.round((at - epochMs) * 1000) / 1000;
    return { at: since, node: source, event: "message.captured", ...ends };
  });
  return { records, epochMs, others };
}
