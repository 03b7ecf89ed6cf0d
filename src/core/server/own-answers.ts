/** What a server answers by itself: OPTIONS, and everything its role does not have, refused honestly (V1). */
import type { Request, Response } from "../message/message.ts";
import { toOf } from "../message/name-addr.ts";
import { responseTo } from "../message/print.ts";
import { tokensOf } from "../message/token-list.ts";
import { hopsOf } from "./forwarding.ts";
import { MAX_UNSUPPORTED_BYTES } from "./limits.ts";
import type { Routed } from "./routing.ts";

export type Role = "working" | "fallback";

const FALLBACK_METHODS = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, PRACK, UPDATE, INFO";

const METHODS: Readonly<Record<Role, string>> = {
  working: `${FALLBACK_METHODS}, REFER, SUBSCRIBE, NOTIFY, PUBLISH, MESSAGE`,
  fallback: FALLBACK_METHODS,
};

const SETS: Readonly<Record<Role, ReadonlySet<string>>> = {
  working: new Set(METHODS.working.split(", ")),
  fallback: new Set(METHODS.fallback.split(", ")),
};

/** Extensions that may be required of this server itself. */
const SUPPORTED: ReadonlySet<string> = new Set(["path", "outbound", "gruu"]);

/** Those that ask for events, or tell of them. */
const EVENT_METHODS: ReadonlySet<string> = new Set(["SUBSCRIBE", "PUBLISH"]);

/** The event packages that this server gives, if any. */
export interface EventGiver {
  /** For Allow-Events. */
  readonly names: string;
  /** Whether this SUBSCRIBE or PUBLISH outside of any dialog is for one of them. */
  gives(request: Request): boolean;
}

/** Undefined: the request is to be forwarded, or to go to whoever gives events. */
export function ownAnswer(
  request: Request,
  routed: Routed,
  role: Role,
  toTag: () => string,
  giver: EventGiver | undefined,
): Response | undefined {
  const { method } = request;
  const answer = (status: number): Response => responseTo(request, status, undefined, toTag());
  const inDialog = toOf(request.headers)?.tag !== undefined;
  const self = routed.stop.kind === "self";
  const ours = self || routed.stop.kind === "user";
  const events = role === "fallback" ? "" : (giver?.names ?? "");
  // A PUBLISH belongs to no dialog.
  const asks = EVENT_METHODS.has(method) && ours && (!inDialog || method === "PUBLISH");
  if (asks || (EVENT_METHODS.has(method) && role === "fallback")) {
    const toUser = events !== "" && routed.stop.kind === "user";
    if (toUser && giver?.gives(request) === true) return overdemanded(request, toTag);
    const response = answer(489);
    response.headers.add("allow-events", events);
    return response;
  }
  if (method === "SUBSCRIBE" && self && events !== "") return overdemanded(request, toTag);
  if (role === "fallback" && !SETS.fallback.has(method)) {
    const response = answer(501);
    response.headers.add("allow", METHODS.fallback);
    return response;
  }
  if (method === "OPTIONS" && (self || hopsOf(request.headers) === 0)) {
    const refused = overdemanded(request, toTag);
    if (refused !== undefined) return refused;
    const response = answer(200);
    response.headers
      .add("allow", METHODS[role])
      .add("accept", "application/sdp")
      .add("supported", [...SUPPORTED].join(", "))
      .add("allow-events", events);
    return response;
  }
  if (!self) return undefined;
  if (inDialog) return answer(481);
  return SETS[role].has(method) ? answer(404) : answer(501);
}

/** Those extensions that a request requires of this server in vain (RFC 3261 §8.2.2.3). */
export function notSupported(request: Request): string[] {
  return tokensOf(request.headers, "require").filter((tag) => !SUPPORTED.has(tag));
}

/** As many of the names as fit into an Unsupported: whoever forges a source gets somebody else no long answer. */
export function unsupportedOf(names: readonly string[]): string {
  let text = "";
  for (const name of names) {
    const longer = text === "" ? name : `${text}, ${name}`;
    if (longer.length > MAX_UNSUPPORTED_BYTES) break;
    text = longer;
  }
  return text;
}

/** 420 to who requires these. */
export function badExtension(request: Request, names: readonly string[], toTag: string): Response {
  const response = responseTo(request, 420, undefined, toTag);
  const told = unsupportedOf(names);
  if (told !== "") response.headers.add("unsupported", told);
  return response;
}

function overdemanded(request: Request, toTag: () => string): Response | undefined {
  const names = notSupported(request);
  return names.length > 0 ? badExtension(request, names, toTag()) : undefined;
}
