/** What pages may make the lab's server hold. docs/limits.md tells them to people. */

/** Pages that watch at a time; a further one is answered 503. */
export const MAX_WATCHERS = 32;

/** Bytes of a command; a longer one is answered 413. */
export const MAX_COMMAND_BYTES = 16_384;

/** Traces kept to be looked at; the oldest scenario that is over is forgotten. */
export const MAX_TRACES = 24;

/** Records of one trace that are kept for pages opened later; what comes after is shown to nobody. */
export const MAX_TRACE_RECORDS = 1_000_000;
