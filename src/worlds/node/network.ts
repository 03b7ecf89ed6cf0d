/** All the transports of one driver: which of them carries a flow, and what they hold open together. */
import { isIP } from "node:net";
import type { FlowId, Local, Opening, Target } from "../../core/machine.ts";
import { type Carrier, type Facts, Nowhere } from "./carrier.ts";
import type { Limits } from "./limits.ts";
import { isUnspecified } from "./local-address.ts";
import { OpenSockets } from "./open-sockets.ts";
import { StreamTransport } from "./stream.ts";
import { type TlsSettings, TlsSide } from "./tls.ts";
import { DatagramTransport } from "./udp.ts";
import { WebSocketTransport } from "./websocket.ts";

export class Network {
  readonly #facts: Facts;
  readonly #sockets = new OpenSockets();
  readonly #tls: TlsSide;
  readonly #datagrams: DatagramTransport;
  readonly #streams: StreamTransport;
  readonly #webSockets: WebSocketTransport;

  constructor(facts: Facts, limits: Limits, settings: TlsSettings | undefined) {
    const tls = new TlsSide(settings);
    this.#tls = tls;
    this.#facts = facts;
    this.#datagrams = new DatagramTransport(facts, limits, this.#sockets);
    this.#streams = new StreamTransport(facts, limits, tls, this.#sockets);
    this.#webSockets = new WebSocketTransport(facts, limits, tls, this.#sockets);
  }

  /** @throws Error when the two are no certificate and its key. */
  showCertificate(certificate: string, key: string): void {
    this.#tls.show(certificate, key);
  }

  /** Told by `bound` or `lost`. */
  bind(flow: FlowId, local: Local): Carrier {
    switch (local.transport) {
      case "udp":
      case "rtp":
        return this.#datagrams.bind(flow, local);
      case "tcp":
      case "tls":
        return this.#streams.bind(flow, local);
      case "ws":
      case "wss":
        return this.#webSockets.bind(flow, local);
    }
  }

  /** Told by `opened` or `lost`. A stream can share at most the address of the bound flow that it is opened `from`. */
  open(flow: FlowId, target: Target, opening: Opening, from: Carrier | undefined): Carrier {
    const { transport, address, port } = target;
    if (isIP(address) === 0 || !(port > 0 && port < 0x1_0000)) {
      this.#facts.lost(flow, "failed");
      return new Nowhere(target);
    }
    if (transport === "udp" || transport === "rtp") {
      return this.#datagrams.open(flow, target, opening);
    }
    const local = from?.peer.localAddress ?? "";
    const usable = isIP(local) === isIP(address) && !isUnspecified(local) ? local : undefined;
    return transport === "tcp" || transport === "tls"
      ? this.#streams.open(flow, target, usable)
      : this.#webSockets.open(flow, target, usable);
  }

  /** Resolves when nothing is open any more. Every carrier must have been closed before. */
  async stop(): Promise<void> {
    this.#datagrams.stop();
    await this.#sockets.stop();
  }
}
