/**
 * The nodes that share one store: their names, addresses and last sign of life, kept under one key of that store,
 * and the secret they share. By these any of them can take a dialog's requests, and none waits for a dead one.
 */
import type { Inquiries, Inquiry } from "../inquiry.ts";
import type { Instant } from "../machine.ts";
import { Timer, type TimerOwner, type Timers } from "../timers.ts";
import type { StoreAnswer } from "../vocabulary.ts";
import { FOR_EVER, type ServerClock } from "./clock.ts";

/** One node of the system. */
export interface Sibling {
  readonly name: string;
  readonly boot: string;
  /** `transport:address:port` of each listening address, the one for other nodes first. */
  readonly addresses: readonly string[];
  /** Epoch seconds. */
  readonly aliveAt: number;
}

const HEARTBEAT_MS = 5_000;

/** Three heartbeats missed. */
const SILENCE_SECONDS = 16;

/** A node unheard of for a day is forgotten with its addresses. */
const FORGET_SECONDS = 86_400;

const NODES_KEY = "nodes";
const SECRET_KEY = "secret";
const FORMAT = "nodes 1";

/** Attempts at one compare-and-set before giving way to the next heartbeat. */
const WRITE_ATTEMPTS = 8;

export class Siblings implements TimerOwner {
  readonly #self: Omit<Sibling, "aliveAt">;
  readonly #secret: string;
  readonly #inquiries: Inquiries;
  readonly #timers: Timers;
  readonly #clock: ServerClock;
  readonly #changed: (others: readonly Sibling[]) => void;
  readonly #given: (now: Instant) => void;
  readonly #heartbeat: Timer = new Timer("heartbeat", this);
  /** Nodes that did not answer, and when (epoch seconds). */
  readonly #suspects = new Map<string, number>();
  /** When nodes that had been silent answered a request all the same (epoch seconds). */
  readonly #answered = new Map<string, number>();
  #nodes: readonly Sibling[] = [];
  /** When the signs of life were read (epoch seconds): while the store is away nobody can give any. */
  #readAt = 0;

  /**
   * @param secret that of all nodes, given back to a store that has lost it.
   * @param changed told the others when they are not the same as before.
   * @param given told after each sign of life, also one that the store did not take.
   */
  constructor(
    self: Omit<Sibling, "aliveAt">,
    secret: string,
    inquiries: Inquiries,
    timers: Timers,
    clock: ServerClock,
    changed: (others: readonly Sibling[]) => void,
    given: (now: Instant) => void,
  ) {
    this.#self = self;
    this.#secret = secret;
    this.#inquiries = inquiries;
    this.#timers = timers;
    this.#clock = clock;
    this.#changed = changed;
    this.#given = given;
  }

  /** All others, alive or not. */
  get others(): readonly Sibling[] {
    return this.#nodes.filter(({ name }) => name !== this.#self.name);
  }

  start(now: Instant): void {
    this.rang(now);
  }

  /** Leaves: the others need not wait to find out. */
  stop(now: Instant): void {
    this.#timers.silence(this.#heartbeat);
    this.#inquiries.start(now, this.#beat(false), () => undefined);
  }

  rang(now: Instant): void {
    this.#timers.set(this.#heartbeat, now + HEARTBEAT_MS);
    this.#inquiries.start(now, this.#beat(true), this.#given);
  }

  /** Whether a node has given a sign of life lately; one that is not known yet has the benefit of the doubt. */
  isAlive(name: string): boolean {
    const node = this.#nodes.find((one) => one.name === name);
    return node === undefined ? !this.#suspects.has(name) : this.#lives(node);
  }

  /** The living node that listens at `transport:address:port`. */
  livingAt(place: string): string | undefined {
    const node = this.#nodes.find(({ addresses }) => addresses.includes(place));
    return node !== undefined && this.#lives(node) ? node.name : undefined;
  }

  /** Where a node listens for others; empty if it is unknown. */
  addressOf(name: string): string {
    return this.#nodes.find((node) => node.name === name)?.addresses[0] ?? "";
  }

  /** It has not answered: not to be waited for until it gives a sign of life. */
  suspect(name: string): void {
    this.#suspects.set(name, Math.ceil(this.#clock.epochSeconds));
  }

  /** It has answered a request, and that is a sign of life. */
  answered(name: string): void {
    if (this.isAlive(name)) return;
    this.#suspects.delete(name);
    this.#answered.set(name, Math.floor(this.#clock.epochSeconds));
  }

