/**
 * The nodes that share one store: their names, addresses and last sign of life, kept under one key of that store,
 * and the secret they share. By these any of them can take a dialog's requests, and none waits for a dead one.
 */
import { token } from "../identifiers.ts";
import type { Inquiries, Inquiry } from "../inquiry.ts";
import type { Instant } from "../machine.ts";
import type { Entropy } from "../primitives.ts";
import { Timer, type TimerOwner, type Timers } from "../timers.ts";
import type { StoreAnswer } from "../vocabulary.ts";

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

/** Far enough that a store never forgets the shared secret (epoch seconds). */
const FOR_EVER = 253_402_300_799;

export class Siblings implements TimerOwner {
  readonly #self: Omit<Sibling, "aliveAt">;
  readonly #inquiries: Inquiries;
  readonly #timers: Timers;
  readonly #epochOffset: number;
  readonly #heartbeat: Timer = new Timer("heartbeat", this);
  #nodes: readonly Sibling[] = [];

  constructor(
    self: Omit<Sibling, "aliveAt">,
    inquiries: Inquiries,
    timers: Timers,
    epochOffset: number,
  ) {
    this.#self = self;
    this.#inquiries = inquiries;
    this.#timers = timers;
    this.#epochOffset = epochOffset;
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
    this.#inquiries.start(now, this.#beat(true), () => undefined);
  }

  /** Whether that life of that node has given a sign of life lately. */
  isAlive(now: Instant, name: string, boot: string): boolean {
    const latest = (now + this.#epochOffset) / 1000 - SILENCE_SECONDS;
    return this.#nodes.some(
      (node) => node.name === name && node.boot === boot && node.aliveAt >= latest,
    );
  }

  *#beat(staying: boolean): Inquiry<void> {
    for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt += 1) {
      const read = (yield { kind: "store.read", key: NODES_KEY }) as StoreAnswer;
      if (read.kind !== "stored") return;
      const epoch = Math.floor((this.#inquiries.now + this.#epochOffset) / 1000);
      const nodes = decodeNodes(read.value).filter(
        ({ name, aliveAt }) => name !== this.#self.name && aliveAt > epoch - FORGET_SECONDS,
      );
      // A node that has left stays in the list, its addresses being in the routes of running calls.
      nodes.push({ ...this.#self, aliveAt: staying ? epoch : epoch - SILENCE_SECONDS - 1 });
      const written = (yield {
        kind: "store.write",
        key: NODES_KEY,
        value: encodeNodes(nodes),
        ifVersion: read.version,
        expiresAt: epoch + FORGET_SECONDS,
      }) as StoreAnswer;
      if (written.kind === "conflict") continue;
      this.#nodes = nodes;
      return;
    }
  }
}

/** The secret of all nodes of one store: found there, or put there by the first. Undefined: the store is unavailable. */
export function* sharedSecret(entropy: Entropy): Inquiry<string | undefined> {
  for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt += 1) {
    const read = (yield { kind: "store.read", key: SECRET_KEY }) as StoreAnswer;
    if (read.kind !== "stored") return undefined;
    if (read.value !== undefined) return read.value;
    const secret = token(entropy, 8);
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

function encodeNodes(nodes: readonly Sibling[]): string {
  let text = FORMAT;
  for (const node of nodes) {
    text += `\n${node.name}\n${node.boot}\n${node.addresses.join(",")}\n${node.aliveAt}`;
  }
  return text;
}

function decodeNodes(text: string | undefined): Sibling[] {
  const nodes: Sibling[] = [];
  if (text === undefined) return nodes;
  const lines = text.split("\n");
  if (lines[0] !== FORMAT) return nodes;
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
