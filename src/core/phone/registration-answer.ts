/** What a registrar's answer says about our own binding (RFC 3261 §10.2.4, §10.3). */
import { secondsOf } from "../message/delta.ts";
import type { Response } from "../message/message.ts";
import { contactsOf } from "../message/name-addr.ts";
import { sameUriText } from "../message/uri.ts";

/**
 * The lifetime granted to the binding of `contactUri`, seconds: its Contact's own, else the Expires header. Undefined
 * if the answer lists contacts and ours is not among them: then there is no binding, whatever the status.
 */
export function grantedSeconds(response: Response, contactUri: string): number | undefined {
  const contacts = contactsOf(response.headers);
  const common = secondsOf(response.headers, "expires");
  if (contacts === undefined || contacts === "*") return common;
  const ours = contacts.find((contact) => sameUriText(contact.uri, contactUri));
  if (ours === undefined) return undefined;
  return ours.expires ?? common;
}

/** 423: the shortest lifetime the registrar takes, seconds (RFC 3261 §20.23). */
export function minExpiresOf(response: Response): number | undefined {
  return secondsOf(response.headers, "min-expires");
}

/** No refresh comes sooner than this after its 200, milliseconds. */
export const SHORTEST_REFRESH_MS = 1000;

/**
 * When to renew a binding of `granted` seconds: its overlap before the end, or at half; `jitter`, 0..1, is the share
 * taken off so that a fleet does not march in step (C22).
 */
export function refreshAfterMs(granted: number, overlap: number | "half", jitter: number): number {
  const lead = overlap === "half" || overlap >= granted ? granted / 2 : overlap;
  return Math.max(SHORTEST_REFRESH_MS, (granted - lead) * 1000 * (1 - jitter));
}
