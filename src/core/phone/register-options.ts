/** How one REGISTER is to be sent. */
import type { AttemptPlace } from "../redundancy/request.ts";
import type { Place } from "../redundancy/server-set.ts";

export interface RegisterOptions {
  /** Start at this place; undefined: where the route's failback mode says. */
  readonly only?: Place;
  /** Nothing comes after this server: its last place gets the full patience. */
  readonly last: boolean;
  /** A probe: short patience everywhere (R60). */
  readonly probe: boolean;
  /** Start at the first place whatever is in use. */
  readonly fromTop: boolean;
  /** A removal: it is followed by another one there. */
  readonly also?: AttemptPlace | undefined;
}

/** Where the failback mode says, with another server to try after this one, or none. */
export const FOLLOWED: RegisterOptions = { last: false, probe: false, fromTop: false };
export const LAST: RegisterOptions = { last: true, probe: false, fromTop: false };
/** A removal: short patience, one try. */
export const PARTING: RegisterOptions = { last: false, probe: true, fromTop: false };
