/**
 * The audio of one call: its local port, the flow to the peer, the stream, and what offer and answer say of them.
 * Signalling tells it what was agreed; the loss of a server never reaches it.
 */
import {
  type Answer,
  type LocalMedia,
  type Negotiated,
  OfferAnswer,
  type Refusal,
} from "../dialog/offer-answer.ts";
import type { Direction } from "../dialog/session-description.ts";
import type { FlowId, Instant, Local, LossCause, Peer } from "../machine.ts";
import { RtpSession, type RtpUser } from "../media/rtp-session.ts";
import { Timer, type TimerOwner } from "../timers.ts";
import type { Flow, MediaUser } from "../transaction/user.ts";
import type { CallEnvironment, Field } from "./call-environment.ts";
import { MAX_STRANGERS } from "./limits.ts";

/** Told what becomes of the audio. */
export interface CallMediaOwner {
  /** Of the call, unique on its phone. */
  readonly id: number;
  mediaReady(now: Instant): void;
  /** No port for it can be had, or the one it had is gone. */
  mediaFailed(now: Instant, cause: LossCause): void;
  report(event: string, fields: Readonly<Record<string, Field>>): void;
}

/** Audio that was due and missing for so long is missed. */
const SILENCE_MS = 2000;
const WATCH_MS = 1000;
/** A broken flow to the peer is opened anew after this. */
const REOPEN_MS = 1000;
export class CallMedia implements MediaUser, RtpUser, TimerOwner {
  readonly stream: RtpSession;
  readonly #environment: CallEnvironment;
  readonly #owner: CallMediaOwner;
  readonly #session: OfferAnswer;
  readonly #listener: FlowId;
  readonly #watch: Timer;
  readonly #reopen: Timer;
  #local: Local | undefined;
  /** The flow to where the peer said it is; 0: none. */
  #agreed: FlowId = 0;
  /** What `call.media` told last. */
  #told = "";
  #remote = "";
  /** Flows from elsewhere; the first is listened to until the agreed one speaks (a peer behind a NAT). */
  #strangers: FlowId[] = [];
  #agreedSpoke = false;
  #hearing = false;
  /** When the stream began to expect audio. */
  #expectedSince: Instant = 0;

  constructor(environment: CallEnvironment, owner: CallMediaOwner) {
    this.#environment = environment;
    this.#owner = owner;
    this.#session = new OfferAnswer(environment.entropy.uint32());
    this.#watch = new Timer("hearing", this);
    this.#reopen = new Timer("reopen", this);
    const source = environment.audioSource(owner.id);
    const sink = environment.audioSink?.(owner.id);
    const { recordedSamples } = environment;
    this.stream = new RtpSession(environment, { source, recordedSamples, sink }, this);
    this.#listener = environment.sender.nextFlow();
  }

