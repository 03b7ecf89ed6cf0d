/** What callers can make a server keep of what they say, and how long they may stay. */

/** Messages of one box; a further caller is told that it is full. */
export const MAX_MESSAGES = 50;
/** The longest message, seconds: 8 kB of audio each. */
export const MAX_MESSAGE_SECONDS = 120;
/** The longest greeting that a user records for his callers, seconds. */
export const MAX_GREETING_SECONDS = 30;
/** Without any audio for so long a caller is taken to be gone: not every phone sends while nobody speaks. */
export const CALLER_SILENCE_MS = 8_000;
/** Who holds the box for so long is hung up on: what it says waits for him. */
export const CALLER_HELD_MS = 60_000;
/** A key is waited for so long after the menu. */
export const KEY_WAIT_MS = 8_000;
/** Keys pressed before they are asked for; more are not kept. */
export const MAX_WAITING_KEYS = 16;
