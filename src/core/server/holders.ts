/** Who holds the flow that a REGISTER came over, as the text that goes into its bindings (binding.ts). */
import type { Peer } from "../machine.ts";
import type { Flow } from "../transaction/user.ts";
import { holderText, inOnePiece, type Sight } from "./binding.ts";
import { placeText } from "./flow-token.ts";

export class Holders {
  readonly #node: string;
  readonly #boot: string;
  readonly #nodeAddress: () => string;
  /** The last text and what it was made of: the REGISTERs that one proxy forwards all come over one flow. */
  #peer: Peer | undefined;
  #sight: Sight = "same";
  #address = "";
  #text = "";

  /** @param nodeAddress where other nodes reach this one. */
  constructor(node: string, boot: string, nodeAddress: () => string) {
    this.#node = node;
    this.#boot = boot;
    this.#nodeAddress = nodeAddress;
  }

  text({ id, peer }: Flow, sight: Sight): string {
    const nodeAddress = this.#nodeAddress();
    if (peer === this.#peer && sight === this.#sight && nodeAddress === this.#address) {
      return this.#text;
    }
    const { transport, address, port, listener } = peer;
    this.#peer = peer;
    this.#sight = sight;
    this.#address = nodeAddress;
    const text = holderText({
      node: this.#node,
      boot: this.#boot,
      flow: transport === "udp" ? listener : id,
      source: placeText(transport, address, port),
      nodeAddress,
      sight,
    });
    this.#text = inOnePiece(text);
    return text;
  }
}
