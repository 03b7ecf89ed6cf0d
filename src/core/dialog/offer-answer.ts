/**
 * The offer/answer model for one audio stream of G.711 (RFC 3264): what is offered, what an answer makes of an
 * offer, and what both then mean. An offer that comes to nothing leaves all as it was (RFC 3261 §14.1).
 */
import { literalFamily } from "../locate/address.ts";
import { type CodecName, STATIC_PAYLOAD_TYPES } from "../media/g711.ts";
import type { StreamAgreement } from "../media/rtp-session.ts";
import {
  type Direction,
  type MediaDescription,
  type PrintedMedia,
  parseDescription,
  printDescription,
  type SessionDescription,
} from "./session-description.ts";

/** What both sides now hold for agreed. */
export interface Negotiated extends StreamAgreement {
  readonly kind: "negotiated";
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** As we see it: `sendonly` is the peer on hold. */
  readonly direction: Direction;
}

/** Why no session comes of a description; `status` and `warning` (RFC 3261 §20.43) are for the answer, if one is due. */
export interface Refusal {
  readonly kind: "refusal";
  readonly status: 400 | 488;
  readonly warning: number;
  readonly why: string;
}

/** An answer to send, and what holds once it is sent. */
export interface Answer {
  readonly kind: "answer";
  readonly body: string;
  readonly negotiated: Negotiated;
}

/** Where audio is to be sent to us. */
export interface LocalMedia {
  /** A literal address. */
  readonly address: string;
  readonly port: number;
}

const OFFERED_CODECS: readonly CodecName[] = ["PCMU", "PCMA"];
const TELEPHONE_EVENT = 101;
const TELEPHONE_EVENT_ENCODING = "telephone-event/8000";
const AVP = "RTP/AVP";

export class OfferAnswer {
  readonly #sessionId: number;
  #version = 0;
  /** Version and text of the description sent last. */
  #last = "";
  #timing = "0 0";
  /** The `m=` lines of the session: their number and order never change any more (RFC 3264 §8). */
  #lines: readonly MediaDescription[] = [];
  #audioAt = 0;
  /** The direction we want, whatever the peer makes of it. */
  #wish: Direction = "sendrecv";
  #offering = false;
  #negotiated: Negotiated | undefined;

  /** @param sessionId any number below 2^32, drawn once for a call. */
  constructor(sessionId: number) {
    this.#sessionId = sessionId;
  }

  get negotiated(): Negotiated | undefined {
    return this.#negotiated;
  }

  /** An offer of ours waits for its answer. */
  get offering(): boolean {
    return this.#offering;
  }

  /** `sendrecv`, or `sendonly` to hold the peer. */
  offer(local: LocalMedia, wish: Direction): string {
    this.#wish = wish;
    this.#offering = true;
    const audio: PrintedMedia = {
      media: "audio",
      port: local.port,
      protocol: AVP,
      formats: [...OFFERED_CODECS.map(payloadTypeOf), String(TELEPHONE_EVENT)],
      attributes: [
        ...OFFERED_CODECS.map((codec) => `rtpmap:${payloadTypeOf(codec)} ${codec}/8000`),
        ...telephoneEventAttributes(TELEPHONE_EVENT),
        "ptime:20",
        wish,
      ],
    };
    return this.#print(local, audio);
  }

