/** I7: CSeq rises within a Call-ID, and credentials go only to a host that sent the nonce they answer. */
import type { Instant } from "../../../core/machine.ts";
import type { SimulatedMessage } from "../surroundings.ts";
import { branchOf, callIdOf, cseqOf, fromTagOf, placeOf } from "./glance.ts";
import type { Complain, Invariant, Watched } from "./invariant.ts";

interface Turn {
  number: number;
  method: string;
  /** Where it stood when the process died that had the dialog. */
  reached: number | undefined;
  /** Attempts of an INVITE outside of a dialog that have no final response, by branch: the number they began with. */
  readonly open: Map<string, number>;
  /** The same of those that were challenged last, by place. */
  readonly challenged: Map<string, number>;
}

export class Wire implements Invariant {
  readonly #nodes: ReadonlySet<string>;
  readonly #complain: Complain;
  /** Whoever hedges. */
  readonly #hedging = new Set<string>();
  /** Last turn by node, Call-ID and tags: late legs are dialogs of their own. */
  readonly #turns = new Map<string, Turn>();
  /** Nonces by node, as `ADDRESS NONCE`. */
  readonly #nonces = new Set<string>();

  constructor(watched: readonly Watched[], complain: Complain) {
    this.#nodes = new Set(watched.map(({ node }) => node));
    for (const { node, account } of watched) {
      if (account.policy.hedgeMs > 0) this.#hedging.add(node);
    }
    this.#complain = complain;
  }

  message(message: SimulatedMessage, text: string): void {
    const { at, node, direction, peer } = message;
    if (!this.#nodes.has(node)) return;
    const request = !text.startsWith("SIP/2.0");
    if (direction === "in") {
      if (!request) this.#answered(message, text);
      return;
    }
    if (!request) return;
    const wrong = this.#outOfTurn(message, text) ?? this.#leaked(node, peer.address, text);
    if (wrong !== undefined) this.#complain({ invariant: "I7", at, node, what: wrong });
  }

  /** What comes now is behind all of that process, but a later one does not know what was said between them. */
  died(_now: Instant, node: string): void {
    for (const [key, turn] of this.#turns) {
      if (!key.startsWith(`${node} `)) continue;
      turn.reached ??= turn.number;
      turn.number = turn.reached;
    }
  }

  /** Attempts of one request share a number; ACK and CANCEL have that of their INVITE. */
  #outOfTurn(message: SimulatedMessage, text: string): string | undefined {
    const { node } = message;
    const [, digits = "0", method = ""] = /^CSeq: (\d+) (\w+)/m.exec(text) ?? [];
    if (method === "ACK" || method === "CANCEL") return undefined;
    const callId = callIdOf(text);
    const [, toTag = ""] = /^To: .*;tag=([^;\r]+)/m.exec(text) ?? [];
    const key = `${node} ${callId} ${fromTagOf(text)} ${toTag}`;
    const number = Number(digits);
    const known = this.#turns.get(key);
    const open = new Map<string, number>();
    const turn = known ?? { number, method, reached: undefined, open, challenged: new Map() };
    if (known === undefined) this.#turns.set(key, turn);
    if (number > turn.number) {
      turn.number = number;
      turn.method = method;
    } else if (number < turn.number && !this.#isResent(text)) {
      // Attempts side by side count alike, so that the callee merges them (RFC 3261 §8.2.2.2).
      const alike = this.#hedging.has(node) && [...turn.open.values()].includes(number);
      if (!alike)
        return `CSeq ${number} ${method} after ${turn.number} ${turn.method} in ${callId}`;
    } else if (number === turn.number && method !== turn.method) {
      return `CSeq ${number} for ${method} and ${turn.method} in ${callId}`;
    }
    if (method === "INVITE" && toTag === "" && !this.#isResent(text)) {
      turn.open.set(branchOf(text), turn.challenged.get(placeOf(message)) ?? number);
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

  #answered(message: SimulatedMessage, text: string): void {
    const { node, peer } = message;
    const { address } = peer;
    if (!text.startsWith("SIP/2.0 1") && cseqOf(text).endsWith(" INVITE")) {
      const turn = this.#turns.get(`${node} ${callIdOf(text)} ${fromTagOf(text)} `);
      const began = turn?.open.get(branchOf(text));
      if (began !== undefined) turn?.challenged.set(placeOf(message), began);
      turn?.open.delete(branchOf(text));
    }
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
