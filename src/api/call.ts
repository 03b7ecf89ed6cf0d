/** One call of a phone, as a program sees it: two promises, its events, its audio. */
import { EventEmitter, once } from "node:events";
import type { Readable } from "node:stream";
import type { Instant } from "../core/machine.ts";
import { areKeys } from "../core/media/telephone-event.ts";
import type { Call as CoreCall } from "../core/phone/call.ts";
import { dialled } from "../core/phone/dialled.ts";
import { CallError, StateError } from "./errors.ts";
import {
  type AnyEvent,
  type CallFigures,
  type EventOf,
  isPhoneEvent,
  type PhoneEventFields,
} from "./event-fields.ts";
import type { Hearing } from "./hearing.ts";
import { shown } from "./option-values.ts";
import { type SipRequest, sipRequest } from "./requests.ts";
import type { AudioInput, PlayOptions, Voice } from "./voice.ts";
import type { WaitOptions } from "./waiting.ts";

/** How a call was and why it is over. */
export type CallEnd = CallFigures;

type CallEventName<Name> = Name extends `call.${infer Short}` ? Short : never;

/**
 * The events of a call: those of the phone named `call.…`, without that prefix. `ringing`, `answered`, `ended`, `media`,
 * `heard`, `silenced`, `held`, `resumed`, `key-pressed`, `redirected`, `reinvite-failed`, `session-expired`,
 * `transferring`, `transferred`, `transfer-failed`, `referred`.
 */
export type CallEvents = {
  [Name in keyof PhoneEventFields as CallEventName<Name>]: [event: EventOf<PhoneEventFields, Name>];
};

/** `trying`: nothing was heard of it yet, or it has not rung yet. */
export type CallState = "trying" | "ringing" | "answered" | "ended";

/** What a call needs of its phone. */
export interface CallLink {
  readonly id: number;
  readonly direction: "outgoing" | "incoming";
  readonly peer: string;
  readonly account: string;
  readonly voice: Voice;
  readonly hearing: Hearing;
  /** Does something with what is left of the call; undefined: nothing is. */
  act<Result>(deed: (call: CoreCall, now: Instant) => Result): Result | undefined;
}

/** A call of a phone, from `Phone.call` or from its event `call`. */
export class Call extends EventEmitter<CallEvents> {
  /** Unique on its phone. */
  readonly id: number;
  readonly direction: "outgoing" | "incoming";
  /** The URI of the other side: as dialled, or as its From says. */
  readonly peer: string;
  /** The user of the account. */
  readonly account: string;
  /** The request that brought it; undefined if it is one of our own. */
  readonly invite: SipRequest | undefined;
  /**
   * Resolves when the call is answered, by either side.
   * Rejects with CallError if it ends before that, or with the reason of its signal if that ended it; nobody needs to
   * look.
   */
  readonly answered: Promise<void>;
  /** Resolves when the call is over, however it went; never rejects. */
  readonly ended: Promise<CallEnd>;
  readonly #link: CallLink;
  #state: CallState = "trying";
  #resolveAnswered: () => void = () => undefined;
  #rejectAnswered: (reason: unknown) => void = () => undefined;
  #resolveEnded: (end: CallEnd) => void = () => undefined;

