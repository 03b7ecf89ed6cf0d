/** What was done to ways and to the resolver and still lasts: read off the records, so that every page knows. */

import type { Ends } from "../../../scenario/scenario.ts";
import { field, type TraceRecord } from "../../../trace/record.ts";

export interface WayTrouble {
  readonly ends: Ends;
  /** `drop`, `lose` … */
  readonly how: string;
}

export class Troubles {
  readonly #ways = new Map<string, WayTrouble>();
  /** `silent`, `servfail` or `lie`; "" while it answers. */
  resolver = "";
  /** Rules live in the network, not in processes. */
  #ofNetwork = false;

  get ways(): readonly WayTrouble[] {
    return [...this.#ways.values()];
  }

  add(record: TraceRecord): void {
    const how = field(record, "how");
    switch (record.event) {
      case "way.disturbed":
        this.#disturb(record.node, field(record, "with"), how);
        break;
      case "dns.disturbed":
        if (how !== "zone") this.resolver = how === "heal" ? "" : how;
        break;
      case "server.disturbed":
        // A server that is healed heals the ways on which it was named first.
        if (how === "heal") this.#forget(({ ends }) => ends[0] === record.node);
        break;
      case "network.opened":
        this.#ofNetwork = true;
        break;
      case "server.killed":
      case "server.halted":
      case "phone.killed":
      case "phone.halted":
        // Else they live in the process that was named first.
        if (!this.#ofNetwork)
          this.#forget(({ ends }) => ends[0] === record.node && ends[1] !== "dns");
        break;
    }
  }

  #disturb(node: string, other: string, how: string): void {
    const ends: Ends = other === "" ? [node] : [node, other];
    const key = [...ends].sort().join(" ");
    if (how === "heal") this.#ways.delete(key);
    else this.#ways.set(key, { ends, how });
  }

  #forget(which: (way: WayTrouble) => boolean): void {
    for (const [key, way] of this.#ways) if (which(way)) this.#ways.delete(key);
  }
}
