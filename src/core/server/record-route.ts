/**
 * The routes this server puts into requests: Record-Route (RFC 3261 §16.6(4), one for each side where the sides
 * differ), and the route that tells a sibling over which of its flows to deliver. Each carries our word that the
 * dialog was admitted, so that none of its requests need be challenged. Both ends of a dialog read that word: it says
 * no more than that. The one for a sibling, which they do not see, is for a single request.
 */
import type { TransportName } from "../machine.ts";
import type { Hash } from "../primitives.ts";
import { hostText } from "./domains.ts";
import { type FlowToken, FlowTokens } from "./flow-token.ts";

/** One side of a dialog as this server sees it. */
export interface Side {
  /** Where this server listens on that side. */
  readonly transport: TransportName;
  readonly address: string;
  readonly port: number;
  /** What leads to the phone on that side; undefined: its Contact does. */
  readonly token: FlowToken | undefined;
}

/** `guest`: a caller of another domain, who was asked for no credentials. */
export type Standing = "member" | "guest";

/** What the word about a dialog is bound to. The caller's tag is in From or To of each of its requests. */
export interface Seal {
  readonly callId: string;
  /** Of the caller; empty: he has none (RFC 2543). */
  readonly tag: string;
  readonly standing: Standing;
}

/** Where a route leads that holds a flow token, as the word of a guest is bound to it. */
export const OVER_FLOW = "flow";

const ADMISSION_DIGITS = 16;
const GUEST = "g";
const MEMBER = "m";

export class RouteMaker {
  readonly tokens: FlowTokens;
  readonly #hash: Hash;
  readonly #secret: string;

  constructor(hash: Hash, secret: string) {
    this.#hash = hash;
    this.#secret = secret;
    this.tokens = new FlowTokens(hash, secret);
  }

  /**
   * The `adm` parameter of routes of an admitted dialog.
   *
   * @param beyond the host that comes after that route, or OVER_FLOW: a guest's word leads nowhere else.
   */
  dialogWord({ callId, tag, standing }: Seal, beyond: string): string {
    const bound = standing === "guest" ? `\n${beyond}` : "";
    return this.#word(standing, `admit\n${callId}\n${tag}${bound}`);
  }

  /** The `adm` parameter of a route to a sibling: that this very request, as sent there, was admitted. */
  hopWord({ callId, tag, standing }: Seal, cseq: string, requestUri: string): string {
    return this.#word(standing, `hop\n${callId}\n${tag}\n${cseq}\n${requestUri}`);
  }

  /** What a word claims its caller to be. */
  standingIn(word: string): Standing {
    return word.startsWith(GUEST) ? "guest" : "member";
  }

  /** Top first: towards the callee, then towards the caller; one for both where they are the same. */
  recordRoutes(caller: Side, callee: Side, words: { caller: string; callee: string }): string[] {
    const upstream = this.route(caller, words.caller);
    const downstream = this.route(callee, words.callee);
    return upstream === downstream ? [upstream] : [downstream, upstream];
  }

  route(side: Side, admission: string): string {
    const { token } = side;
    return made(side, token === undefined ? "" : this.tokens.encode(token), `;adm=${admission}`);
  }

  /**
   * The Path to a phone that registers through us (RFC 3327, RFC 5626 §5.1), as it is to be sent on `side`.
   *
   * @param outbound the phone keeps that flow alive, and registers it as one of several.
   */
  path(side: Side, token: FlowToken, outbound: boolean): string {
    const user = this.tokens.encode(token);
    return made(side, user, `${outbound ? ";ob" : ""};adm=${this.#pathWord(user)}`);
  }

  /** Whether a route with that user part and that `adm` is one that `path` made. */
  isPath(user: string, admission: string | undefined): boolean {
    return admission !== undefined && admission === this.#pathWord(user);
  }

  #word(standing: Standing, claim: string): string {
    const digest = this.#hash.sha256(`${this.#secret}:${standing}:${claim}`);
    return (standing === "guest" ? GUEST : MEMBER) + digest.slice(0, ADMISSION_DIGITS);
  }

  #pathWord(user: string): string {
    return this.#hash.sha256(`${this.#secret}:path:${user}`).slice(0, ADMISSION_DIGITS);
  }
}

function made({ transport, address, port }: Side, user: string, params: string): string {
  const how = transport === "udp" ? "" : `;transport=${transport}`;
  const at = user === "" ? "" : `${user}@`;
  return `<sip:${at}${hostText(address)}:${port}${how};lr${params}>`;
}
