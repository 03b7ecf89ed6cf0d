/**
 * A SIP message as the stack holds it (RFC 3261 §7): a start line, headers kept as the text that came, and a
 * body. All text is latin1, one character a byte. Typed views of headers are parsed where they are asked for.
 */
import type { Headers } from "./headers.ts";

/** A request; a peer's as it came, or ours to be sent. */
export interface Request {
  readonly kind: "request";
  method: string;
  /** The Request-URI as written. */
  uri: string;
  readonly headers: Headers;
  body: string;
}

/** A response; a peer's as it came, or ours to be sent. */
export interface Response {
  readonly kind: "response";
  /** 100..699. */
  status: number;
  reason: string;
  readonly headers: Headers;
  body: string;
}

/**
 * What could not be accepted. With a `request` (its readable part) the peer can be answered with
 * `status`; without, the bytes are to be dropped.
 */
export interface Malformed {
  readonly kind: "malformed";
  /** The status to answer a request with: 400, 414, 505, 513 … */
  readonly status: number;
  readonly reason: string;
  /** Byte offset of the fault. */
  readonly offset: number;
  readonly request?: Request;
}

/** What `parseMessage` gives for sound bytes. */
export type Message = Request | Response;
