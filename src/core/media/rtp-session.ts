/**
 * One audio stream between two phones (RFC 3550, RFC 3551): a packet out every 20 ms from a source, packets in
 * counted and, if wanted, kept. Signalling starts, changes and stops it, and nothing else does.
 */
import { type FlowId, type Instant, NEVER, type World } from "../machine.ts";
import type { Entropy } from "../primitives.ts";
import { Timer, type TimerOwner, type Timers } from "../timers.ts";
import { type CodecName, codecNamed, codecOfPayloadType, type G711 } from "./g711.ts";
import { type AudioSink, Playout } from "./playout.ts";
import { Recording } from "./recording.ts";
import { isRtcp } from "./rtcp.ts";
import { type ReportedStream, RtcpReporter } from "./rtcp-reporter.ts";
import {
  newRtpHeader,
  parseRtp,
  printRtp,
  Reception,
  RTP_HEADER_BYTES,
  type RtpHeader,
  SAMPLES_PER_MS,
} from "./rtp.ts";
import {
  TELEPHONE_EVENT_BYTES,
  TelephoneEventReceiver,
  TelephoneEventSender,
} from "./telephone-event.ts";
import type { AudioSource } from "./tones.ts";

export const PACKET_MS = 20;
const SAMPLES_PER_PACKET = 160;
/** Room for so many is asked for at once: memory outside the heap takes longer to get than a packet to make. */
const PACKETS_AT_ONCE = 16;
const ROOM_BYTES = PACKETS_AT_ONCE * (RTP_HEADER_BYTES + SAMPLES_PER_PACKET);
/** A world that stood still for longer than this skips what it missed instead of sending it at once. */
const MAX_BEHIND_MS = 5 * PACKET_MS;

/** What offer and answer agreed on for one stream. */
export interface StreamAgreement {
  readonly codec: CodecName;
  readonly payloadType: number;
  /** The payload type of telephone-event towards the peer; undefined if it takes none. */
  readonly telephoneEvent: number | undefined;
  /** The payload type that the peer was told to send telephone-event with. */
  readonly telephoneEventIn: number | undefined;
  readonly sends: boolean;
  readonly receives: boolean;
  /** Both sides take RTCP on the ports of the audio (RFC 5761). */
  readonly rtcpMux: boolean;
}

/** Told what a stream brings besides audio. */
export interface RtpUser {
  keyPressed(now: Instant, key: string): void;
}

export interface RtpEnvironment {
  readonly world: World;
  readonly timers: Timers;
  readonly entropy: Entropy;
}

export interface RtpOptions {
  readonly source: AudioSource;
  /** At most so many samples received are kept, at 8 kHz; 0: none. */
  readonly recordedSamples: number;
  /** Hears what comes while it comes. */
  readonly sink?: AudioSink | undefined;
}

export class RtpSession implements ReportedStream, TimerOwner {
  readonly reception: Reception = new Reception();
  readonly recording: Recording;
  /** Packets sent. */
  sent = 0;
  /** Bytes of payload sent. */
  octets = 0;
  /** Made when RTCP was first agreed on. */
  reporter: RtcpReporter | undefined;
  /** Datagrams that were neither audio nor keys: RTCP, unknown payload types, noise. */
  ignored = 0;
  /** When audio last came in; before any, -Infinity. */
  heardAt: Instant = -NEVER;
  readonly #environment: RtpEnvironment;
  readonly #options: RtpOptions;
  readonly #user: RtpUser;
  readonly #playout: Playout | undefined;
  readonly #timer: Timer;
  readonly #keysOut = new TelephoneEventSender();
  readonly #keysIn = new TelephoneEventReceiver();
  readonly #incoming: RtpHeader = newRtpHeader();
  readonly #outgoing: RtpHeader = newRtpHeader();
  readonly #frame = new Int16Array(SAMPLES_PER_PACKET);
  #flow: FlowId = 0;
  #agreement: StreamAgreement | undefined;
  #codec: G711 = codecNamed("PCMU");
  /** The sampling clock at the next packet. */
  #timestamp: number;
  #due: Instant = 0;
  #keyTimestamp = 0;
  #talking = false;
  /** For the next packets; whoever has been given one keeps it. */
  #room = new ArrayBuffer(0);
  #taken = 0;

  constructor(environment: RtpEnvironment, options: RtpOptions, user: RtpUser) {
    this.#environment = environment;
    this.#options = options;
    this.#user = user;
    this.#timer = new Timer("rtp", this);
    this.recording = new Recording(options.recordedSamples);
    if (options.sink !== undefined) this.#playout = new Playout(options.sink);
    const { entropy } = environment;
    this.#outgoing.ssrc = entropy.uint32();
    this.#outgoing.sequence = entropy.uint32() & 0xffff;
    this.#timestamp = entropy.uint32();
  }

  /** The flow it sends on; 0 before the first start. */
  get flow(): FlowId {
    return this.#flow;
  }

