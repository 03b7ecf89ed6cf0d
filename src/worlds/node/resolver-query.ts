/**
 * One question in flight: server after server, round after round, until one of them knows. Servers already asked are
 * still listened to, so a slow answer counts.
 */
import { performance } from "node:perf_hooks";
import type { DecodedPacket } from "dns-packet";
import type { DnsAnswer, RecordType } from "../../core/vocabulary.ts";
import { readAnswer } from "./resolver-answer.ts";
import { Exchange, type ExchangeUser } from "./resolver-exchange.ts";
import { MAX_ALIASES } from "./resolver-limits.ts";
import { inOrder, type NameServer } from "./resolver-servers.ts";

export interface QueryPatience {
  /** Wait for one answer before the next try. */
  readonly timeoutMs: number;
  /** Further rounds over servers that were silent. */
  readonly retries: number;
  readonly transport: "udp" | "tcp";
}

export class Query implements ExchangeUser {
  readonly #servers: readonly NameServer[];
  readonly #patience: QueryPatience;
  readonly #type: RecordType;
  readonly #done: (answer: DnsAnswer) => void;
  readonly #exchanges = new Set<Exchange>();
  /** Servers whose answer was that they cannot say. */
  readonly #out = new Set<NameServer>();
  #name: string;
  #plan: NameServer[] = [];
  #tries = 0;
  #aliases = 0;
  /** Bounds the TTL of what is found behind aliases. */
  #ttl: number = Number.POSITIVE_INFINITY;
  #newest: Exchange | undefined;
  #timer: NodeJS.Timeout | undefined;
  #why = "no resolver";

  constructor(
    servers: readonly NameServer[],
    patience: QueryPatience,
    name: string,
    type: RecordType,
    done: (answer: DnsAnswer) => void,
  ) {
    this.#servers = servers;
    this.#patience = patience;
    this.#name = name;
    this.#type = type;
    this.#done = done;
  }

  start(): void {
    const order = inOrder(this.#servers, performance.now());
    this.#plan = Array.from({ length: this.#patience.retries + 1 }, () => order).flat();
    this.#tries = 0;
    this.#out.clear();
    this.#tryNext();
  }

  /** Ends without an answer. */
  close(): void {
    clearTimeout(this.#timer);
    for (const exchange of this.#exchanges) exchange.close();
    this.#exchanges.clear();
  }

  heard(exchange: Exchange, packet: DecodedPacket): void {
    const { server } = exchange;
    const reading = readAnswer(packet, this.#name, this.#type);
    if (reading.kind !== "failed" || reading.alive) server.answered();
    switch (reading.kind) {
      case "answer":
        this.#conclude(this.#bounded(reading.answer));
        break;
      case "alias":
        this.#follow(reading.name, reading.ttl);
        break;
      case "truncated":
        if (exchange.over === "udp") this.#again(exchange, "tcp");
        else this.#giveUp(exchange, "truncated over TCP", true);
        break;
      case "edns-unknown":
        server.edns = false;
        if (exchange.withEdns) this.#again(exchange, exchange.over);
        else this.#giveUp(exchange, "FORMERR", true);
        break;
      case "failed":
        this.#giveUp(exchange, reading.why, reading.alive);
        break;
    }
  }

  broken(exchange: Exchange, why: string): void {
    this.#giveUp(exchange, why, false);
  }

  #tryNext(): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    let server = this.#plan[this.#tries];
    while (server !== undefined && this.#out.has(server)) {
      this.#tries += 1;
      server = this.#plan[this.#tries];
    }
    if (server === undefined) {
      this.#conclude({ kind: "silent", why: this.#why });
      return;
    }
    this.#tries += 1;
    // One that was down gets its chance beside the next one, so that nobody waits for it.
    const probing = server.state(now) === "due" && this.#tries < this.#plan.length;
    this.#ask(server, this.#patience.transport, probing ? 0 : this.#patience.timeoutMs);
  }

  #ask(server: NameServer, over: "udp" | "tcp", waitMs: number): void {
    clearTimeout(this.#timer);
    const exchange = new Exchange(server, over, this.#name, this.#type, this);
    this.#newest = exchange;
    this.#exchanges.add(exchange);
    this.#timer = setTimeout(() => {
      this.#why = "timeout";
      server.failed(performance.now());
      this.#tryNext();
    }, waitMs);
    exchange.start();
  }

  /** The same server once more, in another manner. */
  #again(exchange: Exchange, over: "udp" | "tcp"): void {
    this.#drop(exchange);
    this.#ask(exchange.server, over, this.#patience.timeoutMs);
  }

  #giveUp(exchange: Exchange, why: string, alive: boolean): void {
    this.#why = why;
    this.#out.add(exchange.server);
    if (!alive) exchange.server.failed(performance.now());
    this.#drop(exchange);
    if (exchange === this.#newest) this.#tryNext();
  }

  #follow(name: string, ttl: number): void {
    this.close();
    this.#aliases += 1;
    if (this.#aliases > MAX_ALIASES) {
      this.#done({ kind: "none", ttl: 0 });
      return;
    }
    this.#name = name;
    this.#ttl = Math.min(this.#ttl, ttl);
    this.start();
  }

  #bounded(answer: DnsAnswer): DnsAnswer {
    if (this.#aliases === 0 || answer.kind === "silent") return answer;
    if (answer.kind === "none") return { kind: "none", ttl: Math.min(answer.ttl, this.#ttl) };
    const records = answer.records.map((record) => ({
      ...record,
      ttl: Math.min(record.ttl, this.#ttl),
    }));
    return { ...answer, records };
  }

  #drop(exchange: Exchange): void {
    exchange.close();
    this.#exchanges.delete(exchange);
  }

  #conclude(answer: DnsAnswer): void {
    this.close();
    this.#done(answer);
  }
}
