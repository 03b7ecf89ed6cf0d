/**
 * What a registration has once it is used: its name on the wire and its clocks. Most phones never register at their
 * fallback server, and a fleet has many phones.
 */
import { newCallId, newTag } from "../identifiers.ts";
import type { Entropy } from "../primitives.ts";
import { Timer, type TimerOwner } from "../timers.ts";

export class RegistrationUpkeep {
  /** New each time the phone starts (C25). */
  readonly callId: string;
  readonly fromTag: string;
  readonly refresh: Timer;
  readonly keepAlive: Timer;

  constructor(entropy: Entropy, owner: TimerOwner) {
    this.callId = inOnePiece(newCallId(entropy));
    this.fromTag = inOnePiece(newTag(entropy));
    this.refresh = new Timer("refresh", owner);
    this.keepAlive = new Timer("keep-alive", owner);
  }
}

/** A text put together from parts is kept as a tree of them until somebody reads a character. */
function inOnePiece(text: string): string {
  text.charCodeAt(0);
  return text;
}
