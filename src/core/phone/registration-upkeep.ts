/**
 * What a registration has once it is used: its name on the wire and its clocks. Most phones never register at their
 * fallback server, and a fleet has many phones.
 */
import { newCallId, newTag } from "../identifiers.ts";
import type { Instant } from "../machine.ts";
import type { Response } from "../message/message.ts";
import type { AttemptPlace } from "../redundancy/request.ts";
import { Timer } from "../timers.ts";
import { MAX_TOO_BRIEF } from "./limits.ts";
import { RegistrarWatch, type WatchedRegistration } from "./registrar-watch.ts";
import { mayGoWithout, minExpiresOf } from "./registration-answer.ts";
import type { RegistrationHost } from "./registration-host.ts";

/** A flow that breaks again is not made anew sooner than this after the last time. */
const FLOW_PAUSE_MS = 5000;

/** It is its own timer, which rings when the binding is to be renewed. */
export class RegistrationUpkeep extends Timer {
  /** New each time the phone starts (C25). */
  readonly callId: string;
  readonly fromTag: string;
  readonly watch: RegistrarWatch;
  /** The lifetime asked for. */
  expiresSeconds: number;
  /** Times in a row that it was too short. */
  tooBrief = 0;
  cseq = 0;
  /** When the standing binding is due to be renewed, or what failed to be tried again, in whole milliseconds. */
  refreshAt: Instant = 0;
  /** The binding was in good order when the REGISTER on its way began. */
  stood = false;
  /** It had failed, and was to be tried again, when that REGISTER began. */
  retries = false;
  /** The REGISTER on its way removes what an earlier life has left. */
  clearing = false;
  /** A REGISTER was on its way when the removal began, and goes first (R21). */
  parting = false;
  /** When a flow of the binding broke last; undefined: never. */
  #brokenAt: Instant | undefined;

  constructor(host: RegistrationHost, owner: WatchedRegistration, expiresSeconds: number) {
    super("refresh", owner);
    this.expiresSeconds = expiresSeconds;
    this.callId = inOnePiece(newCallId(host.entropy));
    this.fromTag = inOnePiece(newTag(host.entropy));
    this.watch = new RegistrarWatch(host, owner);
  }

  /** Whether a REGISTER that was refused so may go out once more, changed: 423, 439. */
  mayAskAgain(host: RegistrationHost, response: Response, attempt: AttemptPlace): boolean {
    if (response.status === 423) return this.#lengthen(response);
    return response.status === 439 && mayGoWithout(host, attempt);
  }

  /** 423: asks for the registrar's minimum instead (R25). @returns false if that would be no use. */
  #lengthen(response: Response): boolean {
    const least = minExpiresOf(response);
    this.tooBrief += 1;
    if (least === undefined || this.tooBrief > MAX_TOO_BRIEF) return false;
    this.expiresSeconds = Math.max(least, this.expiresSeconds);
    return true;
  }

  /** @returns when to register anew if the flow of a standing binding breaks again too soon; undefined: at once. */
  broke(now: Instant, standing: boolean): Instant | undefined {
    const before = this.#brokenAt;
    const soonest = before === undefined ? now : before + FLOW_PAUSE_MS;
    const again = standing && now < soonest;
    this.#brokenAt = again ? soonest : now;
    return again ? soonest : undefined;
  }
}

/** A text put together from parts is kept as a tree of them until somebody reads a character. */
function inOnePiece(text: string): string {
  text.charCodeAt(0);
  return text;
}
