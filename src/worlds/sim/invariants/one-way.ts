/** I7, third part: an INVITE that was heard of goes nowhere else, or its callee could ring twice (C16, R69). */
import type { Instant } from "../../../core/machine.ts";
import type { SimulatedMessage } from "../surroundings.ts";
import {
  branchOf,
  callIdOf,
  cseqOf,
  hasToTag,
  placeOf,
  sendsRequest,
  TIMER_B_T1,
} from "./glance.ts";
import type { Complain, Invariant, Watched } from "./invariant.ts";

export class OneWay implements Invariant {
  /** How long each of them listens for an answer to an INVITE, milliseconds. */
  readonly #listens: ReadonlyMap<string, number>;
  readonly #complain: Complain;
  /** Places that an INVITE was sent to, by node and Call-ID: credentials finish what was begun there. */
  readonly #sent = new Map<string, Set<string>>();
  /** The branch of the INVITE sent last, by node and Call-ID. */
  readonly #newest = new Map<string, string>();
  /** When each was sent first, by branch. */
  readonly #sentAt = new Map<string, Instant>();
  /** Whoever has several on their way at a time. */
  readonly #hedging = new Set<string>();
  /** Branches that a 1xx came to, by node, Call-ID and CSeq. */
  readonly #heard = new Map<string, Set<string>>();
  /** Those that were told to stop: they bind nobody any more. */
  readonly #stopped = new Set<string>();
  readonly #answered = new Set<string>();

  constructor(watched: readonly Watched[], complain: Complain) {
    this.#listens = new Map(
      watched.map(({ node, account }) => [node, TIMER_B_T1 * account.policy.t1Ms]),
    );
    for (const { node, account } of watched) {
      if (account.policy.hedgeMs > 0) this.#hedging.add(node);
    }
    this.#complain = complain;
  }

  message(message: SimulatedMessage, text: string): void {
    const { at, node, direction } = message;
    if (!this.#listens.has(node)) return;
    if (direction === "in") {
      this.#hear(message, text);
      return;
    }
    if (text.startsWith("CANCEL ")) this.#stopped.add(branchOf(text));
    if (!text.startsWith("INVITE ") || !sendsRequest(message, text) || hasToTag(text)) return;
    const call = `${node} ${callIdOf(text)}`;
    const key = `${call} ${cseqOf(text)}`;
    const places = this.#sent.get(call) ?? new Set();
    const place = placeOf(message);
    const heard = [...(this.#heard.get(key) ?? [])].some((one) => !this.#stopped.has(one));
    if (heard && !places.has(place)) {
      const what = `INVITE to ${place} though it was heard of at ${[...places].join(" ")}`;
      this.#complain({ invariant: "I7", at, node, what });
    }
    this.#sent.set(call, places.add(place));
    const branch = branchOf(text);
    this.#newest.set(call, branch);
    if (!this.#sentAt.has(branch)) this.#sentAt.set(branch, at);
  }

  /** A 1xx that was overtaken by what came after it says nothing any more, and one after Timer B is not heard. */
  #hear({ at, node }: SimulatedMessage, text: string): void {
    const [, digit] = /^SIP\/2\.0 (\d)/.exec(text) ?? [];
    const branch = branchOf(text);
    if (digit === undefined || this.#answered.has(branch)) return;
    if (at - (this.#sentAt.get(branch) ?? at) >= (this.#listens.get(node) ?? 0)) return;
    const cseq = cseqOf(text);
    if (!cseq.endsWith(" INVITE")) return;
    const call = `${node} ${callIdOf(text)}`;
    // One that was left for another place is told to stop (`OneLeg` sees to that), and binds nobody.
    const late = this.#newest.get(call) !== branch && !this.#hedging.has(node);
    if (digit !== "1") this.#answered.add(branch);
    else if (!late) {
      const key = `${call} ${cseq}`;
      this.#heard.set(key, (this.#heard.get(key) ?? new Set()).add(branch));
    }
  }
}
