/** What simulated systems hold for a process. */

/** Datagrams that the buffers of a frozen process take; more are lost. */
export const HELD_LIMIT = 2000;
/** An arrived datagram flow unused for so long is forgotten, at the latest a quarter later, milliseconds. */
export const IDLE_MS = 60_000;
