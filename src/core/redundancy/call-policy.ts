/** How the calls of an account use what both ends may know beyond RFC 3261: RFC 3262 and RFC 4028. */

export interface CallPolicy {
  /**
   * Reliable provisional responses (100rel): `never` understood; sent where the caller has `required` them; or
   * wherever they are `supported`.
   */
  readonly reliableProvisionals: "never" | "required" | "supported";
  /** Ask for a session timer; false: only agree to what the peer asks for. */
  readonly sessionTimer: boolean;
  /** The interval asked for, seconds. */
  readonly sessionExpiresSeconds: number;
  /** Who is to refresh, as seen from a call that is placed: we (`uac`) or the other end (`uas`). */
  readonly sessionRefresher: "uac" | "uas";
}

export const CALL_DEFAULTS: CallPolicy = {
  reliableProvisionals: "required",
  sessionTimer: false,
  sessionExpiresSeconds: 1800,
  sessionRefresher: "uac",
};
