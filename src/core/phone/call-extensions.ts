/** What calls understand, as Allow, Supported and Require say it (RFC 3261 §20.5, §20.32, §20.37; R7). */
import type { Request, Response } from "../message/message.ts";
import { responseTo } from "../message/print.ts";
import { lists, tokensOf } from "../message/token-list.ts";
import type { CallPolicy } from "../redundancy/call-policy.ts";

/** Methods this phone understands. */
export const ALLOW = "INVITE, ACK, CANCEL, BYE, PRACK, UPDATE, OPTIONS, NOTIFY, INFO, REFER";

/** The option tags of calls under this policy, as Supported lists them. */
export function supportedBy(policy: CallPolicy): string {
  return policy.reliableProvisionals === "never" ? "timer, replaces" : "timer, replaces, 100rel";
}

/** Whether the provisional responses to this INVITE are to be reliable ones (RFC 3262 §3). */
export function wantsReliability({ headers }: Request, policy: CallPolicy): boolean {
  if (policy.reliableProvisionals === "never") return false;
  if (lists(headers, "require", "100rel")) return true;
  return policy.reliableProvisionals === "supported" && lists(headers, "supported", "100rel");
}

/** A 420 if the request requires an extension that is not among the option tags given (§8.2.2.3). */
export function refuseExtensions(
  request: Request,
  understood: string,
  toTag?: string,
): Response | undefined {
  const required = tokensOf(request.headers, "require");
  if (required.length === 0) return undefined;
  const known = understood.split(", ");
  const unknown = required.filter((token) => !known.includes(token.toLowerCase()));
  if (unknown.length === 0) return undefined;
  const response = responseTo(request, 420, undefined, toTag);
  response.headers.add("unsupported", unknown.join(", "));
  return response;
}
