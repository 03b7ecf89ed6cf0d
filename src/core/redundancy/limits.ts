/** What servers can make a phone remember or try again, each with its bound. */

/** Targets whose challenge is remembered: a phone has a few servers, and a liar must not fill its memory. */
export const MAX_REMEMBERED_CHALLENGES = 32;
/** Challenges met at one target in one go before the refusal is believed. */
export const MAX_CHALLENGES = 3;
