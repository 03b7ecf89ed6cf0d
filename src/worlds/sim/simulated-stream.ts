/**
 * One side of a connection. What is sent arrives in order; what the network drops is resent until it gets
 * through or the patience of the side that sends is over. An end that is gone answers with a reset.
 */
import type { FlowId, Instant, LossCause, Peer } from "../../core/machine.ts";
import { packetOf } from "./network.ts";
import type { RemoteEnd, StreamItem, Surroundings } from "./surroundings.ts";

/** How long a connection is tried before it has failed, milliseconds. */
const CONNECT_TIMEOUT_MS = 5000;
/** How long bytes are resent into silence before the connection is given up: Linux' tcp_retries2 of 15, milliseconds. */
const PATIENCE_MS = 924_600;
const RESEND_MS = 500;

/** The process that has an end. */
export interface StreamHost {
  connected(end: StreamEnd): void;
  heard(end: StreamEnd, bytes: Uint8Array): void;
  /** Told once, and not after the process itself has closed the end. */
  broken(end: StreamEnd, cause: LossCause): void;
}

export class StreamEnd implements RemoteEnd {
  readonly peer: Peer;
  readonly flow: FlowId;
  readonly #surroundings: Surroundings;
  readonly #host: StreamHost;
  #other: RemoteEnd | undefined;
  #state: "connecting" | "open" | "closing" | "gone" = "connecting";
  /** What the network has not taken yet. */
  #unsent: StreamItem[] = [];
  #resending = false;
  /** Since when nothing has got through. */
  #stuckSince: Instant | undefined;
  /** Nothing arrives before this. */
  #arrivesAfter: Instant = 0;

  constructor(surroundings: Surroundings, host: StreamHost, flow: FlowId, peer: Peer) {
    this.#surroundings = surroundings;
    this.#host = host;
    this.flow = flow;
    this.peer = peer;
  }

  connect(): void {
    const { network, now } = this.#surroundings;
    const verdict = network.judge(now, packetOf(this.peer, 0));
    if (verdict.kind === "drop") {
      this.#surroundings.after(CONNECT_TIMEOUT_MS, () => this.#break("timeout"));
      return;
    }
    const trip = network.latencyMs() + (verdict.kind === "delay" ? verdict.ms : 0);
    if (verdict.kind === "reject") {
      this.#surroundings.after(2 * trip, () => this.#break("refused"));
      return;
    }
    this.#surroundings.after(trip, () => this.#arrive(trip));
  }

  /** Takes a connection that has arrived at this side. */
  accept(other: RemoteEnd): void {
    this.#other = other;
    this.#state = "open";
  }

  send(bytes: Uint8Array): void {
    if (this.#state === "connecting" || this.#state === "open") this.#put(bytes);
  }

  /** `closed`: in order, after all that was sent; `reset`: the process has died. */
  end(how: "closed" | "reset"): void {
    if (this.#state === "gone" || this.#state === "closing") return;
    const reaches = this.#state === "open";
    this.#state = reaches ? "closing" : "gone";
    if (reaches) this.#put(how);
  }

  take(item: StreamItem): boolean {
    if (this.#state === "connecting" && this.#other !== undefined) this.#established();
    if (this.#state !== "open") return false;
    if (typeof item === "string") this.#break(item);
    else this.#host.heard(this, item);
    return true;
  }

  #arrive(trip: number): void {
    if (this.#state !== "connecting") return;
    const { address } = this.peer;
    this.#other = this.#surroundings.hostAt(address)?.streamArrived(this);
    this.#surroundings.after(trip, () => {
      if (this.#state === "gone") this.#other?.take("closed");
      else if (this.#other === undefined) this.#break("refused");
      else if (this.#state === "connecting") this.#established();
    });
  }

  /** When the answer is here, or what the other side sent right after it. */
  #established(): void {
    this.#state = "open";
    this.#host.connected(this);
    this.#pump();
  }

  #put(item: StreamItem): void {
    this.#unsent.push(item);
    if (this.#state !== "connecting" && !this.#resending) this.#pump();
  }

  #pump(): void {
    for (let item = this.#unsent[0]; item !== undefined; item = this.#unsent[0]) {
      if (!this.#sent(item)) return;
      this.#unsent.shift();
    }
  }

  #sent(item: StreamItem): boolean {
    const { network, now, queue } = this.#surroundings;
    const size = typeof item === "string" ? 0 : item.length;
    const verdict = network.judge(now, packetOf(this.peer, size));
    if (verdict.kind === "drop") {
      this.#resendLater(now);
      return false;
    }
    this.#stuckSince = undefined;
    if (verdict.kind === "reject") {
      this.#break("reset");
      return false;
    }
    const delay = network.latencyMs() + (verdict.kind === "delay" ? verdict.ms : 0);
    this.#arrivesAfter = Math.max(this.#arrivesAfter, now + delay);
    queue.put(this.#arrivesAfter, () => this.#delivered(item));
    return true;
  }

  #resendLater(now: Instant): void {
    this.#stuckSince ??= now;
    if (now - this.#stuckSince >= PATIENCE_MS) {
      this.#break("timeout");
      return;
    }
    this.#resending = true;
    this.#surroundings.after(RESEND_MS, () => {
      this.#resending = false;
      if (this.#state !== "gone") this.#pump();
    });
  }

  #delivered(item: StreamItem): void {
    if (this.#other?.take(item) !== false) {
      if (typeof item === "string") this.#state = "gone";
      return;
    }
    const { network } = this.#surroundings;
    this.#surroundings.after(network.latencyMs(), () => this.#break("reset"));
  }

  #break(cause: LossCause): void {
    const told = this.#state === "connecting" || this.#state === "open";
    this.#state = "gone";
    this.#unsent = [];
    if (told) this.#host.broken(this, cause);
  }
}
