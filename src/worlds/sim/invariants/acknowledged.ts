/** I7, fifth part: each final answer to an INVITE over datagrams is acknowledged at once (C17, RFC 3261 §13.2.2.4). */
import type { Instant } from "../../../core/machine.ts";
import type { SimulatedMessage } from "../surroundings.ts";
import { branchOf, callIdOf, cseqOf, placeOf, sendsRequest, TIMER_B_T1 } from "./glance.ts";
import type { Complain, Invariant, Watched } from "./invariant.ts";

interface Invited {
  readonly at: Instant;
  readonly over: string;
}

interface Owed {
  readonly at: Instant;
  readonly node: string;
  readonly what: string;
}

/** For a port to be had. */
const WAY_MS = 100;

export class Acknowledged implements Invariant {
  readonly #watched = new Map<string, Watched>();
  readonly #complain: Complain;
  /** INVITEs sent over datagrams that have no final answer, by node and branch. */
  readonly #invited = new Map<string, Invited>();
  /** ACKs that are to go out now: by node and branch, or by node, Call-ID and number. */
  readonly #owed = new Map<string, Owed>();

  constructor(watched: readonly Watched[], complain: Complain) {
    for (const one of watched) this.#watched.set(one.node, one);
    this.#complain = complain;
  }

  died(_now: Instant, node: string): void {
    for (const known of [this.#invited, this.#owed]) {
      for (const key of known.keys()) if (key.startsWith(`${node} `)) known.delete(key);
    }
  }

  message(message: SimulatedMessage, text: string): void {
    const { at, node, peer } = message;
    if (!this.#watched.has(node) || peer.transport !== "udp") return;
    if (message.direction === "in") this.#heard(message, text);
    else if (sendsRequest(message, text)) {
      const key = `${node} ${branchOf(text)}`;
      if (text.startsWith("INVITE ") && !this.#invited.has(key)) {
        this.#invited.set(key, { at, over: wayOf(message) });
      } else if (text.startsWith("ACK ")) {
        this.#owed.delete(key);
        this.#owed.delete(`${node} ${callIdOf(text)} ${Number.parseInt(cseqOf(text), 10)}`);
      }
    }
  }

  #heard(message: SimulatedMessage, text: string): void {
    const [, digits = "0"] = /^SIP\/2\.0 (\d{3})/.exec(text) ?? [];
    const status = Number(digits);
    if (status < 200 || !cseqOf(text).endsWith(" INVITE")) return;
    const { at, node } = message;
    const key = `${node} ${branchOf(text)}`;
    const invited = this.#invited.get(key);
    if (invited === undefined) return;
    this.#invited.delete(key);
    const t1Ms = this.#watched.get(node)?.account.policy.t1Ms ?? 0;
    if (at - invited.at >= TIMER_B_T1 * t1Ms || invited.over !== wayOf(message)) return;
    const number = Number.parseInt(cseqOf(text), 10);
    this.#owed.set(status < 300 ? `${node} ${callIdOf(text)} ${number}` : key, {
      at,
      node,
      what: `${status} from ${placeOf(message)} is not acknowledged`,
    });
  }

  check(now: Instant): void {
    for (const [key, { at, node, what }] of this.#owed) {
      if (now - at <= WAY_MS) continue;
      this.#owed.delete(key);
      if (this.#watched.get(node)?.active !== true) continue;
      this.#complain({ invariant: "I7", at: now, node, what });
    }
  }
}

function wayOf(message: SimulatedMessage): string {
  return `${placeOf(message)} ${message.peer.localPort}`;
}
