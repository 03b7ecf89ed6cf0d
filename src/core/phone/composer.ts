/** Builds the requests of one account: the headers of RFC 3261 §8.1.1 for the flow an attempt goes over. */
import { newBranch } from "../identifiers.ts";
import type { Peer, Target } from "../machine.ts";
import { Headers } from "../message/headers.ts";
import type { Request, Response } from "../message/message.ts";
import { LOSS_OFFER } from "../message/overload.ts";
import { userPart } from "../message/uri.ts";
import type { Entropy } from "../primitives.ts";
import type { AccountPolicy, ServerPolicy } from "../redundancy/policy.ts";
import type { AttemptPlace } from "../redundancy/request.ts";
import { targetName } from "../redundancy/server-health.ts";
import { MAX_TARGETS_WITH_TERMS } from "./limits.ts";
import {
  type Granted,
  grantedAt,
  granting,
  PLAIN_TERMS,
  type SharedTerms,
  type Terms,
  termsOf,
  withoutGrant,
} from "./outbound.ts";

/** The phone whose requests they are. */
export interface ComposingPhone {
  readonly entropy: Entropy;
  readonly userAgent: string;
  /** A URN, the same over restarts of one phone (RFC 5626 §4.1). */
  readonly instance: string;
  /** Terms that equal ones of all phones share. */
  readonly terms: SharedTerms;
  /** Where requests for this side of a flow arrive. */
  listeningPort(peer: Peer): number;
}

/** The From, To and Call-ID that a request is made of. */
export interface RequestLine {
  readonly method: string;
  readonly uri: string;
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly cseq: number;
}

export class Composer {
  /** The account's user as it stands in URIs. */
  readonly user: string;
  readonly #account: AccountPolicy;
  readonly #phone: ComposingPhone;
  #granted: Granted | undefined;
  /** First hops that know nothing of outbound: 439 (R92). */
  #without: Set<string> | undefined;

  constructor(account: AccountPolicy, phone: ComposingPhone) {
    this.user = userPart(account.user);
    this.#account = account;
    this.#phone = phone;
  }

  /** A GRUU is asked for, too, and used as Contact. */
  get gruu(): boolean {
    return this.#account.redundancy.gruu;
  }

  /** What the registration that stands there has been granted. */
  termsAt(target: Target): Terms {
    return grantedAt(this.#granted, target)?.terms ?? PLAIN_TERMS;
  }

  /** Whether a REGISTER there is to ask for RFC 5626. */
  asksOutboundAt(target: Target): boolean {
    const { outbound } = this.#account.redundancy;
    if (outbound === "never") return false;
    if (outbound === "streams" && target.transport === "udp") return false;
    return this.#without?.has(targetName(target)) !== true;
  }

  /** The domain of the AOR when the account speaks to a server. */
  domain(server: ServerPolicy): string {
    return this.#account.domain ?? bracketed(server.address);
  }

  /** The account's own URI towards a server. */
  self(server: ServerPolicy): string {
    return `sip:${this.user}@${this.domain(server)}`;
  }

  /** From or To of the account, with display name. */
  nameAddr(server: ServerPolicy): string {
    const name = this.#account.displayName;
    const quoted = name === "" ? "" : `"${name.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}" `;
    return `${quoted}<${this.self(server)}>`;
  }

  via(peer: Peer): string {
    const transport = peer.transport.toUpperCase();
    const sentBy = `${bracketed(peer.localAddress)}:${this.#phone.listeningPort(peer)}`;
    const offer = this.#account.redundancy.overloadControl ? LOSS_OFFER : "";
    return `SIP/2.0/${transport} ${sentBy};branch=${newBranch(this.#phone.entropy)};rport${offer}`;
  }

  /** Where this phone can be reached over a flow. */
  contactUri(peer: Peer): string {
    const transport = peer.transport === "udp" ? "" : `;transport=${peer.transport}`;
    const port = this.#phone.listeningPort(peer);
    return `sip:${this.user}@${bracketed(peer.localAddress)}:${port}${transport}`;
  }

  /**
   * The Contact of a dialog: the name this phone was given (RFC 5627 §4.4), or its address; over a registered flow the
   * dialog's requests are to come back that way, too (RFC 5626 §4.3).
   */
  contact(peer: Peer): string {
    const { gruu, outbound } = this.termsAt(peer);
    if (gruu !== "" && this.gruu) return `<${gruu}>`;
    return `<${this.contactUri(peer)}${outbound ? ";ob" : ""}>`;
  }

  /** The Contact of a registration, which names the instance too (R88). */
  registeredContact(peer: Peer): string {
    return `<${this.contactUri(peer)}>;+sip.instance="<${this.#phone.instance}>"`;
  }

  /** A registrar has accepted a registration of `owner`. */
  granted({ target, flow }: AttemptPlace, response: Response, owner: object): void {
    const terms = termsOf(response, this.contactUri(flow.peer));
    const shared = terms === PLAIN_TERMS ? terms : this.#phone.terms.same(terms);
    this.#granted = granting(this.#granted, target, shared, owner);
  }

  /** It stands there no more; that of another may. */
  ended(target: Target, owner: object): void {
    if (grantedAt(this.#granted, target)?.owner !== owner) return;
    this.#granted = withoutGrant(this.#granted, target);
  }

  /** 439: the first hop there knows nothing of RFC 5626 and is asked no more; others may know better (R92). */
  refusedOutbound(target: Target): void {
    this.#without ??= new Set();
    if (this.#without.size < MAX_TARGETS_WITH_TERMS) this.#without.add(targetName(target));
  }

  request(line: RequestLine, attempt: AttemptPlace): Request {
    const headers = new Headers()
      .add("via", this.via(attempt.flow.peer))
      .add("max-forwards", "70")
      .add("from", line.from)
      .add("to", line.to)
      .add("call-id", line.callId)
      .add("cseq", `${line.cseq} ${line.method}`)
      .add("user-agent", this.#phone.userAgent);
    // RFC 3608 §6.1; the place that the request goes to comes before these, as an outbound proxy does.
    const { serviceRoute } = this.termsAt(attempt.target);
    if (serviceRoute !== "" && line.method !== "REGISTER") headers.add("route", serviceRoute);
    return { kind: "request", method: line.method, uri: line.uri, headers, body: "" };
  }
}

/** A literal IPv6 address needs brackets in a URI and in Via (RFC 3261 §25.1). */
export function bracketed(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}
