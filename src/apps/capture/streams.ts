/** SIP out of captured TCP: segments in order, repeats left out, then cut by Content-Length (RFC 3261 §18.3). */
import { textOfBytes } from "../../api/base64.ts";
import type { Segment } from "./packets.ts";

/** Segments that may wait for a missing one; beyond it the gap is given up. */
const MAX_WAITING = 64;
/** Characters of a message that is not whole. */
const MAX_TEXT = 262_144;
const START = /(?:^|\n)(?=[A-Z]{2,20} \S+ SIP\/2\.0\r?\n|SIP\/2\.0 \d{3})/;

interface Direction {
  expected: number | undefined;
  readonly waiting: Map<number, Segment>;
  text: string;
}

export class StreamReader {
  readonly #directions = new Map<string, Direction>();

  /** The messages that this segment makes whole. */
  read(segment: Segment): string[] {
    const key = `${segment.source}>${segment.destination}`;
    let direction = this.#directions.get(key);
    if (direction === undefined || segment.begins) {
      direction = { expected: undefined, waiting: new Map(), text: "" };
      this.#directions.set(key, direction);
    }
    if (segment.begins) {
      direction.expected = (segment.sequence + 1) >>> 0;
      return [];
    }
    if (segment.payload.length === 0) return [];
    direction.waiting.set(segment.sequence, segment);
    take(direction);
    return cut(direction);
  }
}

function take(direction: Direction): void {
  const { waiting } = direction;
  if (waiting.size > MAX_WAITING) direction.expected = undefined;
  for (;;) {
    direction.expected ??= waiting.keys().next().value;
    const { expected } = direction;
    if (expected === undefined) return;
    let found: { sequence: number; skip: number } | undefined;
    for (const [sequence, { payload }] of waiting) {
      const behind = (expected - sequence) | 0;
      if (behind >= payload.length) waiting.delete(sequence);
      else if (behind >= 0) found = { sequence, skip: behind };
    }
    const next = found === undefined ? undefined : waiting.get(found.sequence);
    if (found === undefined || next === undefined) return;
    waiting.delete(found.sequence);
    direction.text += textOfBytes(next.payload.subarray(found.skip));
    direction.expected = (found.sequence + next.payload.length) >>> 0;
  }
}

function cut(direction: Direction): string[] {
  const messages: string[] = [];
  for (;;) {
    const start = START.exec(direction.text);
    if (start === null) break;
    const text = direction.text.slice(start.index + start[0].length);
    const blank = /\r?\n\r?\n/.exec(text);
    if (blank === null) break;
    const head = text.slice(0, blank.index);
    const length = Number(/^(?:content-length|l)[ \t]*:[ \t]*(\d+)/im.exec(head)?.[1] ?? 0);
    const end = blank.index + blank[0].length + length;
    if (text.length < end) break;
    messages.push(text.slice(0, end));
    direction.text = text.slice(end);
  }
  if (direction.text.length > MAX_TEXT) direction.text = "";
  return messages;
}
