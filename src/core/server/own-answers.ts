/** What a server answers by itself: OPTIONS, and everything its role does not have, refused honestly (V1). */
import type { Request, Response } from "../message/message.ts";
import { toOf } from "../message/name-addr.ts";
import { responseTo } from "../message/print.ts";
import { hopsOf } from "./forwarding.ts";
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
    if (toUser && giver?.gives(request) === true) return undefined;
    const response = answer(489);
    response.headers.add("allow-events", events);
    return response;
  }
  if (method === "SUBSCRIBE" && self && events !== "") return undefined;
  if (role === "fallback" && !SETS.fallback.has(method)) {
    const response = answer(501);
    response.headers.add("allow", METHODS.fallback);
    return response;
  }
  if (method === "OPTIONS" && (self || hopsOf(request.headers) === 0)) {
    const response = answer(200);
    response.headers
      .add("allow", METHODS[role])
      .add("accept", "application/sdp")
      .add("supported", "path, outbound, gruu")
      .add("allow-events", events);
    return response;
  }
  if (!self) return undefined;
  if (inDialog) return answer(481);
  return SETS[role].has(method) ? answer(404) : answer(501);
}
