/** The clock that the lab sets all others against. */

/** Milliseconds since 1970, with a fraction; it never jumps. */
export function wallClock(): number {
  return performance.timeOrigin + performance.now();
}
