/** What a phone gives its calls: the narrow seam between a call and all that lies below and around it. */

import type { FlowId, Instant, Peer } from "../machine.ts";
import type { AudioSink } from "../media/playout.ts";
import type { RtpEnvironment } from "../media/rtp-session.ts";
import type { AudioSource } from "../media/tones.ts";
import type { Request, Response } from "../message/message.ts";
import type { CallPolicy } from "../redundancy/call-policy.ts";
import type { RedundancyPolicy, ServerPolicy } from "../redundancy/policy.ts";
import type { RequestUser } from "../redundancy/request.ts";
import type { Flow, MediaUser, ServerTransaction } from "../transaction/user.ts";
import type { Composer } from "./composer.ts";
import type { ReferTarget } from "./refer-to.ts";

/** The transport below, as far as media uses it. */
export interface MediaSender {
  /** A number for a flow that the call binds or opens by himself. */
  nextFlow(): FlowId;
  /** The facts of this flow, and of flows that arrive through it, go to `user`; undefined: to nobody. */
  media(flow: FlowId, user: MediaUser | undefined): void;
}

/** A logical request on its way, as its sender holds it. */
export interface SentRequest {
  /** `final` or `failed` follows, for an INVITE that was heard of maybe late. */
  cancel(now: Instant): void;
  /** Ends without a word to anybody, and is repeated no more if there is a `now`. */
  drop(now?: Instant): void;
}

/** Where the requests of a dialog go. */
export interface DialogWay {
  /** The URI that RFC 3261 §12.2.1.1 sends to: the topmost route, or the peer itself. */
  readonly nextHop: string;
  /** The flow over which the peer was heard last: the server at its end is the first to be tried. */
  readonly flow: Flow;
  /**
   * Made by an answer that nobody wants any more: its end is told where that came from, be it a server that was left
   * (RFC 3261 §13.2.2.4).
   */
  readonly unwanted?: boolean;
}

/** Told what arrives inside a dialog. */
export interface DialogUser {
  requested(now: Instant, transaction: ServerTransaction, flow: Flow): void;
  acknowledged(now: Instant, ack: Request): void;
  /** A 2xx to an INVITE of the dialog that is given up and forgotten. False: nothing stands that it could belong to. */
  answeredLate(now: Instant, response: Response, flow: Flow): boolean;
}

/** Told how a call fares, beside the call itself: for who asked for it, or the call whose place it takes. */
export interface CallWitness {
  /** @param status 100..699; one of 200 or more is the last. */
  heard(now: Instant, status: number): void;
}

/** What a phone keeps so that messages find their call. */
export interface CallRegister {
  /** @param key of dialogKey. */
  join(key: string, user: DialogUser): void;
  leave(key: string): void;
  /** Places a call at the wish of a peer, who is told by `told`; its number, undefined if there can be none. */
  refer(environment: CallEnvironment, target: ReferTarget, told: CallWitness): number | undefined;
  /** A call was answered. */
  answered(now: Instant): void;
  /** The call is over for people; a BYE may still be on its way. */
  over(now: Instant, call: number, answered: boolean): void;
  /** Nothing is left of the call. */
  gone(call: number): void;
}

/** One value of an event. */
export type Field = string | number | boolean | undefined;

export interface CallEnvironment extends RtpEnvironment {
  readonly sender: MediaSender;
  readonly composer: Composer;
  readonly policy: RedundancyPolicy;
  readonly callPolicy: CallPolicy;
  readonly register: CallRegister;
  /** Where media listens: a literal address, or `0.0.0.0` or `::` for all. */
  readonly mediaAddress: string;
  /** At most so many samples received are kept, at 8 kHz; 0: none. */
  readonly recordedSamples: number;
  /** What a call says to its peer. */
  audioSource(call: number): AudioSource;
  /** Who hears its peer while it speaks. */
  audioSink?(call: number): AudioSink | undefined;
  /** A configured server, 1-based. */
  server(index: number): ServerPolicy;
  /** Whether a server of the account stands at the peer's address. */
  isServer(peer: Peer): boolean;
  /** Sends a request that begins a dialog, down the list of places. */
  send(now: Instant, user: RequestUser, cseq: number): SentRequest;
  /** Sends a request of a dialog: along its way, then to the other targets of the same server. */
  sendInDialog(now: Instant, user: RequestUser, cseq: number, way: DialogWay): SentRequest;
  /** Sends the ACK of a 2xx along the dialog's way, outside any transaction; `compose` is told the flow. */
  acknowledge(now: Instant, way: DialogWay, compose: (flow: Flow) => Request): void;
  report(event: string, fields: Readonly<Record<string, Field>>): void;
}
