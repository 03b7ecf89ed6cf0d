/**
 * Answers the core's DnsQuestions over the network, with the TTLs that node:dns keeps to itself: RFC 1035 over UDP and
 * TCP, EDNS (RFC 6891), several servers with their own health. It never throws; silence is an answer.
 */
import { isName } from "../../core/locate/address.ts";
import type { DnsAnswer, DnsQuestion } from "../../core/vocabulary.ts";
import { plainName } from "./resolver-answer.ts";
import { Hosts, systemHosts } from "./resolver-hosts.ts";
import { MAX_QUERIES } from "./resolver-limits.ts";
import { Query, type QueryPatience } from "./resolver-query.ts";
import { NameServer, type ServerAddress, systemServers } from "./resolver-servers.ts";

export interface ResolverOptions {
  /** In the order of trial; undefined: the system's servers and its hosts file. Empty: every answer is silence. */
  readonly servers?: readonly ServerAddress[];
  /** Milliseconds to wait for one answer before the next try. */
  readonly timeoutMs?: number;
  /** Further rounds over servers that were silent. */
  readonly retries?: number;
  readonly transport?: "udp" | "tcp";
}

export type Answered = (answer: DnsAnswer) => void;

/** Those that wait for one question in flight. */
interface Waiting {
  readonly query: Query;
  readonly listeners: Set<Answered>;
}

const TIMEOUT_MS = 3000;
const RETRIES = 2;
export class Resolver {
  readonly #servers: readonly NameServer[];
  readonly #hosts: Hosts;
  readonly #patience: QueryPatience;
  readonly #waiting = new Map<string, Waiting>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #prompt = new Set<NodeJS.Immediate>();
  #closed = false;

  constructor(options: ResolverOptions = {}) {
    const { servers, timeoutMs = TIMEOUT_MS, retries = RETRIES, transport = "udp" } = options;
    this.#servers = (servers ?? systemServers()).map((address) => new NameServer(address));
    this.#hosts = new Hosts(servers === undefined ? systemHosts() : "");
    this.#patience = { timeoutMs, retries, transport };
  }

  /** Questions in flight, each counted once however many ask it. */
  get size(): number {
    return this.#waiting.size;
  }

  /** `answered` is called once, never before this returns, and not at all after `close`. */
  ask(question: DnsQuestion, answered: Answered): void {
    if (this.#closed) return;
    const name = plainName(question.name);
    const known = this.#hosts.answer(name, question.type);
    if (known !== undefined) this.#promptly(answered, known);
    else if (!isName(name)) this.#promptly(answered, { kind: "none", ttl: 0 });
    else this.#join(name, question, answered);
  }

  /** Leaves no socket and no timer behind; who waits is not told. */
  close(): void {
    this.#closed = true;
    for (const { query } of this.#waiting.values()) query.close();
    this.#waiting.clear();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    for (const immediate of this.#prompt) clearImmediate(immediate);
    this.#prompt.clear();
  }

  /** The same question asked twice at a time goes out once. */
  #join(name: string, question: DnsQuestion, answered: Answered): void {
    const { type } = question;
    const key = `${type} ${name}`;
    const waiting = this.#waiting.get(key) ?? this.#begin(key, name, type);
    if (waiting === undefined) {
      this.#promptly(answered, { kind: "silent", why: "too many questions" });
      return;
    }
    waiting.listeners.add(this.#bounded(waiting, question.withinMs, answered));
  }

  #begin(key: string, name: string, type: DnsQuestion["type"]): Waiting | undefined {
    if (this.#waiting.size >= MAX_QUERIES) return undefined;
    const listeners = new Set<Answered>();
    const query = new Query(this.#servers, this.#patience, name, type, (answer) => {
      this.#waiting.delete(key);
      for (const listener of listeners) listener(answer);
    });
    const waiting = { query, listeners };
    this.#waiting.set(key, waiting);
    const immediate = setImmediate(() => {
      this.#prompt.delete(immediate);
      query.start();
    });
    this.#prompt.add(immediate);
    return waiting;
  }

  /** A listener that hears silence after `withinMs`; the query goes on, for whoever asks next. */
  #bounded(waiting: Waiting, withinMs: number | undefined, answered: Answered): Answered {
    if (withinMs === undefined) return (answer) => answered(answer);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      waiting.listeners.delete(listener);
      answered({ kind: "silent", why: "timeout" });
    }, withinMs);
    this.#timers.add(timer);
    const listener: Answered = (answer) => {
      this.#timers.delete(timer);
      clearTimeout(timer);
      answered(answer);
    };
    return listener;
  }

  #promptly(answered: Answered, answer: DnsAnswer): void {
    const immediate = setImmediate(() => {
      this.#prompt.delete(immediate);
      answered(answer);
    });
    this.#prompt.add(immediate);
  }
}
