/** What the page has of `worlds/node/primitives.ts` (package.json, `browser`): the simulator's own, which are pure. */
import type { Primitives } from "../../../../core/primitives.ts";
import { purePrimitives } from "../../../../worlds/sim/pure-primitives.ts";

/** Whoever simulates brings chance of his own: this one is always the same. */
export function nodePrimitives(): Primitives {
  return purePrimitives(0, 0);
}
