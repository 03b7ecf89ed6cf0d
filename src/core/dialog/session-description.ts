/**
 * SDP as text ⇄ values (RFC 4566): what an audio phone must know of a description, and the rest kept as it came.
 * Our own small reader, not sdp-transform: that one is CommonJS, throws on malformed lines and cannot be loaded
 * by the page as it is.
 */
import { MAX_FORMATS, MAX_MEDIA } from "./limits.ts";

/** Which way media goes, as the side that says so sees it (RFC 8866 §6.7). */
export type Direction = "sendrecv" | "sendonly" | "recvonly" | "inactive";

/** What an SDP says of the session, and each of its media. */
export interface SessionDescription {
  readonly kind: "sdp";
  /** `o=` split at its blanks: user, session id, version, network type, address type, address. */
  readonly origin: readonly string[];
  /** The `t=` line, which an answer repeats (RFC 3264 §6). */
  readonly timing: string;
  readonly media: readonly MediaDescription[];
}

/** One `m=` line with what holds for it, from its own lines or from the session's. */
export interface MediaDescription {
  /** `audio`, `video` … */
  readonly media: string;
  /** 0: refused, or switched off. */
  readonly port: number;
  readonly protocol: string;
  readonly formats: readonly string[];
  /** The address of `c=`, without TTL; undefined: there is none. */
  readonly address: string | undefined;
  readonly direction: Direction;
  /** `a=rtcp-mux` (RFC 5761 §5.1.1). */
  readonly rtcpMux: boolean;
  /** `name/clock`, lower case, by payload type; the static types that are not written down are not here. */
  readonly encodings: ReadonlyMap<number, string>;
}

/** No SDP, and why. */
export interface BadDescription {
  readonly kind: "bad-sdp";
  readonly why: string;
  /** 1-based. */
  readonly line: number;
}

const MEDIA = /^([\w-]+) (\d{1,5})(?:\/\d+)? (\S+) (\S+(?: \S+)*) *$/;
const CONNECTION = /^IN IP[46] ([^ /]+)(?:\/[\d/]+)? *$/;
const DIRECTION = /^(?:sendrecv|sendonly|recvonly|inactive)$/;
const ENCODING = /^(\d{1,3}) +([^ /]+\/\d+)(?:\/1)?(?: |$)/;

class Section {
  readonly head: RegExpExecArray | undefined;
  address: string | undefined;
  direction: Direction | undefined;
  rtcpMux = false;
  readonly encodings = new Map<number, string>();

  constructor(head: RegExpExecArray | undefined) {
    this.head = head;
  }

  described(session: Section): MediaDescription {
    const [, media = "", port = "0", protocol = "", formats = ""] = this.head ?? [];
    return {
      media,
      port: Number(port),
      protocol,
      formats: formats.split(" "),
      address: this.address ?? session.address,
      direction: this.direction ?? session.direction ?? "sendrecv",
      rtcpMux: this.rtcpMux,
      encodings: this.encodings,
    };
  }
}

/** Reads SDP (RFC 8866) as far as calls need it. */
export function parseDescription(text: string): SessionDescription | BadDescription {
  const lines = text.split(/\r\n|\n|\r/);
  const session = new Section(undefined);
  const sections: Section[] = [];
  let origin: string[] | undefined;
  let timing = "0 0";
  if (lines[0]?.trimEnd() !== "v=0") return bad("does not begin with v=0", 1);
  for (const [index, line] of lines.entries()) {
    const value = line.slice(2);
    const section = sections[sections.length - 1] ?? session;
    if (line === "") continue;
    if (line.charAt(1) !== "=") return bad("not a line of SDP", index + 1);
    if (line.startsWith("o=")) {
      origin = value.trim().split(/ +/);
      if (origin.length !== 6) return bad("o= without its six fields", index + 1);
    } else if (line.startsWith("t=")) {
      timing = value;
    } else if (line.startsWith("m=")) {
      const head = MEDIA.exec(value);
      if (head === null || Number(head[2]) > 65_535) return bad("malformed m=", index + 1);
      if (sections.length === MAX_MEDIA) return bad("too many m= lines", index + 1);
      if ((head[4] as string).split(" ").length > MAX_FORMATS) {
        return bad("too many formats", index + 1);
      }
      sections.push(new Section(head));
    } else if (line.startsWith("c=")) {
      const address = CONNECTION.exec(value)?.[1];
      if (address === undefined) return bad("malformed c=", index + 1);
      // Of several addresses (layered multicast) the first stands.
      section.address ??= address;
    } else if (line.startsWith("a=")) {
      readAttribute(value, section);
    }
  }
  if (origin === undefined) return bad("no o= line", lines.length);
  const media = sections.map((section) => section.described(session));
  return { kind: "sdp", origin, timing, media };
}

function readAttribute(value: string, section: Section): void {
  const text = value.trimEnd();
  if (DIRECTION.test(text)) {
    section.direction = text as Direction;
  } else if (text === "rtcp-mux") {
    section.rtcpMux = true;
  } else if (text.startsWith("rtpmap:")) {
    const encoding = ENCODING.exec(text.slice("rtpmap:".length));
    if (encoding === null) return;
    section.encodings.set(Number(encoding[1]), (encoding[2] as string).toLowerCase());
  }
}

function bad(why: string, line: number): BadDescription {
  return { kind: "bad-sdp", why, line };
}

/** What stands in `o=`, `c=` and around the media of a description of ours. */
export interface DescriptionHead {
  readonly sessionId: number;
  readonly version: number;
  /** A literal address. */
  readonly address: string;
  readonly timing: string;
}

/** One `m=` line of ours: a refused one repeats what was offered, with port 0 (RFC 3264 §6). */
export interface PrintedMedia {
  readonly media: string;
  readonly port: number;
  readonly protocol: string;
  readonly formats: readonly string[];
  /** Without `a=`. */
  readonly attributes: readonly string[];
}

/** Writes SDP with these media. */
export function printDescription(head: DescriptionHead, media: readonly PrintedMedia[]): string {
  const network = `IN ${head.address.includes(":") ? "IP6" : "IP4"} ${head.address}`;
  let text =
    `v=0\r\no=- ${head.sessionId} ${head.version} ${network}\r\ns=-\r\n` +
    `c=${network}\r\nt=${head.timing}\r\n`;
  for (const line of media) {
    text += `m=${line.media} ${line.port} ${line.protocol} ${line.formats.join(" ")}\r\n`;
    for (const attribute of line.attributes) text += `a=${attribute}\r\n`;
  }
  return text;
}
