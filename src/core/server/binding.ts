/**
 * One binding of an address-of-record to a contact (RFC 3261 §10.3), and the text in which the store keeps all
 * bindings of one address-of-record: a line a field, no quoting, since no header value can hold a line end.
 */
import type { FlowId } from "../machine.ts";

export interface Binding {
  /** The contact URI as the phone wrote it. */
  readonly uri: string;
  /** The contact's parameters but `expires`, with the leading semicolon, or empty. */
  readonly parameters: string;
  /** `instance reg-id` where RFC 5626 makes these the key, otherwise empty: the URI is the key. */
  readonly flowKey: string;
  /**
   * Seconds since the epoch at which it ends. Zero or less: removed, and remembered until that many seconds (negated),
   * so that a REGISTER overtaken by its successor on the way does not raise the dead.
   */
  readonly expires: number;
  readonly callId: string;
  readonly cseq: number;
  /** Who holds the flow that the REGISTER came over: the text of a Holder. */
  readonly holder: string;
  /** The Path vector as one header value (RFC 3327), or empty. */
  readonly path: string;
  readonly userAgent: string;
}

/** The node that a phone registered at, and the flow between them. */
export interface Holder {
  readonly node: string;
  /** One life of that node: connections of an earlier life are gone. */
  readonly boot: string;
  /** The connection, or the bound flow of datagrams, as a number that only that life of that node understands. */
  readonly flow: FlowId;
  /** Where the REGISTER came from: `transport:address:port`. */
  readonly source: string;
  /** Where other nodes reach that node: `transport:address:port`. */
  readonly nodeAddress: string;
  readonly sight: Sight;
}

/**
 * How the sender of a request looks from here: `same`, by the address its Via names; `nat`, by another; `proxied`, from
 * behind somebody who is not the phone.
 */
export type Sight = "same" | "nat" | "proxied";

/** None of its parts can hold a space. */
export function holderText(holder: Holder): string {
  const { node, boot, flow, source, nodeAddress, sight } = holder;
  return `${node} ${boot} ${flow} ${source} ${nodeAddress} ${sight}`;
}

export function readHolder(text: string): Holder {
  const [node = "", boot = "", flow = "", source = "", nodeAddress = "", sight] = text.split(" ");
  return { node, boot, flow: Number(flow), source, nodeAddress, sight: sight as Sight };
}

/** The first line of a record: a later format will say something else. */
const FORMAT = "bindings 1\n";

/** The stored text of a record; `undefined` when nothing is left to store. */
export function encodeBindings(bindings: readonly Binding[]): string | undefined {
  if (bindings.length === 0) return undefined;
  let text = FORMAT;
  for (const b of bindings) {
    text +=
      `${b.uri}\n${b.parameters}\n${b.flowKey}\n${b.expires}\n${b.callId}\n${b.cseq}\n` +
      `${b.holder}\n${b.path}\n${b.userAgent}\n`;
  }
  return inOnePiece(text);
}

/**
 * Reading one character makes the engine copy a text into one piece. Otherwise what is stored would be a tree
 * of slices,
 * and keep every datagram alive that a slice was cut from.
 */
export function inOnePiece(text: string): string {
  text.charCodeAt(0);
  return text;
}

/** What can still matter at `epochSeconds`; a text in another format counts as nothing. */
export function decodeBindings(text: string | undefined, epochSeconds: number): Binding[] {
  const bindings: Binding[] = [];
  if (text?.startsWith(FORMAT) !== true) return bindings;
  const lines = new Lines(text, FORMAT.length);
  while (lines.at < text.length) {
    const binding: Binding = {
      uri: lines.next(),
      parameters: lines.next(),
      flowKey: lines.next(),
      expires: lines.nextNumber(),
      callId: lines.next(),
      cseq: lines.nextNumber(),
      holder: lines.next(),
      path: lines.next(),
      userAgent: lines.next(),
    };
    if (Math.abs(binding.expires) > epochSeconds) bindings.push(binding);
  }
  return bindings;
}

class Lines {
  readonly #text: string;
  at: number;

  constructor(text: string, at: number) {
    this.#text = text;
    this.at = at;
  }

  next(): string {
    const start = this.at;
    const end = this.#text.indexOf("\n", start);
    if (end < 0) {
      this.at = this.#text.length;
      return "";
    }
    this.at = end + 1;
    return end === start ? "" : this.#text.slice(start, end);
  }

  /** Without making a string of the digits. */
  nextNumber(): number {
    const text = this.#text;
    const negative = text.charCodeAt(this.at) === 45;
    let index = negative ? this.at + 1 : this.at;
    let value = 0;
    for (let code = text.charCodeAt(index); code >= 48; code = text.charCodeAt(index)) {
      value = value * 10 + code - 48;
      index += 1;
    }
    this.at = index + 1;
    return negative ? -value : value;
  }
}

/** Whether the binding stands; false for one that is only remembered as removed. */
export function isLive(binding: Binding): boolean {
  return binding.expires > 0;
}

/** The epoch second at which what was granted ends: not before a phone that was granted it now has had all of it. */
export function endOf(epochSeconds: number, grantedSeconds: number): number {
  return Math.ceil(epochSeconds) + grantedSeconds;
}

/** Seconds that are left, no more than were granted. 1 at the least: 0 would tell the phone that it is removed. */
export function secondsLeft(expires: number, epochSeconds: number): number {
  return Math.max(1, expires - Math.ceil(epochSeconds));
}

/** When the store may forget the record: the end of the longest-lived entry, in epoch seconds. */
export function recordEnd(bindings: readonly Binding[]): number {
  let end = 0;
  for (const { expires } of bindings) end = Math.max(end, Math.abs(expires));
  return end;
}