  get ssrc(): number {
    return this.#outgoing.ssrc;
  }

  timestampAt(now: Instant): number {
    return (this.#timestamp + Math.round((now - this.#due) * SAMPLES_PER_MS)) >>> 0;
  }

  /** Begins, or goes on differently after a new agreement; numbers and clock carry on (RFC 3550 §5.1). */
  start(now: Instant, flow: FlowId, agreement: StreamAgreement): void {
    this.#flow = flow;
    this.#agreement = agreement;
    this.#codec = codecNamed(agreement.codec);
    if (!agreement.sends) this.#rest();
    else if (!this.#timer.pending) this.#talk(now);
    if (agreement.rtcpMux) {
      this.reporter ??= new RtcpReporter(this.#environment, this);
      this.reporter.start(now);
    } else {
      this.reporter?.stop();
    }
  }

  stop(): void {
    this.#agreement = undefined;
    this.reporter?.stop();
    this.#playout?.end();
    this.#rest();
  }

  /** Queues keys as telephone-events; false if the peer takes none, or they are no keys, or too many wait. */
  press(keys: string): boolean {
    const agreement = this.#agreement;
    if (agreement?.telephoneEvent === undefined || !agreement.sends) return false;
    return this.#keysOut.press(keys);
  }

  received(now: Instant, bytes: Uint8Array): void {
    const agreement = this.#agreement;
    const header = this.#incoming;
    if (agreement === undefined || !parseRtp(bytes, header)) {
      if (agreement?.rtcpMux === true && isRtcp(bytes)) this.reporter?.received(now, bytes);
      else this.ignored += 1;
      return;
    }
    const { payloadType, payloadStart, payloadEnd, timestamp } = header;
    if (payloadType === agreement.telephoneEventIn) {
      this.reception.count(now, header, false);
      this.heardAt = now;
      const key = this.#keysIn.heard(timestamp, bytes, payloadStart, payloadEnd);
      if (key !== undefined) this.#user.keyPressed(now, key);
      return;
    }
    const codec =
      payloadType === agreement.payloadType ? this.#codec : codecOfPayloadType(payloadType);
    if (codec === undefined) {
      this.ignored += 1;
      return;
    }
    this.reception.count(now, header, true);
    this.heardAt = now;
    if (!agreement.receives) return;
    this.recording.keep(codec, header, bytes);
    this.#playout?.take(codec, header, bytes);
  }

  rang(now: Instant, timer: Timer): void {
    const agreement = this.#agreement;
    if (agreement === undefined) return;
    this.#send(agreement);
    this.#due += PACKET_MS;
    if (now - this.#due > MAX_BEHIND_MS) {
      const missed = Math.floor((now - this.#due) / PACKET_MS);
      this.#timestamp += missed * SAMPLES_PER_PACKET;
      this.#due += missed * PACKET_MS;
    }
    this.#environment.timers.set(timer, this.#due);
  }

  #send(agreement: StreamAgreement): void {
    const header = this.#outgoing;
    const key = agreement.telephoneEvent !== undefined && this.#keysOut.next();
    const payload = key ? TELEPHONE_EVENT_BYTES : SAMPLES_PER_PACKET;
    const packet = this.#newPacket(RTP_HEADER_BYTES + payload);
    // The source is read during a key too: speech goes on meanwhile, it is only not sent.
    this.#options.source.read(this.#frame);
    if (key) {
      if (this.#keysOut.first) this.#keyTimestamp = this.#timestamp;
      header.marker = this.#keysOut.first;
      header.payloadType = agreement.telephoneEvent as number;
      header.timestamp = this.#keyTimestamp;
      this.#keysOut.print(packet, RTP_HEADER_BYTES);
    } else {
      header.marker = !this.#talking;
      header.payloadType = agreement.payloadType;
      header.timestamp = this.#timestamp;
      this.#codec.encode(this.#frame, packet, RTP_HEADER_BYTES);
    }
    this.#talking = !key;
    printRtp(header, packet);
    header.sequence = (header.sequence + 1) & 0xffff;
    this.#timestamp += SAMPLES_PER_PACKET;
    this.sent += 1;
    this.octets += payload;
    this.#environment.world.send(this.#flow, packet);
  }

  #newPacket(bytes: number): Uint8Array {
    if (this.#taken + bytes > this.#room.byteLength) {
      this.#room = new ArrayBuffer(ROOM_BYTES);
      this.#taken = 0;
    }
    const packet = new Uint8Array(this.#room, this.#taken, bytes);
    this.#taken += bytes;
    return packet;
  }

  #talk(now: Instant): void {
    // The sampling clock ran on while nothing was sent (RFC 3551 §4.1).
    if (this.sent > 0)
      this.#timestamp += Math.max(0, Math.round((now - this.#due) * SAMPLES_PER_MS));
    this.#due = now;
    this.#environment.timers.set(this.#timer, now);
  }

  #rest(): void {
    this.#environment.timers.silence(this.#timer);
    this.#talking = false;
  }
}
