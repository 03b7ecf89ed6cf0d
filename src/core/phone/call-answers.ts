/** Answers to the requests inside a call that need nothing of its state (RFC 3261 §8.2, §11, RFC 6086). */
import { dialogKeyOf } from "../dialog/dialog.ts";
import { newTag, uniform } from "../identifiers.ts";
import { areKeys } from "../media/telephone-event.ts";
import type { Message, Request, Response } from "../message/message.ts";
import { openMultipart } from "../message/multipart.ts";
import { responseTo } from "../message/print.ts";
import type { Entropy } from "../primitives.ts";
import type { CallPolicy } from "../redundancy/call-policy.ts";
import { ALLOW, supportedBy } from "./call-extensions.ts";

const SDP = "application/sdp";
const ACCEPT = `${SDP}, multipart/mixed, multipart/alternative`;

/**
 * The session description takes the place of the multipart body that it came in (RFC 5621); another body is taken
 * away if it need not be understood (RFC 3261 §20.11).
 */
export function openDescription(message: Message): void {
  openMultipart(message, SDP);
  const { headers } = message;
  const disposition = headers.get("content-disposition") ?? "";
  if (isDescription(message) || !/;\s*handling\s*=\s*"?optional\b/i.test(disposition)) return;
  headers.remove("content-type").remove("content-encoding");
  message.body = "";
}

function isDescription({ headers }: Message): boolean {
  const type = headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  return type === SDP && !headers.has("content-encoding");
}

/** A 415 if the body is no SDP (§8.2.3). */
export function refuseBody(request: Request, toTag?: string): Response | undefined {
  if (request.body === "" || isDescription(request)) return undefined;
  const response = responseTo(request, 415, undefined, toTag);
  response.headers.add("accept", ACCEPT).add("accept-encoding", "identity");
  return response;
}

/**
 * OPTIONS, INFO, NOTIFY without a subscription, REFER outside a call and methods that a call does not know; keys of an
 * INFO are told.
 */
export function answerPlainly(
  request: Request,
  policy: CallPolicy,
  pressed: (key: string) => void,
): Response {
  switch (request.method) {
    case "OPTIONS":
      return describeSelf(request, policy);
    case "INFO":
      return answerInfo(request, pressed);
    case "NOTIFY":
      return responseTo(request, 481);
    case "REFER":
      // Whom nobody talks to sends this phone calling nobody.
      return responseTo(request, 403);
    default: {
      const response = responseTo(request, 405);
      response.headers.add("allow", ALLOW);
      return response;
    }
  }
}

/** What OPTIONS asks for (§11.2). */
export function describeSelf(request: Request, policy: CallPolicy, toTag?: string): Response {
  const response = responseTo(request, 200, undefined, toTag);
  response.headers.add("allow", ALLOW).add("accept", ACCEPT).add("supported", supportedBy(policy));
  return response;
}

/** 500 for an INVITE or UPDATE whose offer comes before the one ahead of it was answered (§14.2, R17, R62). */
export function answerTooSoon(request: Request, entropy: Entropy): Response {
  const response = responseTo(request, 500);
  response.headers.add("retry-after", String(Math.floor(uniform(entropy, 0, 11))));
  return response;
}

/** 481 for a request whose dialog or transaction nobody knows. */
export function answerUnknown(request: Request, entropy: Entropy): Response {
  const tag = dialogKeyOf(request) === undefined ? newTag(entropy) : undefined;
  return responseTo(request, 481, undefined, tag);
}

/** An empty INFO is a sign of life, dtmf-relay brings a key, and no info package is known (RFC 6086 §4.2.2). */
function answerInfo(request: Request, pressed: (key: string) => void): Response {
  if (request.headers.has("info-package")) {
    const response = responseTo(request, 469);
    response.headers.add("recv-info", "");
    return response;
  }
  if (request.body === "") return responseTo(request, 200);
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/dtmf-relay") {
    const response = responseTo(request, 415);
    response.headers.add("accept", "application/dtmf-relay");
    return response;
  }
  const key = /^Signal *= *(\S+)/im.exec(request.body)?.[1]?.toUpperCase() ?? "";
  if (!areKeys(key) || key.length !== 1) return responseTo(request, 400);
  pressed(key);
  return responseTo(request, 200);
}
