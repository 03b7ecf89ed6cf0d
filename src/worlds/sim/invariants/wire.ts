/** I7: CSeq rises within a Call-ID, and credentials go only to a host that sent the nonce they answer. */
import type { SimulatedMessage } from "../surroundings.ts";
import { branchOf } from "./glance.ts";
import type { Complain, Invariant, Watched } from "./invariant.ts";

interface Turn {
  readonly number: number;
  readonly method: string;
}

export class Wire implements Invariant {
  readonly #nodes: ReadonlySet<string>;
  readonly #complain: Complain;
  /** Last turn by node, Call-ID and tags: late legs are dialogs of their own. */
  readonly #turns = new Map<string, Turn>();
  /** Nonces by node, as `ADDRESS NONCE`. */
  readonly #nonces = new Set<string>();

  constructor(watched: readonly Watched[], complain: Complain) {
    this.#nodes = new Set(watched.map(({ node }) => node));
    this.#complain = complain;
  }

  message({ at, node, direction, peer }: SimulatedMessage, text: string): void {
    if (!this.#nodes.has(node)) return;
    const request = !text.startsWith("SIP/2.0");
    if (direction === "in") {
      if (!request) this.#challenged(node, peer.address, text);
      return;
    }
    if (!request) return;
    const wrong = this.#outOfTurn(node, text) ?? this.#leaked(node, peer.address, text);
    if (wrong !== undefined) this.#complain({ invariant: "I7", at, node, what: wrong });
  }

  /** Attempts of one request share a number; ACK and CANCEL have that of their INVITE. */
  #outOfTurn(node: string, text: string): string | undefined {
    const [, digits = "0", method = ""] = /^CSeq: (\d+) (\w+)/m.exec(text) ?? [];
    if (method === "ACK" || method === "CANCEL") return undefined;
    const [, callId = ""] = /^Call-ID: (.*)$/m.exec(text) ?? [];
    const [, tag = ""] = /^From: .*;tag=([^;\r]+)/m.exec(text) ?? [];
    const [, toTag = ""] = /^To: .*;tag=([^;\r]+)/m.exec(text) ?? [];
    const key = `${node} ${callId} ${tag} ${toTag}`;
    const number = Number(digits);
    const last = this.#turns.get(key);
    if (last === undefined || number > last.number) this.#turns.set(key, { number, method });
    else if (number < last.number && !this.#isResent(text)) {
      return `CSeq ${number} ${method} after ${last.number} ${last.method} in ${callId}`;
    } else if (number === last.number && method !== last.method) {
      return `CSeq ${number} for ${method} and ${last.method} in ${callId}`;
    }
    this.#remember(text);
    return undefined;
  }

  readonly #branches = new Set<string>();

  #isResent(text: string): boolean {
    return this.#branches.has(branchOf(text));
  }

  #remember(text: string): void {
    this.#branches.add(branchOf(text));
  }

  #challenged(node: string, address: string, text: string): void {
    const challenges = text.matchAll(/^(?:WWW|Proxy)-Authenticate: .*?nonce="([^"]*)"/gim);
    for (const [, nonce] of challenges) this.#nonces.add(`${node} ${address} ${nonce}`);
  }

  #leaked(node: string, address: string, text: string): string | undefined {
    // An ACK goes where the dialog is routed, with the credentials of its INVITE (RFC 3261 §22.3).
    if (text.startsWith("ACK ")) return undefined;
    const answers = text.matchAll(/^(?:Proxy-)?Authorization: .*?nonce="([^"]*)"/gim);
    for (const [, nonce] of answers) {
      if (!this.#nonces.has(`${node} ${address} ${nonce}`)) {
        return `credentials for ${nonce} sent to ${address}, which never gave it`;
      }
    }
    return undefined;
  }
}
