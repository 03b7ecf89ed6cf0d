/** SIP out of a capture that somebody else made: pcap, pcapng, or HEP, in a capture or by itself. */
import { base64OfText, textOfBytes } from "../../api/base64.ts";
import { withoutDigests } from "../../api/message-event.ts";
import type { TraceRecord } from "../trace/record.ts";
import { framesOf } from "./files.ts";
import { type HepMessage, hepMessages, isHep } from "./hep.ts";
import { PacketReader } from "./packets.ts";
import { StreamReader } from "./streams.ts";

export interface CaptureReading {
  /** `message.captured`, times in milliseconds from the first of them. */
  readonly records: readonly TraceRecord[];
  /** Wall clock at instant 0, milliseconds since 1970. */
  readonly epochMs: number;
  /** Packets that hold no SIP, or none that can be read: sound, names, encrypted connections. */
  readonly others: number;
}

const SIP = /^(?:[A-Z]{2,20} \S+ SIP\/2\.0\r?\n|SIP\/2\.0 \d{3})/;

type Found = Omit<HepMessage, "payload"> & { readonly text: string };

/** Undefined: the file is no capture. No bytes make it throw. */
export function readCapture(bytes: Uint8Array): CaptureReading | undefined {
  if (isHep(bytes)) return readingOf(hepMessages(bytes).flatMap(fromHep), 0);
  const frames = framesOf(bytes);
  if (frames === undefined) return undefined;
  const packets = new PacketReader();
  const streams = new StreamReader();
  const found: Found[] = [];
  let others = 0;
  for (const frame of frames) {
    const segment = packets.read(frame);
    if (segment === undefined) others += 1;
    else if (segment.transport === "tcp") {
      for (const text of streams.read(segment)) found.push({ ...segment, text });
    } else if (isHep(segment.payload)) found.push(...hepMessages(segment.payload).flatMap(fromHep));
    else {
      const text = textOfBytes(segment.payload);
      if (SIP.test(text)) found.push({ ...segment, text });
      else others += 1;
    }
  }
  return readingOf(found, others);
}

function fromHep(message: HepMessage): Found[] {
  const text = textOfBytes(message.payload);
  return SIP.test(text) ? [{ ...message, text }] : [];
}

function readingOf(found: readonly Found[], others: number): CaptureReading {
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