  #lives(node: Sibling): boolean {
    const { name, aliveAt } = node;
    const seenAt = Math.max(aliveAt, this.#answered.get(name) ?? 0);
    if (seenAt < this.#readAt - SILENCE_SECONDS) return false;
    return aliveAt > (this.#suspects.get(name) ?? 0);
  }

  *#beat(staying: boolean): Inquiry<void> {
    let others = 0;
    // Nodes that were started together all write at once, and each of them may come first.
    for (let attempt = 0; attempt < WRITE_ATTEMPTS + others; attempt += 1) {
      const read = (yield { kind: "store.read", key: NODES_KEY }) as StoreAnswer;
      if (read.kind !== "stored") return;
      // What has forgotten all of us was emptied: who starts next is to find our secret, not to make another.
      if (read.value === undefined && this.#nodes.length > 0)
        yield* sharedSecret(() => this.#secret);
      const epoch = Math.floor(this.#clock.epochSeconds);
      const kept = keptNodes(read.value, this.#self.name, epoch - FORGET_SECONDS);
      others = kept.count;
      // A node that has left stays in the list, its addresses being in the routes of running calls.
      const aliveAt = staying ? epoch : epoch - SILENCE_SECONDS - 1;
      const value = kept.text + encodeNode({ ...this.#self, aliveAt });
      const written = (yield {
        kind: "store.write",
        key: NODES_KEY,
        value,
        ifVersion: read.version,
        expiresAt: epoch + FORGET_SECONDS,
      }) as StoreAnswer;
      if (written.kind === "conflict") continue;
      const nodes = decodeNodes(value);
      const moved = !sameNodes(nodes, this.#nodes);
      this.#nodes = nodes;
      this.#readAt = epoch;
      if (moved) this.#changed(this.others);
      return;
    }
  }
}

/**
 * The secret of all nodes of one store: found there, or put there by the first. Undefined: the store is unavailable.
 * @param make the secret to put there.
 */
export function* sharedSecret(make: () => string): Inquiry<string | undefined> {
  for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt += 1) {
    const read = (yield { kind: "store.read", key: SECRET_KEY }) as StoreAnswer;
    if (read.kind !== "stored") return undefined;
    if (read.value !== undefined) return read.value;
    const secret = make();
    const written = (yield {
      kind: "store.write",
      key: SECRET_KEY,
      value: secret,
      ifVersion: read.version,
      expiresAt: FOR_EVER,
    }) as StoreAnswer;
    if (written.kind === "written") return secret;
    if (written.kind === "unavailable") return undefined;
  }
  return undefined;
}

/** The same lives of the same nodes, in any order: a life does not move. */
function sameNodes(some: readonly Sibling[], others: readonly Sibling[]): boolean {
  if (some.length !== others.length) return false;
  return some.every(({ name, boot }) =>
    others.some((other) => other.name === name && other.boot === boot),
  );
}

/** The text without one of the nodes and those unheard of since then: it is read as a whole once it is written. */
function keptNodes(
  text: string | undefined,
  name: string,
  since: number,
): { readonly text: string; readonly count: number } {
  const lines = linesOf(text);
  let kept = FORMAT;
  let count = 0;
  for (let at = 1; at + 4 <= lines.length; at += 4) {
    if (lines[at] === name || Number(lines[at + 3]) <= since) continue;
    kept += `\n${lines[at]}\n${lines[at + 1]}\n${lines[at + 2]}\n${lines[at + 3]}`;
    count += 1;
  }
  return { text: kept, count };
}

function encodeNode({ name, boot, addresses, aliveAt }: Sibling): string {
  return `\n${name}\n${boot}\n${addresses.join(",")}\n${aliveAt}`;
}

/** The first line, then four for each node; a text in another format counts as nothing. */
function linesOf(text: string | undefined): readonly string[] {
  return text?.startsWith(`${FORMAT}\n`) === true ? text.split("\n") : [];
}

function decodeNodes(text: string): Sibling[] {
  const nodes: Sibling[] = [];
  const lines = linesOf(text);
  for (let at = 1; at + 4 <= lines.length; at += 4) {
    nodes.push({
      name: lines[at] as string,
      boot: lines[at + 1] as string,
      addresses: (lines[at + 2] as string).split(","),
      aliveAt: Number(lines[at + 3]),
    });
  }
  return nodes;
}
