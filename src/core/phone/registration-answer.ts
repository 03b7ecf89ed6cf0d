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
