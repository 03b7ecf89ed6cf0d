/** What the servers of a town know of a user. */
import type { Peer } from "../../../core/machine.ts";
import { type Binding, decodeBindings, readHolder } from "../../../core/server/binding.ts";
import { EPOCH_MS, type Town } from "../town.ts";
import { DOMAIN } from "./plan.ts";

/** Where a registration at a configured server, 1-based, stands. */
export interface Standing {
  readonly server: number;
  readonly peer: Peer;
}

/** A record as it was read last. */
interface Page {
  readonly text: string | undefined;
  readonly bindings: readonly Binding[];
}

/** Looked into several times a second, so that a record is read again only when it has changed. */
export class BindingBook {
  readonly #town: Town;
  /** By address and user. */
  readonly #pages = new Map<string, Page>();
  /** Connections that somebody has lost or ended, as holders name them. */
  readonly #lost = new Set<string>();

  constructor(town: Town) {
    this.#town = town;
  }

  /**
   * Whether the server at an address has a live binding of a user.
   * @param of the registration whose binding it must be; undefined: any.
   */
  holds(address: string, user: string, of?: Standing): boolean {
    return this.#some(address, user, (binding) => of === undefined || isOf(binding, of));
  }

  /** Whether one of them is over a flow that is there yet. A store that cannot be asked may have one. */
  reaches(address: string, user: string): boolean {
    return this.#some(address, user, ({ holder }) => !this.#lost.has(readHolder(holder).source));
  }

  /** A flow is there no more for the server or the phone, whatever the other one knows. */
  lost({ transport, address, port, localAddress, localPort }: Peer): void {
    if (transport === "udp") return;
    this.#lost.add(`${transport}:${address}:${port}`);
    this.#lost.add(`${transport}:${localAddress}:${localPort}`);
  }

  #some(address: string, user: string, fits: (binding: Binding) => boolean): boolean {
    const server = this.#town.serverAt(address);
    if (server === undefined) return false;
    const answer = server.store.ask({ kind: "store.read", key: `aor/${user}@${DOMAIN}` });
    if (answer.kind !== "stored") return true;
    const seconds = (this.#town.simulation.now + EPOCH_MS) / 1000;
    return this.#read(`${address} ${user}`, answer.value).some(
      (binding) => binding.expires > seconds && fits(binding),
    );
  }

  #read(key: string, text: string | undefined): readonly Binding[] {
    const known = this.#pages.get(key);
    if (known !== undefined && known.text === text) return known.bindings;
    const bindings = decodeBindings(text, 0);
    this.#pages.set(key, { text, bindings });
    return bindings;
  }
}

/**
 * Over the same flow there may be what a second flow has left: the registrar behind all proxies replaces it under its
 * own reg-id (RFC 5626 §4.2.1). Contacts without a transport are those of UDP.
 */
function isOf({ uri, flowKey }: Binding, { server, peer }: Standing): boolean {
  const { transport, localAddress, localPort } = peer;
  if (!uri.includes(`@${localAddress}:${localPort}`)) return false;
  if (flowKey !== "" && !flowKey.endsWith(` ${server}`)) return false;
  return transport === "udp"
    ? !uri.includes(";transport=")
    : uri.includes(`;transport=${transport}`);
}
