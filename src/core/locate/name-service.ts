/**
 * One look-up, whatever serves it: cached, live, static or stale records, in the order the account's policy says
 * (RFC 3263 leaves it to the client; RFC 8767 for stale ones).
 */
import type { Background, Clock, Inquiry } from "../inquiry.ts";
import type { Instant } from "../machine.ts";
import type { Answer, RecordType, ResourceRecord } from "../vocabulary.ts";
import { MAX_NEGATIVE_TTL_SECONDS, SHORT_PATIENCE_MS, STALE_TTL_MS } from "./limits.ts";
import type { CachedAnswer, RecordCache } from "./record-cache.ts";
import { StaticRecords } from "./static-records.ts";

/** The part of `DnsPolicy` that look-ups need. */
export interface LookupPolicy {
  readonly records: readonly ResourceRecord[];
  /** Static records before live answers; false: when live ones fail. */
  readonly staticFirst: boolean;
  /** False: ask each time. What was heard is still kept for the time when nobody answers. */
  readonly cache: boolean;
  /** Use what came in the Additional section. */
  readonly useAdditional: boolean;
}

export type Origin = "live" | "cached" | "static" | "stale";

/** `silent`: nobody answered and nothing kept can serve. */
export type Found =
  | {
      readonly kind: "records";
      readonly records: readonly ResourceRecord[];
      readonly expiresAt: Instant;
      readonly origin: Origin;
    }
  | { readonly kind: "none"; readonly expiresAt: Instant; readonly origin: Origin }
  | { readonly kind: "silent"; readonly why: string };

export interface NameSource {
  lookup(name: string, type: RecordType): Inquiry<Found>;
}

/** Answers questions about names from static records, from the cache, or from the world. */
export class NameService implements NameSource {
  /** The static records alone; undefined if there are none, or they were asked first anyway. */
  readonly staticOnly: NameSource | undefined;
  readonly #clock: Background;
  readonly #cache: RecordCache;
  readonly #policy: LookupPolicy;
  readonly #static: StaticRecords;

  /** `clock` is the Inquiries that run the look-ups; `cache` may be shared by all accounts. */
  constructor(clock: Background, cache: RecordCache, policy: LookupPolicy) {
    this.#clock = clock;
    this.#cache = cache;
    this.#policy = policy;
    this.#static = new StaticRecords(policy.records);
    this.staticOnly =
      this.#static.empty || policy.staticFirst ? undefined : new StaticSource(clock, this.#static);
  }

  *lookup(name: string, type: RecordType): Inquiry<Found> {
    const first = this.#policy.staticFirst
      ? this.#static.serve(this.#clock.now, name, type)
      : this.#static.running(this.#clock.now, name, type);
    if (first !== undefined) return { kind: "records", ...first, origin: "static" };
    const live = yield* this.#live(name, type);
    if (live.kind === "records") return live;
    const fixed = this.#static.serve(this.#clock.now, name, type);
    if (fixed !== undefined) return { kind: "records", ...fixed, origin: "static" };
    return live.kind === "none" ? live : this.#unanswered(name, type, live);
  }

  *#live(name: string, type: RecordType): Inquiry<Found> {
    const cache = this.#cache;
    if (this.#policy.cache) {
      const kept = cache.fresh(this.#clock.now, name, type);
      if (kept !== undefined && (this.#policy.useAdditional || !kept.additional)) {
        return found(kept, kept.expiresAt, "cached");
      }
    }
    const asked = this.#clock.now;
    const spare = this.#static.cover(name) || cache.stale(asked, name, type) !== undefined;
    if (spare && cache.unanswered(name, type)) {
      // Nobody waits twice for a resolver that is away: it is looked for beside the calls.
      if (cache.probes(asked)) this.#clock.start(asked, this.#ask(name, type, {}), () => undefined);
      return { kind: "silent", why: "silent when asked last" };
    }
    const hurried = spare || cache.silent(asked) || cache.unanswered(name, type);
    return yield* this.#ask(name, type, hurried ? { withinMs: SHORT_PATIENCE_MS } : {});
  }

  *#ask(name: string, type: RecordType, patience: { withinMs?: number }): Inquiry<Found> {
    const cache = this.#cache;
    const answer = dnsAnswer(yield { kind: "dns", name, type, ...patience });
    const heard = cache.heard(this.#clock.now, name, type, answer);
    if (heard !== undefined) return found(heard, heard.expiresAt, "live");
    return { kind: "silent", why: answer.kind === "silent" ? answer.why : "" };
  }

  /** Nobody answers and no static record stands for this: what was once heard must do. */
  #unanswered(name: string, type: RecordType, silence: Found): Found {
    const now = this.#clock.now;
    const stale = this.#cache.stale(now, name, type);
    if (stale !== undefined) return found(stale, now + STALE_TTL_MS, "stale");
    if (!this.#static.cover(name)) return silence;
    return { kind: "none", expiresAt: now + STALE_TTL_MS, origin: "static" };
  }
}

class StaticSource implements NameSource {
  readonly #clock: Clock;
  readonly #records: StaticRecords;

  constructor(clock: Clock, records: StaticRecords) {
    this.#clock = clock;
    this.#records = records;
  }

  // biome-ignore lint/correctness/useYield: static records never need to be asked for
  *lookup(name: string, type: RecordType): Inquiry<Found> {
    const now = this.#clock.now;
    const answer = this.#records.read(now, name, type);
    if (answer !== undefined) return { kind: "records", ...answer, origin: "static" };
    const expiresAt = now + MAX_NEGATIVE_TTL_SECONDS * 1000;
    return { kind: "none", expiresAt, origin: "static" };
  }
}

function found(answer: CachedAnswer, expiresAt: Instant, origin: Origin): Found {
  return answer.records.length === 0
    ? { kind: "none", expiresAt, origin }
    : { kind: "records", records: answer.records, expiresAt, origin };
}

function dnsAnswer(answer: Answer): Extract<Answer, { kind: "records" | "none" | "silent" }> {
  switch (answer.kind) {
    case "records":
    case "none":
    case "silent":
      return answer;
    default:
      return { kind: "silent", why: "not an answer of the DNS" };
  }
}
