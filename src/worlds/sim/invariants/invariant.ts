/** What all invariants share: whom they watch, what they are shown, and how they complain. */
import type { Instant, LossCause, Peer } from "../../../core/machine.ts";
import type { Account } from "../../../core/phone/account.ts";
import type { Phone } from "../../../core/phone/phone.ts";
import type { Bounds } from "../../../core/redundancy/bounds.ts";
import type { SimulatedEvent } from "../simulation.ts";
import type { SimulatedMessage } from "../surroundings.ts";

/** One account on a phone. */
export interface Watched {
  /** The name of its user, as if it had a node to itself: several may share a phone. */
  readonly node: string;
  /** Another one after a new start. */
  phone: Phone;
  account: Account;
  readonly bounds: Bounds;
  /** After a stop nothing is demanded any more. */
  active: boolean;
}

/** Since when what is true, to the best knowledge of whoever sets the faults. */
export interface Reach {
  /** Since when a server at this address has served everybody without a break; Infinity while it does not. */
  since(address: string): Instant;
  /** Whether it answers at all, be it slowly. */
  answers(address: string): boolean;
  /** Since when every server has been there and the network has lost nothing; Infinity while that is not so. */
  readonly calmSince: Instant;
  /** When a server last came back that had forgotten its dialogs. */
  readonly forgotAt: Instant;
}

export interface Violation {
  /** I1 … I10. */
  readonly invariant: string;
  readonly at: Instant;
  readonly node: string;
  readonly what: string;
}

/** What is promised within seconds or minutes is looked at so often, milliseconds; all else at each step. */
export const LOOK_MS = 500;

export type Complain = (violation: Violation) => void;

/** Shown everything, in the order it happens; `check` comes after each step. */
export interface Invariant {
  event?(event: SimulatedEvent): void;
  message?(message: SimulatedMessage, text: string): void;
  /** A process has lost a flow, and is about to be told so. */
  lost?(node: string, peer: Peer, cause: LossCause): void;
  check?(now: Instant): void;
  /** The process of a phone has died: what comes from this node now comes from one that knows nothing of it. */
  died?(now: Instant, node: string): void;
}
