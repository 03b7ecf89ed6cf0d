/** I4, second part: a server that refused with Retry-After is asked nothing until then (RFC 3261 §21.5.4). */
import type { Instant } from "../../../core/machine.ts";
import type { SimulatedMessage } from "../surroundings.ts";
import { branchOf, type End, placeOf, sendsRequest } from "./glance.ts";
import type { Complain, Invariant, Watched } from "./invariant.ts";

/** When a phone was to leave a place alone. */
export interface Quiet {
  readonly from: Instant;
  readonly until: Instant;
}

/** What belongs to requests made before: their ends, and the answers they are waiting for. */
const AFTERMATH = /^(?:ACK|CANCEL|BYE|PRACK) /;

/** RFC 3261 Timer B and Timer F, where T1 has its usual value. */
const TIMER_F_MS = 32_000;

export class Hush implements Invariant {
  /** The first account of a phone, by each: what one was told all of them know. */
  readonly #phones: ReadonlyMap<string, string>;
  readonly #complain: Complain;
  /** By phone and place, the last there was. */
  readonly #quiet = new Map<string, Quiet>();
  /** A stateless server may answer a resent request in another way: the transaction is over. */
  readonly #answered = new Set<string>();
  /** When each request was sent first, by node and branch. */
  readonly #sentAt = new Map<string, Instant>();

  constructor(watched: readonly Watched[], complain: Complain) {
    const first = ({ phone }: Watched): Watched | undefined =>
      watched.find((other) => other.phone === phone);
    this.#phones = new Map(watched.map((one) => [one.node, first(one)?.node ?? one.node]));
    this.#complain = complain;
  }

  /** What a place that a phone asks last wanted of it. */
  quiet(node: string, peer: End): Quiet | undefined {
    return this.#quiet.get(this.#keyOf(node, peer));
  }

  died(_now: Instant, node: string): void {
    // What an earlier life asked nobody waits for.
    for (const [known, whose] of [
      [this.#quiet, this.#phones.get(node)],
      [this.#sentAt, node],
    ] as const) {
      for (const key of known.keys()) if (key.startsWith(`${whose} `)) known.delete(key);
    }
  }

  #keyOf(node: string, peer: End): string {
    return `${this.#phones.get(node)} ${placeOf({ peer })}`;
  }

  message(message: SimulatedMessage, text: string): void {
    const { at, node, direction } = message;
    if (!this.#phones.has(node)) return;
    if (direction === "in") this.#heard(message, text);
    else if (sendsRequest(message, text) && !AFTERMATH.test(text)) {
      const request = `${node} ${branchOf(text)}`;
      if (this.#sentAt.has(request)) return;
      this.#sentAt.set(request, at);
      const until = this.quiet(node, message.peer)?.until ?? at;
      // Credentials are the second half of a request that was on its way already.
      if (until <= at || /^(?:Proxy-)?Authorization:/m.test(text)) return;
      const what = `${text.slice(0, text.indexOf(" "))} to ${placeOf(message)}, which wants to be left alone`;
      this.#complain({ invariant: "I4", at, node, what });
    }
  }

  #heard(message: SimulatedMessage, text: string): void {
    if (!/^SIP\/2\.0 [2-6]/.test(text)) return;
    const request = `${message.node} ${branchOf(text)}`;
    const first = !this.#answered.has(request);
    this.#answered.add(request);
    if (!first || !text.startsWith("SIP/2.0 503 ")) return;
    const seconds = Number(/^Retry-After: (\d+)/m.exec(text)?.[1] ?? 0);
    const sentAt = this.#sentAt.get(request) ?? Number.NEGATIVE_INFINITY;
    // Nobody hears an answer to a transaction that is over.
    if (seconds === 0 || message.at - sentAt >= TIMER_F_MS) return;
    const { at, node, peer } = message;
    const before = this.quiet(node, peer);
    const from = before !== undefined && before.until >= at ? before.from : at;
    this.#quiet.set(this.#keyOf(node, peer), { from, until: at + seconds * 1000 });
  }
}
