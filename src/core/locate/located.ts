/** What location gives: targets in the order of trial, when that was true until, and how it was decided. */
import type { Instant, Target } from "../machine.ts";

/** A place that a name came to, and how. */
export interface LocatedTarget {
  readonly target: Target;
  /** The name whose addresses these are, or the literal itself. */
  readonly host: string;
  /** When the address records of this target expire (failback mode DNSTTL); NEVER for a literal. */
  readonly expiresAt: Instant;
  /**
   * Targets of one rank stand in an order that chance made: a draw by weight, or how the resolver turned its
   * answer.
   */
  readonly rank: number;
}

/**
 * `no-records`: the names exist nowhere or lead to no address. `silent`: nobody answered and nothing kept could
 * serve. `refused-by-dot`: the domain says that it has no such service (RFC 2782, target "."). `unsupported`: only
 * transports that the caller does not support. `bad-name`: not an address and not a domain name.
 */
export type LocationFailure =
  | "no-records"
  | "silent"
  | "refused-by-dot"
  | "unsupported"
  | "bad-name";

/** `steps`: how it was decided, one short line each, in order. */
export type Located =
  | {
      readonly kind: "located";
      /** In the order of trial, without duplicates; never empty. */
      readonly targets: readonly LocatedTarget[];
      /** When the first of all records used expires: the order may be another from then on. */
      readonly expiresAt: Instant;
      readonly steps: readonly string[];
    }
  | { readonly kind: "failed"; readonly why: LocationFailure; readonly steps: readonly string[] };
