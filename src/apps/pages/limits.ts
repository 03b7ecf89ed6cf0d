/** What whoever opens a page of ours may make its server hold. docs/limits.md tells them to people. */

/** Pages that watch at a time; a further one is answered 503. */
export const MAX_WATCHERS = 32;

/** Bytes of a command; a longer one is answered 413. */
export const MAX_COMMAND_BYTES = 16_384;
