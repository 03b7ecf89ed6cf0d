/**
 * Who takes a call that nobody has answered: the box that a user names, as RFC 4458 writes it. A box of our own is a
 * user agent beside this server; any other is called like everybody.
 */
import type { FlowId } from "../machine.ts";
import type { Headers } from "../message/headers.ts";
import { parseUri, type SipUri, uriParam } from "../message/uri.ts";
import type { Callee } from "./branch.ts";
import { hostText } from "./domains.ts";
import { placeText } from "./flow-token.ts";
import type { User } from "./users.ts";
import type { Vantage, Way } from "./ways.ts";

/** Where our own boxes are. */
export interface BoxAgent {
  readonly address: string;
  readonly port: number;
  /** By which it knows requests that this server has admitted. */
  readonly word: string;
}

/** The user part of the agent's own URI. */
export const BOX_USER = "voicemail";

/** Who the call was for, and our word to the agent. */
const TARGET_PARAM = "target";
export const WORD_PARAM = "word";
/** Why; without it the caller wants to hear his messages. */
export const CAUSE_PARAM = "cause";

/** Below every q that a phone can have: called when all others have let the call go. */
const LAST_Q = -1;

/** RFC 4458 §4.1, and the words of RFC 5806 for the same. */
interface Reason {
  readonly cause: number;
  readonly words: string;
}

const UNAVAILABLE: Reason = { cause: 404, words: "unavailable" };
const BUSY: Reason = { cause: 486, words: "user-busy" };
const NO_ANSWER: Reason = { cause: 408, words: "no-answer" };
const DEFLECTED: Reason = { cause: 487, words: "deflection" };

/** Refusals that are the caller's to mend. */
const NOT_DIVERTED: ReadonlySet<number> = new Set([401, 407, 413, 414, 416, 420, 421, 484]);

/** Whether a box takes a call that came to that. @param status the best answer so far; undefined: there was nobody. */
export function isDiverted(status: number | undefined): boolean {
  return status === undefined || (status >= 400 && !NOT_DIVERTED.has(status));
}

/**
 * The box of `owner`, a URI, at our agent: without a `cause` (see explainDiversion) it tells the messages in it. What
 * follows in the dialog comes by the same way, whatever this server listens to.
 *
 * @param from the bound flow that the call came by.
 */
export function ownBox(
  { address, port, word }: BoxAgent,
  from: FlowId,
  owner: string,
  { node, boot, datagramsFrom }: Vantage,
): Callee {
  const target = { transport: "udp", address, port } as const;
  const flow = datagramsFrom(from, address);
  const token = { node, boot, flow, source: placeText("udp", address, port) };
  const way: Way = { kind: "target", target, from: flow, token };
  const uri = `sip:${BOX_USER}@${hostText(address)}:${port};${WORD_PARAM}=${word}`;
  return { requestUri: withTarget(uri, owner), routes: [], ways: [way] };
}

/** A callee who is called last of all, in the place of `owner`. */
export function lastResort(
  callee: Callee,
  owner: string,
  { voicemailAfter }: Pick<User, "voicemailAfter">,
): Callee {
  const last = { ...callee, q: LAST_Q, divertedFrom: owner };
  return voicemailAfter === undefined ? last : { ...last, afterMs: voicemailAfter * 1000 };
}

/** The URI of a box, told whose call it takes (RFC 4458 §2); one that says so already stays as it is. */
export function withTarget(uri: string, owner: string): string {
  if (uri.includes("?") || /;target=/i.test(uri)) return uri;
  return `${uri};${TARGET_PARAM}=${escaped(owner)}`;
}

/** Whose call that URI of a box is told to take; undefined: it does not say. */
export function targetIn(uri: SipUri): SipUri | undefined {
  const told = uriParam(uri, TARGET_PARAM)?.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return told === undefined ? undefined : parseUri(told);
}

/**
 * Says in a request to a box why it comes there, above what was said of earlier diversions (RFC 5806).
 *
 * @returns its Request-URI.
 */
export function explainDiversion(
  headers: Headers,
  uri: string,
  owner: string,
  status: number | undefined,
): string {
  const { cause, words } = reasonOf(status);
  headers.prepend("diversion", `<${owner}>;reason=${words}`);
  const told = /;target=/i.test(uri) && !uri.includes("?") && !/;cause=/i.test(uri);
  return told ? `${uri};${CAUSE_PARAM}=${cause}` : uri;
}

function reasonOf(status: number | undefined): Reason {
  switch (status) {
    case 408:
      return NO_ANSWER;
    case 486:
    case 600:
      return BUSY;
    case 603:
    case 607:
      return DEFLECTED;
    default:
      return UNAVAILABLE;
  }
}

/** What may not stand in the value of a URI parameter (RFC 3261 §25.1, `param-unreserved`). */
function escaped(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9\-_.!~*'()[\]/:&+$]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  });
}
