/** SIP messages out of captured packets, one packet after the other. */
import { textOfBytes } from "../../api/base64.ts";
import { type HepMessage, hepMessages, isHep } from "./hep.ts";
import { type Frame, PacketReader } from "./packets.ts";
import { StreamReader } from "./streams.ts";

const SIP = /^(?:[A-Z]{2,20} \S+ SIP\/2\.0\r?\n|SIP\/2\.0 \d{3})/;

/** One message and the way that it went; `at` in milliseconds since 1970. */
export type CapturedMessage = Omit<HepMessage, "payload"> & { readonly text: string };

export class MessageReader {
  readonly #packets = new PacketReader();
  readonly #streams = new StreamReader();
  #others = 0;

  /** Packets that held no SIP, or none that can be read: sound, names, encrypted connections. */
  get others(): number {
    return this.#others;
  }

  /** The messages that this packet makes whole. */
  read(frame: Frame): CapturedMessage[] {
    const segment = this.#packets.read(frame);
    if (segment === undefined) {
      this.#others += 1;
      return [];
    }
    if (segment.transport === "tcp") {
      return this.#streams.read(segment).map((text) => ({ ...segment, text }));
    }
    if (isHep(segment.payload)) return hepMessages(segment.payload).flatMap(fromHep);
    const text = textOfBytes(segment.payload);
    if (SIP.test(text)) return [{ ...segment, text }];
    this.#others += 1;
    return [];
  }
}

/** Those of a file or datagram that is HEP by itself. */
export function fromHep(message: HepMessage): CapturedMessage[] {
  const text = textOfBytes(message.payload);
  return SIP.test(text) ? [{ ...message, text }] : [];
}