  /** Asks for a port; `mediaReady` or `mediaFailed` follows. */
  prepare(): void {
    const { sender, world, mediaAddress } = this.#environment;
    sender.media(this.#listener, this);
    world.bind(this.#listener, { transport: "rtp", address: mediaAddress, port: 0 });
  }

  get ready(): boolean {
    return this.#local !== undefined;
  }

  get negotiated(): Negotiated | undefined {
    return this.#session.negotiated;
  }

  /** An offer of ours waits for its answer. */
  get offering(): boolean {
    return this.#session.offering;
  }

  /** Whether audio came in lately. */
  flows(now: Instant): boolean {
    return now - this.stream.heardAt < SILENCE_MS;
  }

  /** Whether audio should come in and does not: what is held proves nothing. */
  missed(now: Instant): boolean {
    return this.negotiated?.receives === true && !this.flows(now);
  }

  /** @param flow the signalling goes over: its local address is told if media listens on all of them. */
  offer(flow: Flow, wish: Direction): string {
    return this.#session.offer(this.#localFor(flow), wish);
  }

  /** The peer's answer to our offer. */
  answered(now: Instant, flow: Flow, body: string): Negotiated | Refusal {
    const result = this.#session.answered(this.#localFor(flow), body);
    if (result.kind === "negotiated") this.#apply(now, result);
    return result;
  }

  /** As `answered`, before the call is: nothing is carried out until `start`. */
  learn(flow: Flow, body: string): Negotiated | Refusal {
    return this.#session.answered(this.#localFor(flow), body);
  }

  /** An answer to the peer's offer, to be carried out with `start` once it was sent. */
  answer(flow: Flow, body: string, wish: Direction): Answer | Refusal {
    return this.#session.answer(this.#localFor(flow), body, wish);
  }

  /** Goes on as was agreed last. */
  start(now: Instant): void {
    if (this.negotiated !== undefined) this.#apply(now, this.negotiated);
  }

  withdrawOffer(): void {
    this.#session.withdraw();
  }

  /** What went out and came in, for the record. */
  get figures(): Readonly<Record<string, number>> {
    const { sent, reception } = this.stream;
    const { received, lost, outOfOrder, jitterMs } = reception;
    const figures = { sent, received, lost, outOfOrder, jitterMs: inTenths(jitterMs) };
    const { lostThere, roundTripMs } = this.stream.reporter ?? {};
    return {
      ...figures,
      ...(lostThere === undefined ? {} : { lostThere }),
      ...(roundTripMs === undefined ? {} : { roundTripMs: inTenths(roundTripMs) }),
    };
  }

  close(): void {
    const { sender, world, timers } = this.#environment;
    if (this.#agreed !== 0) this.stream.reporter?.sayGoodbye();
    this.stream.stop();
    timers.silence(this.#watch);
    timers.silence(this.#reopen);
    for (const flow of [...this.#strangers, this.#agreed, this.#listener]) {
      if (flow === 0) continue;
      sender.media(flow, undefined);
      world.close(flow);
    }
    this.#strangers = [];
    this.#agreed = 0;
  }

  bound(now: Instant, _flow: FlowId, local: Local): void {
    this.#local = local;
    this.#owner.mediaReady(now);
  }

  opened(_now: Instant, flow: FlowId, _peer: Peer): void {
    if (flow === this.#agreed) return;
    if (this.#strangers.length < MAX_STRANGERS) {
      this.#strangers.push(flow);
    } else {
      this.#environment.sender.media(flow, undefined);
      this.#environment.world.close(flow);
    }
  }

  received(now: Instant, flow: FlowId, bytes: Uint8Array): void {
    if (flow === this.#agreed) this.#agreedSpoke = true;
    else if (this.#agreedSpoke || flow !== this.#strangers[0]) return;
    this.stream.received(now, bytes);
    if (!this.#hearing && this.stream.heardAt === now) {
      this.#hearing = true;
      this.#owner.report("call.heard", {});
    }
  }

  lost(now: Instant, flow: FlowId, cause: LossCause): void {
    if (flow === this.#listener) {
      this.#owner.mediaFailed(now, cause);
    } else if (flow === this.#agreed) {
      this.#agreed = 0;
      this.stream.stop();
      this.#environment.timers.set(this.#reopen, now + REOPEN_MS);
    } else {
      this.#strangers = this.#strangers.filter((stranger) => stranger !== flow);
    }
  }

  /** By telephone-event or INFO. */
  keyPressed(_now: Instant, key: string): void {
    this.#owner.report("call.key-pressed", { key });
  }

  rang(now: Instant, timer: Timer): void {
    if (timer === this.#reopen) {
      this.start(now);
      return;
    }
    const silentSince = Math.max(this.stream.heardAt, this.#expectedSince);
    if (this.#hearing && now - silentSince >= SILENCE_MS) {
      this.#hearing = false;
      this.#owner.report("call.silenced", {});
    }
    this.#environment.timers.set(timer, now + WATCH_MS);
  }

  #localFor(flow: Flow): LocalMedia {
    const local = this.#local as Local;
    const everywhere = local.address === "0.0.0.0" || local.address === "::";
    return { address: everywhere ? flow.peer.localAddress : local.address, port: local.port };
  }

  #apply(now: Instant, negotiated: Negotiated): void {
    const { codec, direction } = negotiated;
    this.#connect(negotiated);
    const changed = `${codec} ${direction} ${this.#remote}`;
    if (changed !== this.#told) {
      this.#told = changed;
      this.#owner.report("call.media", { codec, direction, remote: this.#remote });
    }
    this.stream.start(now, this.#agreed, {
      ...negotiated,
      sends: negotiated.sends && this.#agreed !== 0,
    });
    if (!negotiated.receives) {
      this.#environment.timers.silence(this.#watch);
      this.#hearing = false;
    } else if (!this.#watch.pending) {
      this.#expectedSince = now;
      this.#environment.timers.set(this.#watch, now + WATCH_MS);
    }
  }

  #connect({ remoteAddress, remotePort }: Negotiated): void {
    const { sender, world } = this.#environment;
    const remote = `${remoteAddress} ${remotePort}`;
    if (remote === this.#remote && this.#agreed !== 0) return;
    if (this.#agreed !== 0) {
      sender.media(this.#agreed, undefined);
      world.close(this.#agreed);
      this.#agreed = 0;
    }
    this.#remote = remote;
    this.#agreedSpoke = false;
    if (remotePort === 0 || remoteAddress === "0.0.0.0" || remoteAddress === "::") return;
    this.#agreed = sender.nextFlow();
    sender.media(this.#agreed, this);
    const target = { transport: "rtp", address: remoteAddress, port: remotePort } as const;
    world.open(this.#agreed, target, { from: this.#listener, connected: false });
  }
}

function inTenths(value: number): number {
  return Math.round(value * 10) / 10;
}
