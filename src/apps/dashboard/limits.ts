/** What a lab keeps for its pages. docs/limits.md tells them to people. */

/** Traces kept to be looked at; the oldest scenario that is over is forgotten. */
export const MAX_TRACES = 24;

/** Records of one trace that are kept for pages opened later; what comes after is shown to nobody. */
export const MAX_TRACE_RECORDS = 1_000_000;
