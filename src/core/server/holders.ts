/** Who holds the flow that a REGISTER came over, as the text that goes into its bindings (binding.ts). */
import type { Flow } from "../transaction/user.ts";
import { holderText, inOnePiece, type Sight } from "./binding.ts";
import { placeText } from "./flow-token.ts";

/** The last text of a flow, and what of it can change. Kept with the flow: the next REGISTER over it has the same. */
class Held {
  readonly sight: Sight;
  readonly nodeAddress: string;
  readonly text: string;

  constructor(sight: Sight, nodeAddress: string, text: string) {
    this.sight = sight;
    this.nodeAddress = nodeAddress;
    this.text = text;
  }
}

export class Holders {
  readonly #node: string;
  readonly #boot: string;
  readonly #nodeAddress: () => string;

  /** @param nodeAddress where other nodes reach this one. */
  constructor(node: string, boot: string, nodeAddress: () => string) {
    this.#node = node;
    this.#boot = boot;
    this.#nodeAddress = nodeAddress;
  }

  text(flow: Flow, sight: Sight): string {
    const { id, peer, note } = flow;
    const nodeAddress = this.#nodeAddress();
    if (note instanceof Held && note.sight === sight && note.nodeAddress === nodeAddress) {
      return note.text;
    }
    const { transport, address, port, listener } = peer;
    const text = holderText({
      node: this.#node,
      boot: this.#boot,
      flow: transport === "udp" ? listener : id,
      source: placeText(transport, address, port),
      nodeAddress,
      sight,
    });
    flow.note = new Held(sight, nodeAddress, inOnePiece(text));
    return text;
  }
}
