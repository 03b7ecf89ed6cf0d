/** What the bodies of peers can make grow, each with its bound. */

/** `m=` lines of one session description. */
export const MAX_MEDIA = 16;
/** Formats of one `m=` line. */
export const MAX_FORMATS = 64;
/** Contacts of one reginfo document that are looked at. */
export const MAX_REGINFO_CONTACTS = 64;
/** Calls of one watched user that are looked at. */
export const MAX_WATCHED_CALLS = 32;
/** Tuples of one presence document that are looked at. */
export const MAX_PRESENCE_TUPLES = 8;
/** Activities of it, and notes: of more, the first. */
export const MAX_PRESENCE_WORDS = 8;
/** Characters of a note, a contact or an identifier in it; longer ones are left out whole. */
export const MAX_PRESENCE_TEXT = 256;
