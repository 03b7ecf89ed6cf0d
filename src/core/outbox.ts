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

/** A list that has held more is not kept. */
const KEPT = 64;

/** A world that remembers the intentions of a turn and hands them over in order. */
export class Outbox implements World {
  /** The first `#size` are to be handed over. */
  #intentions: (Intention | undefined)[] = [];
  #size = 0;
  /** The list of the turn before: one made anew for each packet would cost as much as what stands in it. */
  #spare: (Intention | undefined)[] | undefined;

  get empty(): boolean {
    return this.#size === 0;
  }

  bind(flow: FlowId, local: Local): void {
    this.#add({ kind: "bind", flow, local });
  }

  open(flow: FlowId, target: Target, opening: Opening): void {
    this.#add({ kind: "open", flow, target, opening });
  }

  send(flow: FlowId, bytes: Uint8Array): void {
    this.#add({ kind: "send", flow, bytes });
  }

  close(flow: FlowId): void {
    this.#add({ kind: "close", flow });
  }

  ask(asked: number, question: Question): void {
    this.#add({ kind: "ask", asked, question });
  }

  report(event: TraceEvent): void {
    this.#add({ kind: "report", event });
  }

  /** Hands everything over, oldest first, and forgets it; what is intended meanwhile waits for the next time. */
  deliver(world: World): void {
    const size = this.#size;
    if (size === 0) return;
    const intentions = this.#intentions;
    this.#intentions = this.#spare ?? [];
    this.#spare = undefined;
    this.#size = 0;
    for (let index = 0; index < size; index += 1) {
      const intention = intentions[index] as Intention;
      intentions[index] = undefined;
      act(world, intention);
    }
    if (size <= KEPT) this.#spare = intentions;
  }

  #add(intention: Intention): void {
    this.#intentions[this.#size] = intention;
    this.#size += 1;
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
