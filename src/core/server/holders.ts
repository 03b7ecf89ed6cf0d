/** Who holds the flow that a REGISTER came over, which goes into its bindings as a text (binding.ts). */
import type { FlowId, Peer } from "../machine.ts";
import type { Flow } from "../transaction/user.ts";
import { type Holder, holderText, type Sight } from "./binding.ts";
import { placeText } from "./flow-token.ts";

/** The text of a Holder, made when somebody asks: between two renewals hardly anybody does. */
export interface HolderSource {
  readonly text: string;
}

/** What the holders of all flows seen alike have in common. */
type Ground = Pick<Holder, "node" | "boot" | "nodeAddress" | "sight">;

/** Of one flow. Less than its text: a fleet has many bindings. */
class FlowHolder implements HolderSource {
  readonly #ground: Ground;
  readonly #flow: FlowId;
  readonly #peer: Peer;

  constructor(ground: Ground, { id, peer }: Flow) {
    this.#ground = ground;
    this.#flow = peer.transport === "udp" ? peer.listener : id;
    this.#peer = peer;
  }

  get text(): string {
    const { node, boot, nodeAddress, sight } = this.#ground;
    const { transport, address, port } = this.#peer;
    const source = placeText(transport, address, port);
    return holderText({ node, boot, flow: this.#flow, source, nodeAddress, sight });
  }
}

export class Holders {
  readonly #node: string;
  readonly #boot: string;
  readonly #nodeAddress: () => string;
  readonly #grounds = new Map<Sight, Ground>();

  /** @param nodeAddress where other nodes reach this one. */
  constructor(node: string, boot: string, nodeAddress: () => string) {
    this.#node = node;
    this.#boot = boot;
    this.#nodeAddress = nodeAddress;
  }

  of(flow: Flow, sight: Sight): HolderSource {
    return new FlowHolder(this.#groundOf(sight), flow);
  }

  #groundOf(sight: Sight): Ground {
    const nodeAddress = this.#nodeAddress();
    const known = this.#grounds.get(sight);
    if (known?.nodeAddress === nodeAddress) return known;
    const ground = { node: this.#node, boot: this.#boot, nodeAddress, sight };
    this.#grounds.set(sight, ground);
    return ground;
  }
}
