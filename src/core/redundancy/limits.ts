/** What servers can make a phone remember or try again, each with its bound. */

/** Targets whose challenge is remembered: a phone has a few servers, and a liar must not fill its memory. */
export const MAX_REMEMBERED_CHALLENGES = 32;
/** Challenges met at one target in one go before the refusal is believed. */
export const MAX_CHALLENGES = 3;
/** Servers, as configured, whose lists of places are kept to be shared. */
export const MAX_SHARED_SERVERS = 1024;
/** Lists of one server: as many orders as chance makes of its records, and the ends of their lifetimes. */
export const MAX_PLACE_LISTS = 8;
/** Askings for credentials kept to be shared by all phones of a machine. */
export const MAX_SHARED_ASKINGS = 16;
