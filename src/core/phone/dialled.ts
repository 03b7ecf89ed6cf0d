/** What somebody dialled, as what an INVITE may say: a text from outside must not become a line of a message. */
import { escapeUser, parseUri } from "../message/uri.ts";

/** A telephone number as a URI, with its parameters (RFC 3966 §3). */
const TEL_URI = /^tel:[+\d][\d().*#-]*(?:;[\w.%=+-]+)*$/i;

/**
 * A whole SIP, SIPS or tel URI, or the user part at the domain of the server in use; undefined if it is none of
 * them.
 */
export function dialled(text: string): string | undefined {
  const to = text.trim();
  if (to === "") return undefined;
  if (TEL_URI.test(to) || parseUri(to) !== undefined) return to;
  if (to.includes("@")) {
    const uri = `sip:${to}`;
    return parseUri(uri) === undefined ? undefined : uri;
  }
  return /[:<>"\s]|[^ -~]/.test(to) ? undefined : escapeUser(to);
}
