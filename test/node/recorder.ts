/** A machine for tests of the node world: it records every fact, may react, and lets a test wait for a fact. */
import { ok } from "node:assert/strict";
import {
  type FlowId,
  type Instant,
  type Local,
  type LossCause,
  type Machine,
  NEVER,
  type Peer,
  type World,
} from "../../src/core/machine.ts";
import { Outbox } from "../../src/core/outbox.ts";
import type { Answer } from "../../src/core/vocabulary.ts";

export type Fact =
  | { readonly fact: "bound"; readonly flow: FlowId; readonly local: Local }
  | { readonly fact: "opened"; readonly flow: FlowId; readonly peer: Peer }
  | { readonly fact: "received"; readonly flow: FlowId; readonly text: string }
  | { readonly fact: "lost"; readonly flow: FlowId; readonly cause: LossCause }
  | { readonly fact: "answered"; readonly asked: number; readonly answer: Answer }
  | { readonly fact: "elapsed" };

export type Recorded = Fact & { readonly at: Instant };

interface Waiting {
  readonly wanted: (fact: Recorded) => boolean;
  readonly found: (fact: Recorded) => void;
}

/** How long a test waits for a fact before it says what it did see. */
const PATIENCE_MS = 10_000;

export class Recorder implements Machine {
  readonly outbox: Outbox = new Outbox();
  readonly facts: Recorded[] = [];
  deadline: Instant = NEVER;
  /** What the machine does at each fact. */
  react: (fact: Recorded, outbox: Outbox) => void = () => undefined;
  readonly #waiting = new Set<Waiting>();

  bound(at: Instant, flow: FlowId, local: Local): void {
    this.#record({ fact: "bound", at, flow, local });
  }

  opened(at: Instant, flow: FlowId, peer: Peer): void {
    this.#record({ fact: "opened", at, flow, peer });
  }

  received(at: Instant, flow: FlowId, bytes: Uint8Array): void {
    this.#record({ fact: "received", at, flow, text: Buffer.from(bytes).toString("latin1") });
  }

  lost(at: Instant, flow: FlowId, cause: LossCause): void {
    this.#record({ fact: "lost", at, flow, cause });
  }

  answered(at: Instant, asked: number, answer: Answer): void {
    this.#record({ fact: "answered", at, asked, answer });
  }

  elapsed(at: Instant): void {
    ok(at >= this.deadline, `woken ${this.deadline - at} ms early`);
    this.deadline = NEVER;
    this.#record({ fact: "elapsed", at });
  }

  deliver(world: World): void {
    this.outbox.deliver(world);
  }

  /** The first fact of this kind that fits, past or to come. */
  until<Kind extends Fact["fact"]>(
    kind: Kind,
    fits: (fact: Extract<Recorded, { fact: Kind }>) => boolean = () => true,
  ): Promise<Extract<Recorded, { fact: Kind }>> {
    type Wanted = Extract<Recorded, { fact: Kind }>;
    const wanted = (fact: Recorded): fact is Wanted => fact.fact === kind && fits(fact as Wanted);
    const past = this.facts.find(wanted);
    if (past !== undefined) return Promise.resolve(past);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no such ${kind}; seen: ${JSON.stringify(this.facts)}`)),
        PATIENCE_MS,
      );
      const found = (fact: Recorded): void => {
        clearTimeout(timer);
        resolve(fact as Wanted);
      };
      this.#waiting.add({ wanted, found });
    });
  }

  /** All texts that came on a flow, joined: a stream may cut them anywhere. */
  heard(flow: FlowId): string {
    return this.facts
      .filter((fact) => fact.fact === "received" && fact.flow === flow)
      .map((fact) => (fact as Extract<Recorded, { fact: "received" }>).text)
      .join("");
  }

  #record(fact: Recorded): void {
    this.facts.push(fact);
    this.react(fact, this.outbox);
    for (const waiting of this.#waiting) {
      if (!waiting.wanted(fact)) continue;
      this.#waiting.delete(waiting);
      waiting.found(fact);
    }
  }
}

export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}
