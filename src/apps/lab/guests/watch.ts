/** Watches the programs of others on one stage: their messages, and what these say of their phones. */
import { base64OfText } from "../../../api/base64.ts";
import { withoutDigests } from "../../../api/message-event.ts";
import { type CapturedMessage, MessageReader } from "../../capture/messages.ts";
import type { Frame } from "../../capture/packets.ts";
import type { Topology } from "../../scenario/scenario.ts";
import type { TraceRecord } from "../../trace/record.ts";
import type { Block, Place } from "../addresses.ts";
import type { Seen } from "../network/headers.ts";
import { GUEST_PORT, placeOfLoad } from "../places.ts";
import { wallClock } from "../wall-clock.ts";
import { Observed } from "./observed.ts";
import { Wire } from "./wire.ts";

export interface WatchHost {
  note(record: TraceRecord): void;
  /** An instant of the wall clock on the clock of the stage. */
  own(wall: number): number;
  now(): number;
  /** Whether a program of others lived then, on the clock of the stage. */
  lived(name: string, at: number): boolean;
}

export class GuestWatch {
  readonly #host: WatchHost;
  readonly #observed: Observed;
  /** By `ADDRESS:PORT`. */
  readonly #names = new Map<string, string>();
  readonly #places: Place[] = [];
  readonly #leaving = new MessageReader();
  readonly #arriving = new MessageReader();
  #wire: Wire | string | undefined;

  constructor(topology: Topology, block: Block, host: WatchHost) {
    this.#host = host;
    const relayed = topology.network !== undefined;
    this.#observed = new Observed((record) => host.note(record), relayed);
    topology.servers.forEach(({ name, guest }, index) => {
      if (guest !== undefined) this.#add(name, block.server(name, index));
    });
    topology.phones.forEach(({ name, user, guest }, index) => {
      if (guest === undefined) return;
      const { address } = block.phone(index);
      this.#add(name, { address, port: GUEST_PORT });
      this.#observed.add(name, user, address);
    });
    for (const load of topology.loads ?? []) {
      this.#add(load.name, placeOfLoad(load, { topology, block }));
    }
  }

  /** Without leave to capture, only what ours exchange with them is seen: `watch.missing` tells why. */
  async open(): Promise<void> {
    if (this.#places.length === 0) return;
    this.#wire = await Wire.open(this.#places, (message) => this.#captured(message));
    if (typeof this.#wire !== "string") return;
    const [at, why] = [this.#host.now(), this.#wire];
    this.#host.note({ at, node: "stage", event: "watch.missing", why });
  }

  /** What ours tell of their messages. */
  saw(record: TraceRecord): void {
    this.#observed.saw(record);
  }

  async close(): Promise<void> {
    if (this.#wire instanceof Wire) await this.#wire.close();
  }

  #add(name: string, place: Place): void {
    this.#places.push(place);
    this.#names.set(`${place.address}:${place.port}`, name);
  }

  /** Read off a relay instead of the wire: it tells what is lost from what arrives. */
  left(packet: Uint8Array, seen: Seen): void {
    if (!this.#concerns(seen)) return;
    for (const message of this.#leaving.read(frameOf(packet))) this.#sent(message);
  }

  arrived(packet: Uint8Array, seen: Seen): void {
    if (!this.#concerns(seen)) return;
    for (const message of this.#arriving.read(frameOf(packet))) this.#received(message);
  }

  /** Fifty packets of sound a second are looked at no closer. */
  #concerns({ transport, from, fromPort, to, toPort }: Seen): boolean {
    const names = this.#names;
    return transport === "tcp" || names.has(`${from}:${fromPort}`) || names.has(`${to}:${toPort}`);
  }

  #captured(message: CapturedMessage): void {
    this.#sent(message);
    this.#received(message);
  }

  #sent({ at: wall, transport, source: local, destination: remote, text }: CapturedMessage): void {
    const node = this.#nameOf(local);
    if (node === undefined) return;
    const [at, data] = [this.#host.own(wall), base64OfText(withoutDigests(text))];
    this.#tell({ at, transport, data, node, event: "message.sent", local, remote });
  }

  /** What comes to a closed port was on the wire all the same. */
  #received(message: CapturedMessage): void {
    const { transport, source: remote, destination: local, text } = message;
    const [at, node] = [this.#host.own(message.at), this.#nameOf(local)];
    if (node === undefined || !this.#host.lived(node, at)) return;
    const data = base64OfText(withoutDigests(text));
    this.#tell({ at, transport, data, node, event: "message.received", local, remote });
  }

  /** By its place, or by its address: over TCP they connect from any port. */
  #nameOf(place: string): string | undefined {
    const named = this.#names.get(place);
    if (named !== undefined) return named;
    const address = place.slice(0, place.lastIndexOf(":") + 1);
    for (const [known, name] of this.#names) if (known.startsWith(address)) return name;
    return undefined;
  }

  #tell(record: TraceRecord): void {
    this.#host.note(record);
    this.#observed.saw(record);
  }
}

/** An IPv4 packet by itself. */
function frameOf(packet: Uint8Array): Frame {
  return { at: wallClock(), linkType: 228, bytes: packet };
}
