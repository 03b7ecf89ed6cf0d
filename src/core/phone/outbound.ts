/**
 * RFC 5626 and its kin from the phone's side: what an account asks of a registrar beyond a binding, and what each
 * 200 has granted. Granted is what that answer says, and nothing else: the next one may say less (R82, R91).
 */
import { uniform } from "../identifiers.ts";
import { NEVER, type Target } from "../machine.ts";
import { secondsOf } from "../message/delta.ts";
import type { Response } from "../message/message.ts";
import { contactsOf } from "../message/name-addr.ts";
import { lists } from "../message/token-list.ts";
import { parseUri, sameUriText, uriParam } from "../message/uri.ts";
import { topVia } from "../message/via.ts";
import type { Entropy } from "../primitives.ts";
import { spreadMs } from "../redundancy/backoff.ts";
import type { RedundancyPolicy } from "../redundancy/policy.ts";
import { sameTarget } from "../redundancy/server-health.ts";
import { MAX_SHARED_TERMS, MAX_TARGETS_WITH_TERMS } from "./limits.ts";

/** What a 200 to REGISTER has granted. */
export interface Terms {
  /** The flow is the way to us: `Require: outbound`. */
  readonly outbound: boolean;
  /** The far end answers keep-alives, so that its silence means that the flow is dead. */
  readonly answersPings: boolean;
  /** How often it wants to hear of us: Flow-Timer, or `keep` in our Via (RFC 6223); undefined: it said nothing. */
  readonly everySeconds: number | undefined;
  /** The routes of all requests but REGISTER, as one header value (RFC 3608); empty: none. */
  readonly serviceRoute: string;
  /** The URI that leads to this phone from everywhere (RFC 5627); empty: none. */
  readonly gruu: string;
}

/** What every registrar grants. */
export const PLAIN_TERMS: Terms = {
  outbound: false,
  answersPings: false,
  everySeconds: undefined,
  serviceRoute: "",
  gruu: "",
};

/** @param contactUri what was registered. */
export function termsOf(response: Response, contactUri: string): Terms {
  const { headers } = response;
  const outbound = lists(headers, "require", "outbound");
  const kept = Number(topVia(headers)?.param("keep") || Number.NaN);
  const serviceRoute = headers.has("service-route") ? headers.all("service-route").join(", ") : "";
  // RFC 5627 needs nothing of RFC 5626: a registrar may know the one without the other.
  const gruu = gruuIn(response, contactUri);
  if (!outbound && Number.isNaN(kept) && serviceRoute === "" && gruu === "") return PLAIN_TERMS;
  const timer = outbound ? secondsOf(headers, "flow-timer") : undefined;
  const every = timer ?? (Number.isNaN(kept) ? undefined : kept);
  const everySeconds = every === undefined || every < SHORTEST_SECONDS ? undefined : every;
  const answersPings = outbound || !Number.isNaN(kept);
  return { outbound, answersPings, everySeconds, serviceRoute, gruu };
}

/** Only a public one is used: a dialog outlives the registration that a temporary one dies with. */
function gruuIn({ headers }: Response, contactUri: string): string {
  const contacts = contactsOf(headers);
  if (contacts === undefined || contacts === "*") return "";
  const own = contacts.find(({ uri }) => sameUriText(uri, contactUri));
  const gruu = own?.param("pub-gruu") ?? "";
  const uri = parseUri(gruu);
  return uri !== undefined && uriParam(uri, "gr") !== undefined ? gruu : "";
}

/** Nobody makes us send more often. */
const SHORTEST_SECONDS = 5;

/** RFC 5626 §4.4: the upper bounds where no Flow-Timer is given; NAT forgets datagrams soon. */
const STREAM_SECONDS = 120;
const DATAGRAM_SECONDS = 29;

/** Above the 80 % that is allowed, so that without a Flow-Timer it is never less than 24 s. */
const LEAST_SHARE = 0.83;

/**
 * The wait for the next keep-alive, milliseconds; 0: none is sent. Where the far end answers it is 80 to 100 % of what
 * that wants, or of what is configured if that is less (R95).
 */
export function keepAliveWaitMs(
  terms: Terms,
  target: Target,
  policy: RedundancyPolicy,
  entropy: Entropy,
): number {
  const { registrarProbeMs } = policy;
  const keepAliveMs = Math.min(policy.keepAliveMs || registrarProbeMs, registrarProbeMs || NEVER);
  if (!terms.answersPings)
    return registrarProbeMs > 0 ? spreadMs(policy, keepAliveMs, entropy) : policy.keepAliveMs;
  const usual = target.transport === "udp" ? DATAGRAM_SECONDS : STREAM_SECONDS;
  const wanted = (terms.everySeconds ?? usual) * 1000;
  const most = keepAliveMs === 0 ? wanted : Math.min(wanted, keepAliveMs);
  return uniform(entropy, LEAST_SHARE * most, most);
}

/** What the registrations of one account have been granted, by target: a chain, since mostly there is one. */
export interface Granted {
  readonly target: Target;
  readonly terms: Terms;
  readonly owner: object;
  readonly next: Granted | undefined;
}

/** Those of the registration that stands there, if one does. */
export function grantedAt(chain: Granted | undefined, target: Target): Granted | undefined {
  let granted = chain;
  while (granted !== undefined && !sameTarget(granted.target, target)) granted = granted.next;
  return granted;
}

/** A registration of `owner` stands there. */
export function granting(
  chain: Granted | undefined,
  target: Target,
  terms: Terms,
  owner: object,
): Granted | undefined {
  const next = withoutGrant(chain, target);
  return terms === PLAIN_TERMS ? next : { target, terms, owner, next };
}

/** Those that remain, the oldest beyond the limit left out. */
export function withoutGrant(
  chain: Granted | undefined,
  target: Target,
  most: number = MAX_TARGETS_WITH_TERMS,
): Granted | undefined {
  if (chain === undefined || most <= 1) return undefined;
  if (sameTarget(chain.target, target)) return withoutGrant(chain.next, target, most);
  const next = withoutGrant(chain.next, target, most - 1);
  return next === chain.next ? chain : { ...chain, next };
}

/** One object for equal terms: the phones of a fleet are granted the same. */
export class SharedTerms {
  readonly #known: Terms[] = [];

  same(terms: Terms): Terms {
    const known = this.#known.find((one) => areEqual(one, terms));
    if (known !== undefined) return known;
    // With a name of his own in it, it is nobody else's.
    if (terms.gruu === "" && this.#known.length < MAX_SHARED_TERMS) this.#known.push(terms);
    return terms;
  }
}

function areEqual(one: Terms, other: Terms): boolean {
  return (
    one.outbound === other.outbound &&
    one.answersPings === other.answersPings &&
    one.everySeconds === other.everySeconds &&
    one.serviceRoute === other.serviceRoute &&
    one.gruu === other.gruu
  );
}
