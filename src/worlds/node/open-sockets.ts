/** Every socket and server of one driver from creation until the system has let go of it. */
import type { Socket as DatagramSocket } from "node:dgram";
import { type Server, Socket } from "node:net";

export class OpenSockets {
  readonly #open = new Set<DatagramSocket | Socket | Server>();
  #emptied: (() => void) | undefined;

  get size(): number {
    return this.#open.size;
  }

  follow(socket: DatagramSocket | Socket | Server): void {
    this.#open.add(socket);
    socket.once("close", () => {
      this.#open.delete(socket);
      if (this.#open.size === 0) this.#emptied?.();
    });
  }

  /** Cuts the connections that linger; resolves when nothing is open. Everything else must have been closed before. */
  async stop(): Promise<void> {
    for (const socket of this.#open) if (socket instanceof Socket) socket.destroy();
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
  }
}