  /** Calls are made by `Phone.call` and by the event `call`. */
  constructor(link: CallLink) {
    super();
    this.#link = link;
    this.id = link.id;
    this.direction = link.direction;
    this.peer = link.peer;
    this.account = link.account;
    const brought = link.act((call) => call.arrival?.request);
    this.invite = brought === undefined ? undefined : sipRequest(brought);
    this.answered = new Promise((resolve, reject) => {
      this.#resolveAnswered = resolve;
      this.#rejectAnswered = reject;
    });
    this.answered.catch(() => undefined);
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  get state(): CallState {
    return this.#state;
  }

  /** We hold the other side. */
  get held(): boolean {
    return this.#link.act((call) => call.held) ?? false;
  }

  /**
   * Takes an incoming call; resolves when it is answered.
   * @throws CallError if it ends before that.
   * @throws StateError if it is one of our own.
   */
  async answer(): Promise<void> {
    if (this.direction === "outgoing") throw new StateError("only the callee can answer a call");
    this.#link.act((call, now) => call.answer(now));
    await this.answered;
  }

  /**
   * Refuses an incoming call that was not answered.
   * @param status 400..699; 486 Busy Here, 603 Decline …
   * @throws RangeError if it is none of these.
   */
  refuse(status = 486): void {
    if (!(Number.isInteger(status) && status >= 400 && status <= 699)) {
      throw new RangeError(`${status} refuses no call; give 400 to 699`);
    }
    this.#link.act((call, now) => call.refuse(now, status));
  }

  /** Ends it in whatever way its state asks for (CANCEL, a refusal or BYE); resolves when it is over. */
  async hangup(): Promise<CallEnd> {
    this.#link.act((call, now) => call.hangUp(now));
    return await this.ended;
  }

  /**
   * Holds the other side; resolves when it has agreed.
   * @throws CallError if it has not, and StateError if there is no answered call.
   */
  async hold(): Promise<void> {
    await this.#change(true);
  }

  /**
   * Ends a hold of ours; resolves when the other side has agreed.
   * @throws CallError if it has not, and StateError if there is no answered call.
   */
  async resume(): Promise<void> {
    await this.#change(false);
  }

  /**
   * Hands the other side over (REFER, RFC 3515): it calls `to`, or the other side of that call in our place (Replaces,
   * RFC 3891). Resolves when it has told that its call was answered; this one ends then.
   * @param to what `Phone.call` takes, or another answered call of this phone.
   * @throws CallError if it would not, or nobody answered: this call goes on; StateError if there is no answered call,
   *   or it is being handed over; TypeError if `to` cannot be dialled.
   */
  async transfer(to: string | Call): Promise<void> {
    const callee = to instanceof Call ? to.#link.act((call) => call) : dialled(to);
    if (callee === undefined && !(to instanceof Call)) {
      throw new TypeError(`${shown(to)} cannot be dialled`);
    }
    this.#mustBeUp();
    const hand = (call: CoreCall, now: Instant): boolean =>
      callee !== undefined && call.transfer(now, callee);
    await this.#accomplish("transfer", "transferred", "transfer-failed", hand);
  }

  /**
   * Sends keys as telephone-events (RFC 4733), at most 64 waiting.
   * @param keys of 0–9, A–D, * and #.
   * @throws RangeError if there are others; CallError if the other side takes none, too many wait, or the call is over.
   */
  sendDtmf(keys: string): void {
    if (typeof keys !== "string" || !areKeys(keys)) {
      throw new RangeError(`${shown(keys)} are no keys; give 0-9, A-D, * and #`);
    }
    const sent = this.#link.act((call) => call.press(keys)) ?? false;
    if (!sent) throw new CallError("keys cannot be sent", "not-possible");
  }

  /**
   * Says something, instead of what was being said; before the answer it waits for that. In between there is silence.
   * Resolves true when all of it was said, false if it was stopped or the call ended.
   * @throws AudioError if it is no audio, or what reading the file or stream throws.
   */
  async play(input: AudioInput, options: PlayOptions = {}): Promise<boolean> {
    return await this.#link.voice.play(input, options);
  }

  /**
   * What is heard from now on: 16 bit mono PCM at 8 kHz, little-endian, some 60 ms late; lost packets are silence. The
   * stream ends with the call. A reader that is more than a minute behind misses what comes.
   */
  listen(): Readable {
    return this.#link.hearing.listen();
  }

  /**
   * Keeps what is heard from now on in a WAV file; resolves when the call is over (or `signal` is aborted) and the file
   * is whole.
   * @throws Error if the file cannot be written.
   */
  async record(path: string | URL, options: WaitOptions = {}): Promise<void> {
    await this.#link.hearing.record(path, options.signal);
  }

  /** @internal Its signal was aborted: whoever waits for the answer hears why, and it ends. */
  abandon(reason: unknown): void {
    this.#rejectAnswered(reason);
    this.#link.act((call, now) => call.hangUp(now));
  }

  /** @internal The phone passes on its events of this call. */
  tell(event: AnyEvent): void {
    const name = event.event.slice("call.".length);
    if (isPhoneEvent(event, "call.ended")) {
      this.#end(event);
    } else if (name === "ringing") {
      this.#state = "ringing";
    } else if (name === "answered") {
      this.#state = "answered";
      this.#resolveAnswered();
    }
    // The name is one of CallEvents, and its event has the fields of that name.
    (this as EventEmitter).emit(name, event);
  }

  #end(event: EventOf<PhoneEventFields, "call.ended">): void {
    this.#state = "ended";
    const { why, status, seconds, sent, received, lost, outOfOrder, jitterMs } = event;
    const { lostThere, roundTripMs } = event;
    const said = {
      ...(status === undefined ? {} : { status }),
      ...(lostThere === undefined ? {} : { lostThere }),
      ...(roundTripMs === undefined ? {} : { roundTripMs }),
    };
    this.#link.voice.close();
    this.#link.hearing.close();
    this.#rejectAnswered(new CallError(`the call of ${this.peer} was not answered`, why, status));
    this.#resolveEnded({ why, ...said, seconds, sent, received, lost, outOfOrder, jitterMs });
  }

  async #change(held: boolean): Promise<void> {
    this.#mustBeUp();
    if (this.held === held) return;
    const [what, agreed] = held ? (["hold", "held"] as const) : (["resume", "resumed"] as const);
    await this.#accomplish(what, agreed, "reinvite-failed", (call, now) => {
      if (held) call.hold(now);
      else call.resume(now);
      return true;
    });
  }

  #mustBeUp(): void {
    if (this.#state === "ended") throw new StateError("the call is over");
    if (this.#state !== "answered") throw new StateError("the call is not answered");
  }

  /** Resolves when the other side has agreed to a deed of ours; `deed` is false if that cannot be now. */
  async #accomplish(
    what: string,
    agreed: keyof CallEvents,
    refused: keyof CallEvents,
    deed: (call: CoreCall, now: Instant) => boolean,
  ): Promise<void> {
    const over = new AbortController();
    const { signal } = over;
    const done = async (): Promise<void> => {
      for (;;) {
        const [event] = await once(this, agreed, { signal });
        if ((event as { by?: string }).by !== "peer") return;
      }
    };
    const failed = async (): Promise<never> => {
      const [event] = await once(this, refused, { signal });
      const { why, status } = event as { why: string; status?: number };
      throw new CallError(what, why, status);
    };
    const ended = this.ended.then(({ why, status }) => {
      // Told in one turn with the end that it brings.
      if (why !== agreed) throw new CallError(what, why, status);
    });
    const outcomes = [done(), failed(), ended];
    // Those that are no longer waited for end with the signal.
    for (const outcome of outcomes) outcome.catch(() => undefined);
    try {
      const able = this.#link.act(deed) ?? false;
      if (!able) throw new StateError(`${what}: that cannot be now`);
      await Promise.race(outcomes);
    } finally {
      over.abort();
    }
  }
}
