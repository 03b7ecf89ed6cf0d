/** What programs of others may make grow. docs/limits.md lists these. */

/** Lines of one program that are kept for the report; its last words are kept beside. */
export const MOST_LINES = 500;
/** Calls of one phone that are followed at a time; the oldest is forgotten. */
export const MOST_CALLS = 1000;
/** Characters of one message on baresip's control port; more are thrown away. */
export const MOST_HELD = 1_048_576;
