/**
 * The way from a network of the lab to its resolver, which stands on the loopback interface of the machine: a question
 * is asked there anew, and its answer goes back as a datagram from where it was asked. UDP only.
 */
import { createSocket } from "node:dgram";
import type { Place } from "../addresses.ts";
import { MOST_QUESTIONS } from "../guests/limits.ts";
import { datagramPacket, type Seen } from "./headers.ts";

/** Who asks has given up by then, milliseconds. */
const PATIENCE_MS = 10_000;

export class Gateway {
  readonly #resolver: Place;
  readonly #answered: (packet: Uint8Array) => void;
  readonly #waiting = new Set<() => void>();

  /** @param answered told of each answer, as a packet. */
  constructor(resolver: Place, answered: (packet: Uint8Array) => void) {
    this.#resolver = resolver;
    this.#answered = answered;
  }

  /** A datagram to the resolver. */
  ask({ from, fromPort, to, toPort, payload }: Seen): void {
    if (this.#waiting.size >= MOST_QUESTIONS) return;
    const socket = createSocket("udp4");
    const over = (): void => {
      clearTimeout(timer);
      if (this.#waiting.delete(over)) socket.close();
    };
    const timer = setTimeout(over, PATIENCE_MS);
    this.#waiting.add(over);
    socket.once("message", (answer) => {
      over();
      this.#answered(
        datagramPacket({ from: to, fromPort: toPort, to: from, toPort: fromPort }, answer),
      );
    });
    // Nobody listens there any more: silence.
    socket.once("error", over);
    socket.send(payload, this.#resolver.port, this.#resolver.address);
  }

  close(): void {
    for (const over of [...this.#waiting]) over();
  }
}
