/**
 * The clock that the lab sets all others against. It never jumps, which the time of day does whenever the system
 * corrects it: what other processes stamp with that is brought over before two instants are compared.
 */

/** Milliseconds, the same in all threads of all processes of this machine; they mean nothing elsewhere. */
export function machineClock(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

const ANCHOR_MS = performance.timeOrigin + performance.now() - machineClock();

/** Milliseconds since 1970, with a fraction, as the time of day was when this process began. */
export function wallClock(): number {
  return onWall(machineClock());
}

/** An instant of `machineClock` on `wallClock`. */
export function onWall(machine: number): number {
  return ANCHOR_MS + machine;
}

/** `Date.now()` leaves the fraction away: what lags by more than this was set back, milliseconds. */
const COARSE_MS = 1;

/** How far the time of day lags behind `wallClock`, as far as this process has seen it. */
let behind = 0;

/** An instant on `wallClock`; this system has just stamped it with its time of day, milliseconds since 1970. */
export function fromTimeOfDay(stamped: number): number {
  const day = Date.now();
  const lag = wallClock() - day;
  if (lag < behind || lag > behind + COARSE_MS) behind = lag;
  return stamped + behind;
}
