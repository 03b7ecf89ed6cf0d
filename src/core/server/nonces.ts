/**
 * Nonces that carry their own proof (RFC 7616 §3.3): time and serial number under a keyed hash, so nothing is kept
 * for a client that never comes back with credentials, and nodes that share the secret accept each other's. Only
 * used nonces are remembered, to refuse a replayed count.
 */
import type { Entropy, Hash } from "../primitives.ts";
import { COPIED, copyOf } from "./own-text.ts";

/** `fresh`: to be served. `again`: the very request served last, a retransmission. `stale`: challenge anew with stale=true. */
export type NonceVerdict = "fresh" | "again" | "stale" | "forged" | "replayed";

/** What is remembered of a nonce in use. */
interface Use {
  readonly issued: number;
  /** The highest nonce count seen. */
  count: number;
  /** Which of the 32 counts up to `count` have been seen, the lowest bit being `count` itself. */
  seen: number;
  /** Of the request that came with `count`. */
  mark: string;
  /** When that was, in epoch seconds. */
  usedAt: number;
}

const MAC_DIGITS = 20;

/** Nobody sends the same request again after Timer F (RFC 3261 §17.1.2.2): by then it is a replay. */
const RETRANSMITTED_SECONDS = 32;

export class Nonces {
  readonly #hash: Hash;
  readonly #entropy: Entropy;
  readonly #secret: string;
  readonly #lifetimeSeconds: number;
  readonly #limit: number;
  readonly #uses = new Map<string, Use>();
  /** Goes over them once, as they are forgotten: another would begin with all the gaps that those have left. */
  readonly #oldest = this.#uses.entries();
  /** Nonces issued up to then may have been forgotten here and are not believed without their memory. */
  #forgottenUpTo = -1;

  constructor(
    hash: Hash,
    entropy: Entropy,
    secret: string,
    lifetimeSeconds: number,
    limit: number,
  ) {
    this.#hash = hash;
    this.#entropy = entropy;
    this.#secret = secret;
    this.#lifetimeSeconds = lifetimeSeconds;
    this.#limit = limit;
  }

  issue(epochSeconds: number): string {
    const stem = `${Math.floor(epochSeconds).toString(36)}.${this.#entropy.uint32().toString(36)}`;
    return `${stem}.${this.#mac(stem)}`;
  }

  /**
   * Judges a nonce together with its count. Only credentials that have been found right may be `commit`ted, so
   * that strangers cannot use up counts or memory.
   *
   * @param request its text with all that must be the same if it comes again.
   */
  judge(nonce: string, count: number, request: string, epochSeconds: number): NonceVerdict {
    const use = this.#uses.get(nonce);
    if (use === undefined) {
      const issued = this.#issued(nonce);
      if (issued === undefined) return "forged";
      return this.#expired(issued, epochSeconds) || issued <= this.#forgottenUpTo
        ? "stale"
        : "fresh";
    }
    if (this.#expired(use.issued, epochSeconds)) return "stale";
    if (count > use.count) return "fresh";
    if (count === use.count && epochSeconds - use.usedAt <= RETRANSMITTED_SECONDS) {
      if (this.#mark(request) === use.mark) return "again";
    }
    const distance = use.count - count;
    return distance < 32 && (use.seen & (1 << distance)) === 0 ? "fresh" : "replayed";
  }

  commit(nonce: string, count: number, request: string, epochSeconds: number): void {
    const use = this.#uses.get(nonce);
    if (use === undefined) {
      // It has been judged, which costs a digest that need not be paid twice.
      const issued = Number.parseInt(nonce, 36);
      const mark = this.#mark(request);
      const usedAt = Math.floor(epochSeconds);
      this.#remember(copyOf(nonce), { issued, count, seen: 1, mark, usedAt });
    } else if (count > use.count) {
      const distance = count - use.count;
      use.seen = distance < 32 ? (use.seen << distance) | 1 : 1;
      use.count = count;
      use.mark = this.#mark(request);
      use.usedAt = Math.floor(epochSeconds);
    } else {
      use.seen |= 1 << (use.count - count);
    }
  }

  #remember(nonce: string, use: Use): void {
    if (this.#uses.size >= this.#limit) {
      const [oldest, forgotten] = this.#oldest.next().value as [string, Use];
      this.#uses.delete(oldest);
      this.#forgottenUpTo = Math.max(this.#forgottenUpTo, forgotten.issued);
    }
    this.#uses.set(nonce, use);
  }

  /** When a nonce of ours was issued, in epoch seconds; undefined if it is not ours. */
  #issued(nonce: string): number | undefined {
    const end = nonce.lastIndexOf(".");
    if (end < 0) return undefined;
    const stem = nonce.slice(0, end);
    if (nonce.slice(end + 1) !== this.#mac(stem)) return undefined;
    return Number.parseInt(stem, 36);
  }

  #mac(stem: string): string {
    return this.#hash.sha256(`${this.#secret}:nonce:${stem}`).slice(0, MAC_DIGITS);
  }

  /** 48 bits under the secret: to find another request with the same ones, each guess has to be sent. */
  #mark(request: string): string {
    return this.#hash.md5(`${this.#secret}:request:${request}`).slice(0, COPIED);
  }

  #expired(issued: number, epochSeconds: number): boolean {
    return epochSeconds - issued > this.#lifetimeSeconds || issued > epochSeconds + 60;
  }
}
