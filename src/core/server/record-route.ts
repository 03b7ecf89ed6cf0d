/**
 * The routes this server puts into requests: Record-Route (RFC 3261 §16.6(4), one for each side where the sides
 * differ), and the route that tells a sibling over which of its flows to deliver. Each carries our word that the
 * dialog was admitted, so that none of its requests need be challenged.
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

const ADMISSION_DIGITS = 16;

export class RouteMaker {
  readonly tokens: FlowTokens;
  readonly #hash: Hash;
  readonly #secret: string;

  constructor(hash: Hash, secret: string) {
    this.#hash = hash;
    this.#secret = secret;
    this.tokens = new FlowTokens(hash, secret);
  }

  /** The `adm` parameter of routes of an admitted call. */
  admission(callId: string): string {
    return this.#hash.sha256(`${this.#secret}:admit:${callId}`).slice(0, ADMISSION_DIGITS);
  }

  /** Top first: towards the callee, then towards the caller; one for both where they are the same. */
  recordRoutes(caller: Side, callee: Side, admission: string): string[] {
    const upstream = this.route(caller, admission);
    const downstream = this.route(callee, admission);
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

  #pathWord(user: string): string {
    return this.#hash.sha256(`${this.#secret}:path:${user}`).slice(0, ADMISSION_DIGITS);
  }
}

function made({ transport, address, port }: Side, user: string, params: string): string {
  const how = transport === "udp" ? "" : `;transport=${transport}`;
  const at = user === "" ? "" : `${user}@`;
  return `<sip:${at}${hostText(address)}:${port}${how};lr${params}>`;
}
