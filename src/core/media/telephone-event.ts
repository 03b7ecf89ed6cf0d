/**
 * Pressed keys as RTP events (RFC 4733 §2): one event keeps one timestamp, its duration grows from packet to
 * packet, the marker stands on the first, and the last is sent three times with the E bit.
 *
 *    |     event     |E|R| volume    |          duration             |
 */

export const TELEPHONE_EVENT_BYTES = 4;

/** Events 0–15 (RFC 4733 §3.2). */
const KEYS = "0123456789*#ABCD";
const SAMPLES_PER_PACKET = 160;
const KEY_PACKETS = 5;
const FINAL_PACKETS = 3;
/** Packets of audio between two keys, so that a receiver hears a pause of 60 ms. */
const PAUSE_PACKETS = 3;
/** -10 dBm0, the usual level of a key. */
const VOLUME = 10;
/** Keys that wait to be sent; more are refused. */
export const MAX_KEYS_WAITING = 64;

/** True if each character is a key of RFC 4733 §3.2. */
export function areKeys(text: string): boolean {
  for (const character of text) if (!KEYS.includes(character)) return false;
  return text.length > 0;
}

/** Turns keys into the payloads of successive packets of 20 ms. */
export class TelephoneEventSender {
  #waiting = "";
  #event = -1;
  #packet = 0;
  #pause = 0;

  /** False, and nothing is sent, if a character is no key or too many wait. */
  press(keys: string): boolean {
    if (!areKeys(keys) || this.#waiting.length + keys.length > MAX_KEYS_WAITING) return false;
    this.#waiting += keys;
    return true;
  }

  /** Whether the next packet belongs to a key; asked once per packet. */
  next(): boolean {
    if (this.#event >= 0) return true;
    if (this.#pause > 0) {
      this.#pause -= 1;
      return false;
    }
    if (this.#waiting.length === 0) return false;
    this.#event = KEYS.indexOf(this.#waiting.charAt(0));
    this.#waiting = this.#waiting.slice(1);
    this.#packet = 0;
    return true;
  }

  /** Whether the packet that `print` writes next is the first of its event. */
  get first(): boolean {
    return this.#packet === 0;
  }

  /** Writes the four bytes of this packet and moves on. */
  print(into: Uint8Array, at: number): void {
    this.#packet += 1;
    const duration = Math.min(this.#packet, KEY_PACKETS) * SAMPLES_PER_PACKET;
    const final = this.#packet >= KEY_PACKETS;
    into[at] = this.#event;
    into[at + 1] = (final ? 0x80 : 0) | VOLUME;
    into[at + 2] = duration >>> 8;
    into[at + 3] = duration;
    if (this.#packet < KEY_PACKETS + FINAL_PACKETS - 1) return;
    this.#event = -1;
    this.#pause = PAUSE_PACKETS;
  }
}

/** Finds each key once in the packets of its event, whichever of them arrive. */
export class TelephoneEventReceiver {
  #timestamp = -1;
  #event = -1;

  /** The key if these are the first bytes heard of it; undefined for its further packets and for other events. */
  heard(timestamp: number, bytes: Uint8Array, start: number, end: number): string | undefined {
    if (end - start < TELEPHONE_EVENT_BYTES) return undefined;
    const event = bytes[start] as number;
    if (timestamp === this.#timestamp && event === this.#event) return undefined;
    this.#timestamp = timestamp;
    this.#event = event;
    return KEYS[event];
  }
}
