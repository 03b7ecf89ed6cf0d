/** Every bound on what peers can make the transaction layer hold, and how long it holds what nobody uses. */

/** Server transactions at a time; a further request is answered 503. */
export const MAX_SERVER_TRANSACTIONS = 100_000;

/** A larger request leaves over TCP, path MTU unknown (RFC 3261 §18.1.1). */
export const MAX_DATAGRAM_REQUEST_BYTES = 1300;

/** A flow that was opened here, and that nobody uses, is closed after so long. */
export const IDLE_FLOW_MS = 180_000;

/** A message that has begun on a connection must be whole within this time, or the connection is closed. */
export const HALF_MESSAGE_MS = 30_000;

/** A peer that answers pings must do so within this time (RFC 5626 §4.4.1). */
export const PONG_WAIT_MS = 10_000;

/**
 * A STUN keep-alive is sent so often, the first wait doubling each time: 7.5 s in all, as for a silent server. The
 * values of RFC 8489 §6.2.1 would come to 39.5 s, without dial tone.
 */
export const STUN_SENDS = 4;
export const STUN_FIRST_WAIT_MS = 500;

/** Servers whose last overload report is remembered (RFC 7339); of further ones their 503s are heard. */
export const MAX_THROTTLES = 10_000;
