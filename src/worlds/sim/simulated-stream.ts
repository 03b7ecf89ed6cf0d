/**
 * One side of a connection. What is sent arrives in order; what the network drops is resent until it gets
 * through or the patience of the side that sends is over. An end that is gone answers with a reset.
 *
 * TLS and WebSocket cost a round trip each after that of TCP, which the kernel of a process answers and those it must
 * answer itself; the certificate is judged by the domain asked for (RFC 5922 §7.2).
 */
import type { FlowId, Instant, LossCause, Peer, TransportName } from "../../core/machine.ts";
import { packetOf, type Verdict } from "../../core/network-rules.ts";
import type {
  Handshake,
  HandshakeStep,
  RemoteEnd,
  StreamItem,
  Surroundings,
} from "./surroundings.ts";

/** How long a connection is tried before it has failed, its handshakes included, milliseconds. */
export const CONNECT_TIMEOUT_MS = 5000;
/** How long bytes are resent into silence before the connection is given up: Linux' tcp_retries2 of 15, milliseconds. */
const PATIENCE_MS = 924_600;
const RESEND_MS = 500;

const TCP_ALONE: readonly HandshakeStep[] = [];

/** What follows the handshake of TCP. */
export function handshakeOf(transport: TransportName): readonly HandshakeStep[] {
  switch (transport) {
    case "tls":
      return ["tls"];
    case "ws":
      return ["upgrade"];
    case "wss":
      return ["tls", "upgrade"];
    default:
      return TCP_ALONE;
  }
}

/** The process that has an end. */
export interface StreamHost {
  /** Asked of the side that was connected to. */
  shakes(end: StreamEnd, step: HandshakeStep, name: string | undefined): Handshake;
  /** The connection that has arrived is ready for use. */
  admitted(end: StreamEnd): void;
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

  /** @param name the domain that the certificate must be for; undefined: any. */
  connect(name: string | undefined): void {
    const { network, now } = this.#surroundings;
    const steps = handshakeOf(this.peer.transport);
    const verdict = network.judge(now, packetOf(this.peer, 0));
    if (verdict.kind === "drop" || steps.length > 0) {
      this.#surroundings.after(CONNECT_TIMEOUT_MS, () => {
        if (this.#state === "connecting") this.#break("timeout");
      });
    }
    if (verdict.kind === "drop") return;
    const trip = network.latencyMs() + extraMs(verdict);
    if (verdict.kind === "reject" || verdict.kind === "unreachable") {
      const cause = verdict.kind === "reject" ? "refused" : "unreachable";
      this.#surroundings.after(2 * trip, () => this.#break(cause));
      return;
    }
    this.#surroundings.after(trip, () => this.#arrive(trip, steps, name));
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
    this.#surroundings.left(this.peer);
    this.#state = reaches ? "closing" : "gone";
    if (reaches) this.#put(how);
  }

  /** Both sides lose the connection at once. */
  reset(): void {
    this.#other?.take("reset");
    this.take("reset");
  }

  shake(step: HandshakeStep, name: string | undefined): Handshake {
    return this.#state === "open" ? this.#host.shakes(this, step, name) : "gone";
  }

  shaken(): void {
    if (this.#state === "open") this.#host.admitted(this);
  }

  take(item: StreamItem): boolean {
    if (this.#state === "connecting" && this.#other !== undefined) {
      if (typeof item === "string" && handshakeOf(this.peer.transport).length > 0) {
        this.#break(item);
        return true;
      }
      this.#established();
    }
    if (this.#state !== "open") return false;
    if (typeof item === "string") this.#break(item);
    else this.#host.heard(this, item);
    return true;
  }

  #arrive(trip: number, steps: readonly HandshakeStep[], name: string | undefined): void {
    if (this.#state !== "connecting") return;
    const { address } = this.peer;
    this.#other = this.#surroundings.hostAt(address)?.streamArrived(this);
    this.#surroundings.after(trip, () => {
      if (this.#state === "gone") this.#other?.take("closed");
      else if (this.#other === undefined) this.#break("refused");
      else if (this.#state === "connecting") this.#shakeHands(this.#other, steps, name);
    });
  }

  /** What is lost on either way, or not answered, is asked again until the time for connecting is over. */
  #shakeHands(other: RemoteEnd, steps: readonly HandshakeStep[], name: string | undefined): void {
    if (this.#state !== "connecting") return;
    const [step, ...further] = steps;
    if (step === undefined) {
      this.#established();
      return;
    }
    const { network, now } = this.#surroundings;
    const there = network.judge(now, packetOf(this.peer, 0));
    const back = network.judge(now, packetOf(other.peer, 0));
    const passes = !(isLost(there) || isLost(back));
    const answer = passes ? other.shake(step, name) : "mute";
    if (answer === "mute") {
      this.#surroundings.after(RESEND_MS, () => this.#shakeHands(other, steps, name));
      return;
    }
    if (answer === "done" && further.length === 0) other.shaken();
    const wayMs = 2 * network.latencyMs() + extraMs(there) + extraMs(back);
    this.#surroundings.after(wayMs, () => {
      if (answer === "done") this.#shakeHands(other, further, name);
      else if (this.#state === "connecting") this.#break(answer === "gone" ? "reset" : "tls");
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
    if (isLost(verdict)) {
      this.#resendLater(now);
      return false;
    }
    this.#stuckSince = undefined;
    if (verdict.kind === "reject") {
      this.#break("reset");
      return false;
    }
    const delay = network.latencyMs() + extraMs(verdict);
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
    // Who gives up in the middle of a handshake says so to whoever was about to answer.
    if (this.#state === "connecting") this.#other?.take("closed");
    this.#state = "gone";
    this.#unsent = [];
    if (told) this.#host.broken(this, cause);
  }
}

function isLost(verdict: Verdict): boolean {
  return verdict.kind === "drop" || verdict.kind === "unreachable";
}

function extraMs(verdict: Verdict): number {
  return verdict.kind === "delay" ? verdict.ms : 0;
}
