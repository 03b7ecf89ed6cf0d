/**
 * Remembers the intentions of every part of a machine, in order, until the world collects them.
 * It is itself a World, so a part needs to know nothing else.
 */
import type { FlowId, Local, Opening, Target, World } from "./machine.ts";
import type { Question, TraceEvent } from "./vocabulary.ts";

type Intention =
  | { readonly kind: "bind"; readonly flow: FlowId; readonly local: Local }
  | {
      readonly kind: "open";
      readonly flow: FlowId;
      readonly target: Target;
      readonly opening: Opening;
    }
  | { readonly kind: "send"; readonly flow: FlowId; readonly bytes: Uint8Array }
  | { readonly kind: "close"; readonly flow: FlowId }
  | { readonly kind: "ask"; readonly asked: number; readonly question: Question }
  | { readonly kind: "report"; readonly event: TraceEvent };

/** A world that remembers the intentions of a turn and hands them over in order. */
export class Outbox implements World {
  #intentions: Intention[] = [];

  get empty(): boolean {
    return this.#intentions.length === 0;
  }

  bind(flow: FlowId, local: Local): void {
    this.#intentions.push({ kind: "bind", flow, local });
  }

  open(flow: FlowId, target: Target, opening: Opening): void {
    this.#intentions.push({ kind: "open", flow, target, opening });
  }

  send(flow: FlowId, bytes: Uint8Array): void {
    this.#intentions.push({ kind: "send", flow, bytes });
  }

  close(flow: FlowId): void {
    this.#intentions.push({ kind: "close", flow });
  }

  ask(asked: number, question: Question): void {
    this.#intentions.push({ kind: "ask", asked, question });
  }

  report(event: TraceEvent): void {
    this.#intentions.push({ kind: "report", event });
  }

  /** Hands everything over, oldest first, and forgets it. */
  deliver(world: World): void {
    if (this.#intentions.length === 0) return;
    const intentions = this.#intentions;
    this.#intentions = [];
    for (const intention of intentions) act(world, intention);
  }
}

function act(world: World, intention: Intention): void {
  switch (intention.kind) {
    case "send":
      world.send(intention.flow, intention.bytes);
      break;
    case "report":
      world.report(intention.event);
      break;
    case "ask":
      world.ask(intention.asked, intention.question);
      break;
    case "open":
      world.open(intention.flow, intention.target, intention.opening);
      break;
    case "bind":
      world.bind(intention.flow, intention.local);
      break;
    case "close":
      world.close(intention.flow);
      break;
  }
}
