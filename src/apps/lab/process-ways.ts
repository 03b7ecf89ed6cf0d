/**
 * What befalls the ways between nodes that share the loopback interface: nothing stands between them, so each process
 * of ours is told what to do to its own packets. A program of others is not told: what befalls its ways is done at
 * the other end, by everybody of ours, and by whoever starts later.
 */
import type { Ends, WayFault } from "../scenario/scenario.ts";
import { StageFault } from "../scenario/stage.ts";

type Control = Readonly<Record<string, unknown>>;

/** The stage, as its ways see it. */
export interface WaysHost {
  addressOf(node: string): string;
  isGuest(node: string): boolean;
  /** Those of ours that were started. */
  ours(): readonly string[];
  /** Resolves with the instant at which it obeys. */
  tell(node: string, control: Control): Promise<number>;
}

export class ProcessWays {
  readonly #host: WaysHost;
  /** What befell all ways of a program of others. */
  readonly #standing = new Map<string, Control>();

  constructor(host: WaysHost) {
    this.#host = host;
  }

  /** What a process of ours is told as soon as it is up. */
  get standing(): readonly Control[] {
    return [...this.#standing.values()];
  }

  /** @throws StageFault where the two cannot be told apart. */
  async disturb([node, other]: Ends, fault: WayFault): Promise<number> {
    const host = this.#host;
    if (host.isGuest(node)) return this.#disturbGuest(node, other, fault);
    const own = host.ours().includes(node) || other === undefined ? node : other;
    const far = own === node ? other : node;
    const peers = far === undefined ? [] : [host.addressOf(far)];
    if (peers.includes(host.addressOf(own))) {
      throw new StageFault(`${node} and ${far} stand at one address: nothing is between them`);
    }
    return host.tell(own, controlOf(fault, peers));
  }

  /** Every way on which that node was named first, and whatever else it was told. */
  async healOf(node: string): Promise<number> {
    if (this.#host.isGuest(node)) return this.disturb([node], { kind: "heal" });
    return this.#host.tell(node, { do: "heal" });
  }

  /** Resolves when the last of our processes obeys. */
  async #disturbGuest(guest: string, other: string | undefined, fault: WayFault): Promise<number> {
    const host = this.#host;
    const control = { ...controlOf(fault, [host.addressOf(guest)]), inward: true };
    if (other !== undefined) return host.tell(other, control);
    if (fault.kind !== "reset") this.#standing.set(guest, control);
    const instants = await Promise.all(host.ours().map((name) => host.tell(name, control)));
    return Math.max(...instants, 0);
  }
}

function controlOf({ kind, ...how }: WayFault, peers: readonly string[]): Control {
  return { do: kind, ...how, with: peers };
}
