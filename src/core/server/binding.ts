/**
 * One binding of an address-of-record to a contact (RFC 3261 §10.3), and the text in which the store keeps all
 * bindings of one address-of-record: a line a field, no quoting, since no header value can hold a line end.
 */

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
  /** The name of the node that the phone registered at. */
  readonly node: string;
  /** Where other nodes reach that node: `transport:address:port`. */
  readonly nodeAddress: string;
  /** The flow the REGISTER came over, as a number that only that node's process `boot` understands. */
  readonly flow: number;
  /** One life of one node: flows of an earlier life are gone. */
  readonly boot: string;
  /** Where the REGISTER came from: `transport:address:port`. */
  readonly source: string;
  /** The Path vector as one header value (RFC 3327), or empty. */
  readonly path: string;
  readonly userAgent: string;
}

/** The first line of a record: a later format will say something else. */
const FORMAT = "bindings 1";

const FIELDS = 13;

/** The stored text of a record; `undefined` when nothing is left to store. */
export function encodeBindings(bindings: readonly Binding[]): string | undefined {
  if (bindings.length === 0) return undefined;
  let text = FORMAT;
  for (const b of bindings) {
    text +=
      `\n${b.uri}\n${b.parameters}\n${b.flowKey}\n${b.expires}\n${b.callId}\n${b.cseq}\n${b.node}\n${b.nodeAddress}` +
      `\n${b.flow}\n${b.boot}\n${b.source}\n${b.path}\n${b.userAgent}`;
  }
  return text;
}

/** What can still matter at `epochSeconds`; a text in another format counts as nothing. */
export function decodeBindings(text: string | undefined, epochSeconds: number): Binding[] {
  const bindings: Binding[] = [];
  if (text === undefined) return bindings;
  const lines = text.split("\n");
  if (lines[0] !== FORMAT) return bindings;
  for (let at = 1; at + FIELDS <= lines.length; at += FIELDS) {
    const expires = Number(lines[at + 3]);
    if (Math.abs(expires) <= epochSeconds) continue;
    bindings.push({
      uri: lines[at] as string,
      parameters: lines[at + 1] as string,
      flowKey: lines[at + 2] as string,
      expires,
      callId: lines[at + 4] as string,
      cseq: Number(lines[at + 5]),
      node: lines[at + 6] as string,
      nodeAddress: lines[at + 7] as string,
      flow: Number(lines[at + 8]),
      boot: lines[at + 9] as string,
      source: lines[at + 10] as string,
      path: lines[at + 11] as string,
      userAgent: lines[at + 12] as string,
    });
  }
  return bindings;
}

/** Whether the binding stands; false for one that is only remembered as removed. */
export function isLive(binding: Binding): boolean {
  return binding.expires > 0;
}

/** When the store may forget the record: the end of the longest-lived entry, in epoch seconds. */
export function recordEnd(bindings: readonly Binding[]): number {
  let end = 0;
  for (const { expires } of bindings) end = Math.max(end, Math.abs(expires));
  return end;
}
