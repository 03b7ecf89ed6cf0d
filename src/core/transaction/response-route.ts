/**
 * A response whose connection is gone (RFC 3261 §18.2.2): over a new one to where the request came from, and if that
 * cannot be had to where the name in its Via leads (RFC 3263 §5).
 */
import type { Instant, LossCause, Opening, Target } from "../machine.ts";
import type { Via } from "../message/via.ts";
import type { ResponseSender } from "./host.ts";
import type { Flow, FlowUser } from "./user.ts";

/** Finds where the sent-by of a Via leads, best first; told later or at once, once. */
export type Alternates = (
  now: Instant,
  via: Via,
  found: (now: Instant, targets: readonly Target[]) => void,
) => void;

export interface ResponseRouteHost {
  reach(now: Instant, target: Target, opening: Opening, user: FlowUser): void;
  sendOver(now: Instant, flow: Flow, bytes: Uint8Array): void;
}

export class ResponseRoute implements FlowUser {
  readonly #host: ResponseRouteHost;
  readonly #via: Via;
  readonly #opening: Opening;
  readonly #bytes: Uint8Array;
  readonly #sender: ResponseSender;
  /** Undefined once they have been asked for. */
  #alternates: Alternates | undefined;
  #left: readonly Target[] = [];

  /** @param sender told if there is no way. */
  constructor(
    host: ResponseRouteHost,
    via: Via,
    opening: Opening,
    bytes: Uint8Array,
    sender: ResponseSender,
    alternates: Alternates | undefined,
  ) {
    this.#host = host;
    this.#via = via;
    this.#opening = opening;
    this.#bytes = bytes;
    this.#sender = sender;
    this.#alternates = alternates;
  }

  begin(now: Instant, target: Target): void {
    this.#host.reach(now, target, this.#opening, this);
  }

  reached(now: Instant, flow: Flow): void {
    this.#host.sendOver(now, flow, this.#bytes);
  }

  unreached(now: Instant, cause: LossCause): void {
    const alternates = this.#alternates;
    this.#alternates = undefined;
    if (alternates === undefined) this.#next(now, cause);
    else {
      alternates(now, this.#via, (at, targets) => {
        this.#left = targets.filter(({ transport }) => transport !== "udp");
        this.#next(at, cause);
      });
    }
  }

  #next(now: Instant, cause: LossCause): void {
    const [target, ...left] = this.#left;
    this.#left = left;
    if (target === undefined) this.#sender.unsent(now, cause);
    else this.begin(now, target);
  }
}
