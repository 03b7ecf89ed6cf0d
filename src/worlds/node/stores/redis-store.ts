/**
 * A store on Redis or Valkey, one server or a cluster: what several machines share. Compare-and-set is a script
 * that runs atomically at the server. As durable as that server is configured; whatever is lost with the connection is
 * answered `unavailable`, never left waiting.
 */
import type { Redis } from "ioredis";
import type { StoreAnswer, StoreWrite, TraceEvent } from "../../../core/vocabulary.ts";
import { RedisClient, type RedisPlace } from "./redis-client.ts";
import type { Answered, EpochClock, Store, StoredEntry, StoreQuestion } from "./store.ts";

/** Our keys begin so, that the server may be shared with others. */
const NAMESPACE = "dialtone:";

/** A question not answered in this time is answered `unavailable`; looked after four times as often. */
const QUESTION_MS = 2_000;

/** The last second of the year 9999: "never" for a server that counts milliseconds in 64 bits. */
const LATEST_EXPIRY = 253_402_300_799;

const SCAN_COUNT = 500;

interface Waiting {
  readonly answered: Answered;
  readonly until: number;
}

/** @throws Error if the server cannot be reached now. */
export async function connectRedisStore(
  place: RedisPlace,
  report: (event: TraceEvent) => void,
): Promise<Store> {
  const client = await RedisClient.connect(place, report);
  const asked = performance.now();
  const there = await client.epochSeconds();
  const offset = there - (asked + performance.now()) / 2000;
  return new RedisStore(client, () => offset + performance.now() / 1000);
}

/** Its entries run out by the clock of its server, for all nodes alike: those of their machines may be wrong. */
class RedisStore implements Store {
  readonly epochSeconds: EpochClock;
  readonly #client: RedisClient;
  /** Questions asked and not answered, oldest first. */
  readonly #waiting = new Set<Waiting>();
  readonly #patience: NodeJS.Timeout;

  /** `client` is connected, and from here on the store's own. */
  constructor(client: RedisClient, epochSeconds: EpochClock) {
    this.#client = client;
    this.epochSeconds = epochSeconds;
    this.#patience = setInterval(() => this.#giveUp(), QUESTION_MS / 4);
    this.#patience.unref();
  }

  ask(question: StoreQuestion, answered: Answered): void {
    const waiting: Waiting = { answered, until: performance.now() + QUESTION_MS };
    this.#waiting.add(waiting);
    const answer =
      question.kind === "store.read" ? this.#read(question.key) : this.#write(question);
    answer
      .catch((error: unknown): StoreAnswer => ({ kind: "unavailable", why: String(error) }))
      .then((found) => this.#answer(waiting, found));
  }

  async *scan(prefix: string): AsyncIterable<StoredEntry> {
    const pattern = Buffer.from(`${NAMESPACE}${prefix.replace(/[\\*?[\]]/g, "\\$&")}*`, "latin1");
    const seen = new Set<string>();
    for (const node of this.#client.masters()) {
      for await (const name of names(node, pattern)) {
        const key = name.toString("latin1", NAMESPACE.length);
        // A server may name a key twice while it rearranges itself.
        if (seen.has(key)) continue;
        seen.add(key);
        const found = await this.#read(key);
        if (found.kind !== "stored" || found.value === undefined) continue;
        yield { key, value: found.value, version: found.version };
      }
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#patience);
    this.#client.disconnect();
    for (const waiting of this.#waiting) {
      this.#answer(waiting, { kind: "unavailable", why: "the store is closed" });
    }
  }

  async #read(key: string): Promise<StoreAnswer> {
    const stored = await this.#client.read(nameOf(key));
    if (stored === null) return { kind: "stored", value: undefined, version: 0 };
    const space = stored.indexOf(" ");
    const version = Number(stored.toString("latin1", 0, space));
    return { kind: "stored", value: stored.toString("latin1", space + 1), version };
  }

  async #write({ key, value, ifVersion, expiresAt }: StoreWrite): Promise<StoreAnswer> {
    const version = await this.#client.compareAndSet(
      nameOf(key),
      String(ifVersion),
      Buffer.from(value ?? "", "latin1"),
      Math.ceil(Math.min(expiresAt, LATEST_EXPIRY)),
      value === undefined ? "1" : "0",
    );
    return version < 0 ? { kind: "conflict" } : { kind: "written", version };
  }

  #answer(waiting: Waiting, answer: StoreAnswer): void {
    if (this.#waiting.delete(waiting)) waiting.answered(answer);
  }

  #giveUp(): void {
    const now = performance.now();
    for (const waiting of this.#waiting) {
      if (waiting.until > now) return;
      this.#answer(waiting, { kind: "unavailable", why: `no answer in ${QUESTION_MS} ms` });
    }
  }
}

function nameOf(key: string): Buffer {
  return Buffer.from(NAMESPACE + key, "latin1");
}

async function* names(node: Redis, pattern: Buffer): AsyncIterable<Buffer> {
  let cursor = "0";
  do {
    const reply = await node.callBuffer("SCAN", cursor, "MATCH", pattern, "COUNT", SCAN_COUNT);
    const [next, found] = reply as [Buffer, Buffer[]];
    yield* found;
    cursor = next.toString("latin1");
  } while (cursor !== "0");
}
