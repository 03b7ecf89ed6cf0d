/** What a registrar's answer says about our own binding (RFC 3261 §10.2.4, §10.3). */
import type { Instant } from "../machine.ts";
import { retryAfterOf, secondsOf } from "../message/delta.ts";
import type { Response } from "../message/message.ts";
import { contactsOf } from "../message/name-addr.ts";
import { sameUriText } from "../message/uri.ts";
import { SHORTEST_BACKOFF_MS } from "../redundancy/backoff.ts";
import type { AttemptPlace } from "../redundancy/request.ts";
import { QUIET_LIMIT_MS, type ServerHealth } from "../redundancy/server-health.ts";
import type { Place, ServerRoute } from "../redundancy/server-set.ts";
import type { RegistrationHost, RegistrationRefusal } from "./registration-host.ts";

/**
 * The lifetime granted to our binding by that answer, seconds: its Contact's own, else the Expires header. 0 if it was
 * refused, or lists contacts and ours is not among them: then there is no binding, whatever the status.
 */
export function grantedSeconds(
  response: Response,
  host: RegistrationHost,
  route: ServerRoute,
  attempt: AttemptPlace,
): number {
  if (response.status >= 300) return 0;
  const contacts = contactsOf(response.headers);
  const common = secondsOf(response.headers, "expires");
  if (contacts === undefined || contacts === "*") return common ?? 0;
  const uri = host.composer.contactUri(attempt.flow.peer);
  const same = contacts.filter((contact) => sameUriText(contact.uri, uri));
  // Several flows of one phone may bear one Contact: what tells them apart is reg-id.
  const regId = String(regIdOf(host, route));
  const ours = same.find((contact) => contact.param("reg-id") === regId) ?? same[0];
  return ours === undefined ? 0 : (ours.expires ?? common ?? 0);
}

/** Above every number of a configured server. */
const FURTHER_FLOWS = 100;

/** What tells a flow from the phone's others, the same over restarts (R89). */
export function regIdOf({ flowOnly }: RegistrationHost, { index }: ServerRoute): number {
  return flowOnly === true ? FURTHER_FLOWS + index : index;
}

/** 439: the first hop knows nothing of RFC 5626, so it is asked without (R92). @returns false if that is no use. */
export function mayGoWithout({ composer, flowOnly }: RegistrationHost, at: AttemptPlace): boolean {
  if (flowOnly === true || !composer.asksOutboundAt(at.target)) return false;
  composer.refusedOutbound(at.target);
  return true;
}

/** 423: the shortest lifetime the registrar takes, seconds (RFC 3261 §20.23). */
export function minExpiresOf(response: Response): number | undefined {
  return secondsOf(response.headers, "min-expires");
}

/** Nothing was sent: every place had asked another request to leave it alone. */
export function isUnsent({ why }: RegistrationRefusal): boolean {
  return why === "quiet";
}

/**
 * How long whoever refused wants to be left alone, milliseconds: its Retry-After, the rest of that for whom it was said
 * to another request, unless something else says so.
 */
export function awayMs(
  now: Instant,
  refusal: RegistrationRefusal,
  health: ServerHealth,
  places: readonly Place[],
): number {
  const { waitMs, response } = refusal;
  if (isUnsent(refusal)) {
    const waits = places.map(({ target }) => health.quietUntil(now, target) - now);
    const ends = waits.filter((wait) => wait > 0);
    return ends.length > 0 ? Math.min(...ends) : SHORTEST_BACKOFF_MS;
  }
  const wait = response === undefined ? undefined : retryAfterOf(response.headers);
  return waitMs ?? Math.min((wait?.seconds ?? 0) * 1000, QUIET_LIMIT_MS);
}

/** No refresh comes sooner than this after its 200, milliseconds, unless the binding has run out by then. */
export const SHORTEST_REFRESH_MS = 1000;

/**
 * When to renew a binding of `granted` seconds, 1 or more: its overlap before the end, or at half; `jitter`, 0..1, is
 * the share taken off so that a fleet does not march in step (C22). A registrar that heard the REGISTER long ago grants
 * what is left of it, a second at the least: that is renewed at half as well.
 */
export function refreshAfterMs(granted: number, overlap: number | "half", jitter: number): number {
  const lead = overlap === "half" || overlap >= granted ? granted / 2 : overlap;
  const soonest = Math.min(SHORTEST_REFRESH_MS, granted * 500);
  return Math.max(soonest, (granted - lead) * 1000 * (1 - jitter));
}
