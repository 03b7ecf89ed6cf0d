/**
 * Whom a REFER names (RFC 3515 §2.1), and the call that a new one is to take the place of (RFC 3891): written by who
 * hands a call over, read by whom it is handed to.
 */
import { type Dialog, dialogKey } from "../dialog/dialog.ts";
import type { Headers } from "../message/headers.ts";
import type { Request } from "../message/message.ts";
import { nameAddrsOf } from "../message/name-addr.ts";
import { paramOf, withoutParam } from "../message/params.ts";
import { parseUri, printUri, type SipUri, uriParam } from "../message/uri.ts";

/** Somebody to call at another's wish. */
export interface ReferTarget {
  /** The Request-URI. */
  readonly uri: string;
  /** What its INVITE says of the wish, as name and value: Replaces, Referred-By. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/**
 * Whom that REFER names; a status: why it cannot be followed. What we do not call is declined: 416 and 501 speak of the
 * REFER's own Request-URI and method, and peers take the first for the end of the dialog (RFC 5057 §5.1).
 */
export function referTargetOf({ headers }: Request): ReferTarget | number {
  const named = nameAddrsOf(headers, "refer-to");
  const [target, second] = named ?? [];
  if (target === undefined || second !== undefined) return 400;
  const uri = parseUri(target.uri);
  if (uri === undefined) return /^sips?:/i.test(target.uri) ? 400 : 603;
  if ((uriParam(uri, "method") ?? "INVITE").toUpperCase() !== "INVITE") return 603;
  const replaces = headerIn(uri, "replaces");
  if (replaces === MALFORMED) return 400;
  const by = headers.get("referred-by");
  return {
    uri: printUri({ ...uri, params: withoutParam(uri.params, "method"), headers: "" }),
    headers: [
      ...(replaces === undefined ? [] : [["replaces", replaces] as const]),
      ...(by === undefined ? [] : [["referred-by", by] as const]),
    ],
  };
}

/**
 * The Refer-To by which somebody takes our place in the dialog: at the peer's address-of-record, or at the very device
 * where its Contact is a name that leads there from anywhere (RFC 5589 §7.3, RFC 5627).
 */
export function replacingUri({
  callId,
  localTag,
  remoteTag,
  remoteTarget,
  remote,
}: Dialog): string {
  const contact = parseUri(remoteTarget);
  const named = contact !== undefined && uriParam(contact, "gr") !== undefined;
  const address = /<([^>]*)>/.exec(remote)?.[1] ?? remote.split(";")[0] ?? "";
  const uri = parseUri(named ? remoteTarget : address);
  const replaces = `${callId};to-tag=${remoteTag};from-tag=${localTag}`;
  const headers = `Replaces=${encodeURIComponent(replaces)}`;
  return uri === undefined ? address : printUri({ ...uri, headers });
}

/** The dialog that an INVITE is to take the place of. */
export interface Replaced {
  /** As `dialogKey` makes it. */
  readonly key: string;
  /** Only while that has not been answered. */
  readonly earlyOnly: boolean;
}

/** What Replaces says; `malformed` if it cannot be read, undefined if there is none (RFC 3891 §6.1). */
export function replacedBy(headers: Headers): Replaced | "malformed" | undefined {
  const text = headers.get("replaces");
  if (text === undefined) return undefined;
  const end = text.indexOf(";");
  const callId = text.slice(0, end).trim();
  const params = text.slice(end);
  const [to, from] = [paramOf(params, "to-tag"), paramOf(params, "from-tag")];
  if (end <= 0 || callId === "" || to === undefined || from === undefined) return MALFORMED;
  const earlyOnly = paramOf(params, "early-only") !== undefined;
  return { key: dialogKey(callId, to, from), earlyOnly };
}

const MALFORMED = "malformed";

/** A header that the URI wants in its request (RFC 3261 §19.1.1). */
function headerIn({ headers }: SipUri, lowerName: string): string | undefined {
  for (const part of headers.split("&")) {
    const equals = part.indexOf("=");
    if (part.slice(0, equals).toLowerCase() !== lowerName) continue;
    try {
      const value = decodeURIComponent(part.slice(equals + 1));
      return /^[ -~]+$/.test(value) ? value : MALFORMED;
    } catch {
      return MALFORMED;
    }
  }
  return undefined;
}