  /** The answer to our offer; a refusal leaves the session as it was. */
  answered(local: LocalMedia, text: string): Negotiated | Refusal {
    this.#offering = false;
    const description = parseDescription(text);
    if (description.kind === "bad-sdp") return refuse(400, 399, `SDP: ${description.why}`);
    if (description.media.length !== Math.max(1, this.#lines.length)) {
      return refuse(488, 399, "as many m= lines as offered are needed");
    }
    const audio = description.media[this.#audioAt] as MediaDescription;
    if (audio.media !== "audio" || audio.port === 0) return refuse(488, 304, "audio was refused");
    const negotiated = negotiate(audio, local, this.#wish, TELEPHONE_EVENT);
    if (negotiated.kind === "negotiated") this.#agree(description, this.#audioAt, negotiated);
    return negotiated;
  }

  /** Our offer was refused or never answered. */
  withdraw(): void {
    this.#offering = false;
  }

  /** Answers the peer's offer, wanting `wish`. */
  answer(local: LocalMedia, text: string, wish: Direction): Answer | Refusal {
    const description = parseDescription(text);
    if (description.kind === "bad-sdp") return refuse(400, 399, `SDP: ${description.why}`);
    if (description.media.length < this.#lines.length) {
      return refuse(488, 399, "m= lines have vanished");
    }
    let refusal = refuse(488, 304, "no audio offered");
    for (const [at, audio] of description.media.entries()) {
      if (audio.media !== "audio" || audio.port === 0) continue;
      const negotiated = negotiate(audio, local, wish, undefined);
      if (negotiated.kind === "refusal") {
        refusal = negotiated;
        continue;
      }
      this.#wish = wish;
      this.#timing = description.timing;
      this.#agree(description, at, negotiated);
      return {
        kind: "answer",
        body: this.#print(local, answerLine(local, negotiated)),
        negotiated,
      };
    }
    return refusal;
  }

  #agree(description: SessionDescription, audioAt: number, negotiated: Negotiated): void {
    this.#lines = description.media;
    this.#audioAt = audioAt;
    this.#negotiated = negotiated;
  }

  #print(local: LocalMedia, audio: PrintedMedia): string {
    const lines =
      this.#lines.length === 0
        ? [audio]
        : this.#lines.map((line, at) => (at === this.#audioAt ? audio : refused(line)));
    const head = { sessionId: this.#sessionId, address: local.address, timing: this.#timing };
    const body = printDescription({ ...head, version: this.#version }, lines);
    if (body === this.#last) return body;
    this.#version += 1;
    this.#last = printDescription({ ...head, version: this.#version }, lines);
    return this.#last;
  }
}

/** What a usable audio line of the peer's means for us, or why it is not usable. */
function negotiate(
  audio: MediaDescription,
  local: LocalMedia,
  wish: Direction,
  ourTelephoneEvent: number | undefined,
): Negotiated | Refusal {
  if (audio.protocol !== AVP) return refuse(488, 302, `${audio.protocol} is not spoken here`);
  if (audio.address === undefined) return refuse(400, 399, "SDP: no c= line");
  // Names are not asked for in the DNS: no phone or relay writes one.
  if (literalFamily(audio.address) !== literalFamily(local.address)) {
    return refuse(488, 301, "no address of our family");
  }
  const payloadType = audio.formats.find((format) => codecOf(audio, format) !== undefined);
  if (payloadType === undefined) return refuse(488, 305, "no G.711 offered");
  const event = audio.formats.find((format) => isTelephoneEvent(audio, format));
  const telephoneEvent = event === undefined ? undefined : Number(event);
  // An address of zeros is how RFC 2543 put a peer on hold: it wants nothing sent.
  const takes = audio.direction !== "sendonly" && !isUnspecified(audio.address);
  const gives = audio.direction !== "recvonly";
  const live = audio.direction !== "inactive" && audio.port !== 0;
  const sends = live && takes && (wish === "sendrecv" || wish === "sendonly");
  const receives = live && gives && (wish === "sendrecv" || wish === "recvonly");
  return {
    kind: "negotiated",
    codec: codecOf(audio, payloadType) as CodecName,
    payloadType: Number(payloadType),
    telephoneEvent,
    telephoneEventIn: ourTelephoneEvent ?? telephoneEvent,
    sends,
    receives,
    // We never offer it: an answer that claims it answers nothing.
    rtcpMux: ourTelephoneEvent === undefined && audio.rtcpMux,
    remoteAddress: audio.address,
    remotePort: audio.port,
    direction: directionOf(sends, receives),
  };
}

function directionOf(sends: boolean, receives: boolean): Direction {
  if (sends) return receives ? "sendrecv" : "sendonly";
  return receives ? "recvonly" : "inactive";
}

/** The one codec that will be used, under the number that the offer gave it (RFC 3264 §6.1). */
function answerLine(local: LocalMedia, negotiated: Negotiated): PrintedMedia {
  const { codec, payloadType, telephoneEvent, direction } = negotiated;
  const formats = [payloadType, telephoneEvent].filter((format) => format !== undefined);
  return {
    media: "audio",
    port: local.port,
    protocol: AVP,
    formats: formats.map(String),
    attributes: [
      `rtpmap:${payloadType} ${codec}/8000`,
      ...(telephoneEvent === undefined ? [] : telephoneEventAttributes(telephoneEvent)),
      "ptime:20",
      ...(negotiated.rtcpMux ? ["rtcp-mux"] : []),
      direction,
    ],
  };
}

function refused({ media, protocol, formats }: MediaDescription): PrintedMedia {
  return { media, port: 0, protocol, formats, attributes: [] };
}

function codecOf(audio: MediaDescription, format: string): CodecName | undefined {
  const encoding = audio.encodings.get(Number(format));
  return OFFERED_CODECS.find((codec) =>
    encoding === undefined
      ? format === payloadTypeOf(codec)
      : encoding === `${codec.toLowerCase()}/8000`,
  );
}

function isTelephoneEvent(audio: MediaDescription, format: string): boolean {
  return audio.encodings.get(Number(format)) === TELEPHONE_EVENT_ENCODING;
}

function payloadTypeOf(codec: CodecName): string {
  return String(STATIC_PAYLOAD_TYPES[codec]);
}

function telephoneEventAttributes(payloadType: number): string[] {
  return [`rtpmap:${payloadType} ${TELEPHONE_EVENT_ENCODING}`, `fmtp:${payloadType} 0-15`];
}

function isUnspecified(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

function refuse(status: 400 | 488, warning: number, why: string): Refusal {
  return { kind: "refusal", status, warning, why };
}
