/** What programs of others and their networks may make grow. docs/limits.md lists these. */

/** Lines of one program that are kept for the report; its last words are kept beside. */
export const MOST_LINES = 500;
/** Calls of one phone that are followed at a time; the oldest is forgotten. */
export const MOST_CALLS = 1000;
/** Characters of one message on baresip's control port; more are thrown away. */
export const MOST_HELD = 1_048_576;
/** Connections that a network of the lab can still reset; the oldest is forgotten. */
export const MOST_CONNECTIONS = 10_000;
/** Packets that a rule holds up at a time; more are lost. */
export const MOST_LATE = 100_000;
/** Questions to the resolver that wait in a network; more are lost. */
export const MOST_QUESTIONS = 1000;
