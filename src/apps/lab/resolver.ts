/** The resolver of one stage: its zone with placeholders, its faults, and whom it does not hear. */
import { fillPlaceholders } from "../scenario/placeholders.ts";
import type { DnsFault, WayFault } from "../scenario/scenario.ts";
import { StageFault } from "../scenario/stage.ts";
import type { Place } from "./addresses.ts";
import { NameServer } from "./name-server.ts";
import type { Asked } from "./name-server-thread.ts";
import { readZone } from "./zone-file.ts";

const EMPTY_ZONE = "$ORIGIN lab.test.\n";

export class StageResolver {
  readonly #placeholders: ReadonlyMap<string, string>;
  readonly #server: NameServer;
  /** Addresses that it does not hear. */
  readonly #deafTo = new Set<string>();

  /** @param asked told of each question. */
  constructor(placeholders: ReadonlyMap<string, string>, asked: (question: Asked) => void) {
    this.#placeholders = placeholders;
    this.#server = new NameServer(asked);
  }

  /** @throws StageFault when the address cannot be had, or the zone cannot be read. */
  async listen({ address, port }: Place, zone: string = EMPTY_ZONE): Promise<void> {
    await this.#server.listen(address, port, this.#zone(zone)).catch((error: Error) => {
      throw new StageFault(`udp ${address}:${port} cannot be had: ${error.message}`);
    });
  }

  /** Resolves with the instant of the change, on the wall clock. */
  async disturb(fault: DnsFault): Promise<number> {
    if (fault.kind === "heal") return this.#server.heal();
    if (fault.kind === "lie") {
      const lie = this.#placeholders.get(fault.address) ?? fault.address;
      return this.#server.setFaults({ lie: [lie] });
    }
    if (fault.kind !== "zone") return this.#server.setFaults({ mode: fault.kind });
    return this.#server.setZone(this.#zone(fault.text));
  }

  /** Hears that address no more, or again; as `disturb`. */
  async deafen(address: string, { kind }: WayFault): Promise<number> {
    if (kind === "heal") this.#deafTo.delete(address);
    else if (kind === "drop") this.#deafTo.add(address);
    else throw new StageFault(`the way to the resolver can be cut, nothing else: ${kind}`);
    return this.#server.setFaults({ deafTo: [...this.#deafTo] });
  }

  async close(): Promise<void> {
    await this.#server.close();
  }

  #zone(text: string): ReturnType<typeof readZone>["zone"] {
    const { zone, faults } = readZone(fillPlaceholders(text, this.#placeholders));
    const [fault] = faults;
    if (fault === undefined) return zone;
    throw new StageFault(`zone line ${fault.line}: ${fault.wrong}; ${fault.remedy}`);
  }
}
