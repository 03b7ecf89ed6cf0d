/** The values of the transaction timers (RFC 3261 §17, table 4; RFC 6026 §8.8), in milliseconds. */

/** T1: estimate of the round trip; T2: longest spacing of resends; T4: longest life of a message in the network. */
export interface TimerValues {
  readonly t1: number;
  readonly t2: number;
  readonly t4: number;
}

/** The defaults of RFC 3261 §17.1.1.1. */
export const RFC_TIMER_VALUES: TimerValues = { t1: 500, t2: 4000, t4: 5000 };

/** How long the TU may think about an INVITE before the transaction says 100 by itself (§17.2.1). */
export const TRYING_AFTER_MS = 200;

/** Timers B, F, H, J, L and M: after so long the other side has given up, too. */
export function patience(values: TimerValues): number {
  return 64 * values.t1;
}

/** Timer D: how long the answers to an INVITE may be repeated, at least 32 s; 0 on reliable transports. */
export function timerD(values: TimerValues, reliable: boolean): number {
  return reliable ? 0 : Math.max(32_000, patience(values));
}

/** Timers I and K: until repeats still under way have come in; 0 on reliable transports. */
export function timerIK(values: TimerValues, reliable: boolean): number {
  return reliable ? 0 : values.t4;
}

/** Timer J: until the client has stopped resending; 0 on reliable transports. */
export function timerJ(values: TimerValues, reliable: boolean): number {
  return reliable ? 0 : patience(values);
}

/** How long a client's Timer E takes to reach T2: no 100 to a non-INVITE before, and one then (RFC 4320 §4.1). */
export function timerEAtT2(values: TimerValues): number {
  let elapsed = 0;
  for (let spacing = values.t1; spacing < values.t2; spacing *= 2) elapsed += spacing;
  return elapsed;
}
