/**
 * The connections that a relay has seen pass, so far as is needed to reset them: both ends are told at once, and
 * whatever either still sends is answered with a reset, until a new connection begins between the same ports.
 */
import { MOST_CONNECTIONS } from "../guests/limits.ts";
import { FLAG, resetFor, resetPacket, type Seen } from "./headers.ts";

/** What one end has sent. */
interface End {
  readonly from: string;
  readonly fromPort: number;
  readonly to: string;
  readonly toPort: number;
  /** The number after its last byte. */
  next: number;
  /** The number that it waits for; undefined: it has not said. */
  awaited: number | undefined;
}

/** It goes on, it ends here without a word, or this is sent back instead. */
export type Fate = "passes" | "lost" | { readonly answer: Uint8Array };

interface Connection {
  readonly ends: Map<string, End>;
  broken: boolean;
}

export class Connections {
  readonly #connections = new Map<string, Connection>();

  /** A packet on its way. */
  saw(seen: Seen): Fate {
    const { tcp, from, fromPort, to, toPort } = seen;
    if (tcp === undefined) return "passes";
    const key = keyOf(seen);
    let connection = this.#connections.get(key);
    const begins = (tcp.flags & (FLAG.syn | FLAG.ack)) === FLAG.syn;
    if (connection === undefined || (begins && connection.broken)) {
      connection = { ends: new Map(), broken: false };
      this.#keep(key, connection);
    }
    if (connection.broken) {
      return tcp.flags & FLAG.rst ? "lost" : { answer: resetFor(seen, tcp) };
    }
    const acknowledges = (tcp.flags & FLAG.ack) !== 0;
    connection.ends.set(`${from}:${fromPort}`, {
      ...{ from, fromPort, to, toPort },
      next: tcp.sequence + tcp.length,
      awaited: acknowledges ? tcp.acknowledged : undefined,
    });
    if (tcp.flags & FLAG.rst) this.#connections.delete(key);
    return "passes";
  }

  /** What tells both ends of each of these connections that it is over. */
  reset(which: (from: string, to: string) => boolean): Uint8Array[] {
    const resets: Uint8Array[] = [];
    for (const connection of this.#connections.values()) {
      const ends = [...connection.ends.values()];
      if (!ends.some(({ from, to }) => which(from, to))) continue;
      connection.broken = true;
      for (const { from, fromPort, to, toPort, next, awaited } of ends) {
        const back = { from: to, fromPort: toPort, to: from, toPort: fromPort };
        resets.push(
          awaited === undefined
            ? resetPacket(back, 0, next)
            : resetPacket(back, awaited, undefined),
        );
      }
    }
    return resets;
  }

  #keep(key: string, connection: Connection): void {
    this.#connections.delete(key);
    this.#connections.set(key, connection);
    if (this.#connections.size <= MOST_CONNECTIONS) return;
    this.#connections.delete(this.#connections.keys().next().value as string);
  }
}

function keyOf({ from, fromPort, to, toPort }: Seen): string {
  return [`${from}:${fromPort}`, `${to}:${toPort}`].sort().join(" ");
}
