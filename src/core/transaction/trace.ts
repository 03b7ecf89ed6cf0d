/** Transitions and timers as events, for ladders. Made only where someone wants to see them. */
import type { World } from "../machine.ts";
import type { Request } from "../message/message.ts";
import { topVia } from "../message/via.ts";
import type { Timer } from "../timers.ts";

export class Trace {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  entered(request: Request, state: string, side: "client" | "server"): void {
    const { method } = request;
    const branch = topVia(request.headers)?.branch;
    this.#world.report({ event: "transaction.entered", side, method, state, branch });
  }

  rang(request: Request, timer: Timer, side: "client" | "server"): void {
    const { method } = request;
    const branch = topVia(request.headers)?.branch;
    this.#world.report({ event: "timer.rang", side, timer: timer.name, method, branch });
  }
}
